//! Random environment files over every kind and field. Names come from small pools, so that two environments in a row
//! share some, rename others, and swap what belongs to whom.

mod messaging;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::random::Random;
use crate::it::account::ACCOUNT;

/// Domains that have an identity, each with its zone.
pub(super) const DOMAINS: [(&str, &str); 5] = [
    ("pivot.app", "pivot.app"),
    ("eu.pivot.app", "pivot.app"),
    ("shop.example", "shop.example"),
    ("news.shop.example", "shop.example"),
    ("other.dev", "other.dev"),
];
/// The one whose zone has a twin, so that it is known by id.
pub(super) const TWIN: &str = "other.dev";
/// What its twin is called among the ids of zones.
pub(super) const TWIN_S_TWIN: &str = "other.dev's twin";
/// Domains in another Region that can be replicated here.
pub(super) const ELSEWHERE: &str = "eu-west-1";
pub(super) const MAIL_FROM: [&str; 3] = ["bounce", "return", "post"];

/// A random file.
pub(super) struct Generated {
    /// Everything after the account.
    pub(super) text: String,
    /// Each field that it sets, as `Type.field`, once for each time.
    pub(super) fields: Vec<&'static str>,
}

struct Generator {
    random: Random,
    text: String,
    fields: Vec<&'static str>,
    zone_ids: BTreeMap<String, String>,
    /// The id of the twin that this file chooses.
    twin: String,
    sets: Vec<&'static str>,
    queues: Vec<&'static str>,
    topics: Vec<&'static str>,
    /// Domains whose records are published, so that SES verifies them.
    published: Vec<&'static str>,
    identities: Vec<&'static str>,
    tracked: BTreeSet<String>,
}

/// The file of `seed`; `zone_ids` are the zones' ids by name.
pub(super) fn generate(seed: u64, zone_ids: &BTreeMap<String, String>) -> Generated {
    let mut random = Random::new(seed);
    let sets = random.some(&["web", "letters", "bulk"]);
    let queues = random.some(&["inbox", "lost", "late"]);
    let topics = random.some(&["feedback", "events"]);
    let twin = zone_ids[random.one(&[TWIN, TWIN_S_TWIN])].clone();
    let mut generator = Generator {
        random,
        text: String::new(),
        fields: Vec::new(),
        zone_ids: zone_ids.clone(),
        twin,
        sets,
        queues,
        topics,
        published: Vec::new(),
        identities: Vec::new(),
        tracked: BTreeSet::new(),
    };
    generator.whole();
    Generated { text: generator.text, fields: generator.fields }
}

impl Generator {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes `key = value` and counts the field.
    fn set(&mut self, field: &'static str, value: &str) {
        let key = field.rsplit('.').next().unwrap_or(field);
        let line = format!("{key} = {value}");
        self.line(&line);
        self.fields.push(field);
    }

    /// The same, once in `times`.
    fn maybe(&mut self, times: usize, field: &'static str, values: &[&str]) {
        if self.random.once_in(times) {
            let value = self.random.one(values);
            self.set(field, value);
        }
    }

    /// An entry of an inline table.
    fn entry(&mut self, entries: &mut Vec<String>, field: &'static str, value: &str) {
        let key = field.rsplit('.').next().unwrap_or(field);
        entries.push(format!("{key} = {value}"));
        self.fields.push(field);
    }

    fn maybe_entry(
        &mut self,
        entries: &mut Vec<String>,
        times: usize,
        field: &'static str,
        values: &[&str],
    ) {
        if self.random.once_in(times) {
            let value = self.random.one(values);
            self.entry(entries, field, value);
        }
    }

    fn table(&mut self, field: &'static str, entries: &[String]) {
        self.set(field, &format!("{{ {} }}", entries.join(", ")));
    }

    fn tags(&mut self, field: &'static str) {
        self.maybe(
            3,
            field,
            &[
                "{ team = \"mail\" }",
                "{ team = \"platform\", tier = \"two\" }",
                "{ cost = \"4711\" }",
            ],
        );
    }

    fn whole(&mut self) {
        if self.random.once_in(2) {
            self.line("[tags]\nteam = \"all\"");
            self.fields.push("Settings.tags");
        }
        self.zones();
        self.account();
        let names = self.random.some(&DOMAINS);
        for (name, zone) in names {
            self.domain(name, zone);
        }
        if self.random.once_in(2) {
            self.address();
        }
        for set in self.sets.clone() {
            self.configuration_set(set);
        }
        for topic in self.topics.clone() {
            self.topic(topic);
        }
        for queue in self.queues.clone() {
            self.queue(queue);
        }
        if self.random.once_in(2) {
            self.alarms();
        }
        for name in ["api", "letters"] {
            if !self.identities.is_empty() && self.random.once_in(2) {
                self.send_policy(name);
            }
        }
    }

    fn zones(&mut self) {
        let id = self.twin.clone();
        self.line(&format!("[zones.\"{TWIN}\"]"));
        self.fields.push("Settings.zones");
        self.set("Zone.id", &format!("\"{id}\""));
        if self.random.once_in(3) {
            self.line("[zones.\"shop.example\"]");
            self.set("Zone.role", &format!("\"arn:aws:iam::{ACCOUNT}:role/dns-writer\""));
        }
    }

    fn domain(&mut self, name: &'static str, zone: &str) {
        self.line(&format!("[identities.\"{name}\"]"));
        self.fields.push("Settings.identities");
        self.identities.push(name);
        let manual = self.random.once_in(6);
        if manual {
            self.set("Identity.dns", "\"manual\"");
        } else {
            self.published.push(name);
        }
        self.identity(name);
        self.dkim(zone);
        self.maybe(8, "Identity.signing", &["false"]);
        if !manual && (zone == TWIN || self.random.once_in(4)) {
            let value = match zone {
                TWIN => self.twin.clone(),
                _ if self.random.once_in(2) => self.zone_ids[zone].clone(),
                _ => zone.to_owned(),
            };
            self.set("Identity.zone", &format!("\"{value}\""));
        }
        if self.random.once_in(2) {
            let mut entries = Vec::new();
            let subdomain = self.random.one(&MAIL_FROM);
            self.entry(&mut entries, "MailFrom.subdomain", &format!("\"{subdomain}\""));
            let failure: &[&str] =
                if manual { &["\"use-default\""] } else { &["\"reject\"", "\"use-default\""] };
            self.maybe_entry(&mut entries, 2, "MailFrom.on_mx_failure", failure);
            self.table("Identity.mail_from", &entries);
        }
        if self.random.once_in(2) {
            self.dmarc(name);
        }
        self.authorizations(name);
    }

    fn address(&mut self) {
        let name = self.random.one(&["ops@pivot.app", "Sales@shop.example"]);
        self.line(&format!("[identities.\"{name}\"]"));
        self.fields.push("Settings.identities");
        self.identity(name);
        self.authorizations(name);
    }

    fn identity(&mut self, _name: &str) {
        if self.random.once_in(2) {
            let set = self.random.one(&self.sets.clone());
            let set = if self.random.once_in(6) {
                format!("arn:aws:ses:us-east-1:{ACCOUNT}:configuration-set/theirs")
            } else {
                set.to_owned()
            };
            self.set("Identity.configuration_set", &format!("\"{set}\""));
        }
        self.maybe(3, "Identity.feedback_forwarding", &["true", "false"]);
        self.tags("Identity.tags");
        self.maybe(4, "Identity.protect", &["true", "false"]);
    }

    fn dkim(&mut self, zone: &str) {
        let mut entries = Vec::new();
        match self.random.below(8) {
            0..=2 => return,
            3 | 4 => {
                let key = self.random.one(&["\"rsa-1024\"", "\"rsa-2048\""]);
                self.entry(&mut entries, "Dkim.key", key);
            }
            5 => self.entry(&mut entries, "Dkim.replica_of", &format!("\"{ELSEWHERE}\"")),
            _ => {
                let selector = self.random.one(&["\"s1\"", "\"s2\""]);
                self.entry(&mut entries, "Dkim.selector", selector);
                let sources = [
                    ("SecretSource.file", "{ file = \"one.key\" }", true),
                    ("SecretSource.ssm", "{ ssm = \"/mail/dkim\" }", false),
                    ("SecretSource.secret", "{ secret = \"mail-dkim\" }", false),
                ];
                // Both twins answer, so that of a selector that moves between them only one key may be.
                let sources = if zone == TWIN { &sources[..1] } else { &sources };
                let (source, value, public) = self.random.one(sources);
                self.fields.push(source);
                self.entry(&mut entries, "Dkim.private_key", value);
                if public && self.random.once_in(2) {
                    self.entry(
                        &mut entries,
                        "Dkim.public_key",
                        &format!("\"{}\"", super::run::PUBLIC.trim()),
                    );
                }
            }
        }
        self.table("Identity.dkim", &entries);
    }

    fn dmarc(&mut self, name: &str) {
        const POLICIES: [&str; 3] = ["\"none\"", "\"quarantine\"", "\"reject\""];
        let mut entries = Vec::new();
        let policy = self.random.one(&POLICIES);
        self.entry(&mut entries, "Dmarc.policy", policy);
        self.maybe_entry(&mut entries, 3, "Dmarc.subdomain_policy", &POLICIES);
        self.maybe_entry(&mut entries, 3, "Dmarc.non_existent_subdomain_policy", &POLICIES);
        self.maybe_entry(&mut entries, 3, "Dmarc.testing", &["true", "false"]);
        let reports = format!("[\"dmarc@{name}\"]");
        self.maybe_entry(&mut entries, 2, "Dmarc.reports_to", &[&reports, "[]"]);
        let failures = self.random.once_in(3);
        if failures {
            self.entry(&mut entries, "Dmarc.failure_reports_to", &reports);
            self.maybe_entry(
                &mut entries,
                2,
                "Dmarc.failure_options",
                &["[\"any\"]", "[\"all\", \"dkim\"]", "[\"spf\"]"],
            );
        }
        if self.random.once_in(3) {
            let mut alignment = Vec::new();
            self.maybe_entry(&mut alignment, 2, "Alignment.dkim", &["\"strict\"", "\"relaxed\""]);
            self.maybe_entry(&mut alignment, 2, "Alignment.spf", &["\"strict\"", "\"relaxed\""]);
            self.entry(&mut entries, "Dmarc.alignment", &format!("{{ {} }}", alignment.join(", ")));
        }
        self.maybe_entry(&mut entries, 4, "Dmarc.public_suffix", &["\"yes\"", "\"no\""]);
        self.table("Identity.dmarc", &entries);
    }

    fn authorizations(&mut self, name: &str) {
        for policy in ["partner", "agency"] {
            if !self.random.once_in(4) {
                continue;
            }
            self.line(&format!("[identities.\"{name}\".policies.{policy}]"));
            self.fields.push("Identity.policies");
            let principals = self.random.one(&[
                "[\"arn:aws:iam::999999999999:root\"]",
                "[\"arn:aws:iam::999999999999:root\", \"arn:aws:iam::888888888888:root\"]",
            ]);
            self.set("SendingAuthorization.principals", principals);
            self.maybe(
                2,
                "SendingAuthorization.actions",
                &["[\"send-email\"]", "[\"send-raw-email\", \"send-templated-email\"]"],
            );
            let domain = name.rsplit('@').next().unwrap_or(name);
            let from = if name.contains('@') {
                format!("[\"{name}\"]")
            } else {
                format!("[\"partner@{domain}\"]")
            };
            self.maybe(2, "SendingAuthorization.from", &[&from]);
        }
    }

    fn configuration_set(&mut self, name: &str) {
        self.line(&format!("[configuration_sets.{name}]"));
        self.fields.push("Settings.configuration_sets");
        self.maybe(2, "ConfigurationSet.tls", &["\"require\"", "\"optional\""]);
        self.maybe(4, "ConfigurationSet.pool", &["\"warm\"", "\"cold\""]);
        self.maybe(3, "ConfigurationSet.max_delivery", &["\"5m\"", "\"2h\"", "\"14h\""]);
        self.maybe(4, "ConfigurationSet.sending", &["true", "false"]);
        self.maybe(4, "ConfigurationSet.reputation_metrics", &["true", "false"]);
        if self.random.once_in(2) {
            let suppress = self.random.one(&["[]", "[\"bounce\"]", "[\"bounce\", \"complaint\"]"]);
            self.set("ConfigurationSet.suppress", suppress);
            if suppress != "[]" {
                self.maybe(3, "ConfigurationSet.suppression_scope", &["\"account\"", "\"tenant\""]);
                if self.random.once_in(3) {
                    let threshold =
                        self.random.one(&["\"off\"", "\"medium\"", "\"high\"", "\"managed\""]);
                    self.fields.push("Validation.threshold");
                    self.set(
                        "ConfigurationSet.validation",
                        &format!("{{ threshold = {threshold} }}"),
                    );
                }
            }
        }
        self.tracking();
        if self.random.once_in(4) {
            let mut entries = Vec::new();
            self.maybe_entry(&mut entries, 2, "Vdm.engagement", &["true", "false"]);
            self.maybe_entry(&mut entries, 2, "Vdm.optimized_delivery", &["true", "false"]);
            self.table("ConfigurationSet.vdm", &entries);
        }
        if self.random.once_in(4) {
            let archive = format!(
                "\"arn:aws:ses:us-east-1:{ACCOUNT}:mailmanager-archive/a-0123456789abcdef01234567\""
            );
            self.set("ConfigurationSet.archive", &archive);
        }
        self.tags("ConfigurationSet.tags");
        for destination in ["feedback", "stream", "metrics"] {
            if self.random.once_in(2) {
                self.line(&format!("[configuration_sets.{name}.events.{destination}]"));
                self.fields.push("ConfigurationSet.events");
                self.destination();
            }
        }
    }

    fn tracking(&mut self) {
        if self.published.is_empty() || !self.random.once_in(2) {
            return;
        }
        let identity = self.random.one(&self.published.clone());
        let label = self.random.one(&["click", "links"]);
        let domain = format!("{label}.{identity}");
        // Two sets with one domain have one record; here each has its own.
        if !self.tracked.insert(domain.clone()) {
            return;
        }
        let mut entries = Vec::new();
        self.entry(&mut entries, "Tracking.domain", &format!("\"{domain}\""));
        let targeted = self.random.once_in(2);
        if targeted {
            let target = self.random.one(&["\"d1.cloudfront.net\"", "\"d2.cloudfront.net\""]);
            self.entry(&mut entries, "Tracking.target", target);
            self.maybe_entry(
                &mut entries,
                2,
                "Tracking.https",
                &["\"require\"", "\"require-open-only\"", "\"optional\""],
            );
        }
        self.maybe_entry(&mut entries, 5, "Tracking.dns", &["\"manual\"", "\"route53\""]);
        self.table("ConfigurationSet.tracking", &entries);
    }

    fn destination(&mut self) {
        const TYPES: [&str; 10] = [
            "\"send\"",
            "\"reject\"",
            "\"bounce\"",
            "\"complaint\"",
            "\"delivery\"",
            "\"open\"",
            "\"click\"",
            "\"rendering-failure\"",
            "\"delivery-delay\"",
            "\"subscription\"",
        ];
        let types = self.random.some(&TYPES).join(", ");
        self.set("EventDestination.types", &format!("[{types}]"));
        self.maybe(4, "EventDestination.enabled", &["true", "false"]);
        match self.random.below(6) {
            0..=2 => {
                let topic = self.random.one(&self.topics.clone());
                let elsewhere = format!("arn:aws:sns:us-east-1:{ACCOUNT}:theirs");
                let topic = if self.random.once_in(5) { elsewhere } else { topic.to_owned() };
                self.set("EventDestination.topic", &format!("\"{topic}\""));
            }
            3 => self.set("EventDestination.event_bus", "\"default\""),
            4 => {
                let stream = self.random.one(&["\"mail\"", "\"audit\""]);
                self.fields.extend(["Firehose.stream", "Firehose.role"]);
                self.set(
                    "EventDestination.firehose",
                    &format!("{{ stream = {stream}, role = \"ses-firehose\" }}"),
                );
            }
            _ => {
                let names = self.random.some(&["campaign", "tenant"]);
                let mut dimensions = Vec::new();
                for name in names {
                    let source = self.random.one(&["message-tag", "email-header", "link-tag"]);
                    self.fields.extend([
                        "Dimension.dimension",
                        "Dimension.source",
                        "Dimension.default",
                    ]);
                    dimensions.push(format!(
                        "{{ dimension = \"{name}\", source = \"{source}\", default = \"none\" }}"
                    ));
                }
                self.set("EventDestination.cloudwatch", &format!("[{}]", dimensions.join(", ")));
            }
        }
    }

    fn send_policy(&mut self, name: &str) {
        self.line(&format!("[send_policies.{name}]"));
        self.fields.push("Settings.send_policies");
        let identity = self.random.one(&self.identities.clone());
        let mut from = String::new();
        for pattern in self.random.some(&["*", "api", "digest"]) {
            let _ = write!(from, "\"{pattern}@{identity}\", ");
        }
        self.set("SendPolicy.from", &format!("[{}]", from.trim_end_matches(", ")));
        self.maybe(3, "SendPolicy.identities", &[&format!("[\"{identity}\"]")]);
        if self.random.once_in(3) {
            let sets: Vec<String> = self
                .random
                .some(&self.sets.clone())
                .iter()
                .map(|set| format!("\"{set}\""))
                .collect();
            self.set("SendPolicy.configuration_sets", &format!("[{}]", sets.join(", ")));
        }
        self.maybe(4, "SendPolicy.path", &["\"/mail/\"", "\"/\""]);
        self.tags("SendPolicy.tags");
        if self.random.once_in(2) {
            let mut entries = Vec::new();
            self.maybe_entry(
                &mut entries,
                2,
                "Attach.roles",
                &["[\"api\"]", "[\"api\", \"worker\"]"],
            );
            self.maybe_entry(&mut entries, 2, "Attach.users", &["[\"deploy\"]"]);
            self.maybe_entry(&mut entries, 2, "Attach.groups", &["[\"senders\"]"]);
            self.table("SendPolicy.attach", &entries);
        }
    }
}
