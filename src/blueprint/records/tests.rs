//! Which records an environment implies, and in which zone each is published.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::aws::Zones;
use crate::environment;
use crate::environment::names::FileName;

fn facts(zones: &[(&str, &str)]) -> Facts {
    let zones = zones.iter().map(|(id, name)| HostedZone {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        role: None,
        sets: None,
    });
    let keys = BTreeMap::from([(IdentityName::parse("own.app").unwrap(), "AAAA".to_owned())]);
    Facts { zones: Zones::new(zones), keys, ..Facts::of_an_empty_account() }
}

fn environment(rest: &str) -> Environment {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let root =
        std::env::temp_dir().join(format!("sesinfra-records-{}-{number}", std::process::id()));
    std::fs::create_dir_all(root.join("environments")).unwrap();
    let text = format!(
        "project = \"pivot\"\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n{rest}"
    );
    std::fs::write(root.join("environments/prod.toml"), text).unwrap();
    let loaded = environment::load(&root, &FileName::parse("prod").unwrap());
    std::fs::remove_dir_all(&root).unwrap();
    loaded.unwrap()
}

fn drawn(rest: &str, zones: &[(&str, &str)]) -> Draft {
    let mut draft = Draft::default();
    records(&environment(rest), &facts(zones), &mut draft);
    draft
}

/// `ADDRESS LABEL TYPE NAME ZONE` of every record that is published.
fn published(draft: &Draft) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in &draft.resources {
        let spec: dns::Spec =
            serde_json::from_value(serde_json::Value::clone(&resource.spec)).unwrap();
        for (label, record) in spec.records {
            let name = record.name.get().cloned().unwrap_or_else(|missing| missing.path);
            lines.push(format!(
                "{} {label}: {name} {} {}",
                resource.address, record.kind, record.zone
            ));
        }
    }
    lines
}

fn ids(draft: &Draft) -> Vec<&str> {
    draft.findings.iter().map(|finding| finding.id).collect()
}

const FULL: &str = "[identities.\"pivot.app\"]\nmail_from = { subdomain = \"mail\" }\ndmarc = { policy = \"none\" }\n";

#[test]
fn a_domain_has_its_keys_its_mail_from_and_its_policy() {
    let draft = drawn(FULL, &[("Z1", "pivot.app")]);
    assert_eq!(
        published(&draft),
        [
            "dns.pivot.app dkim 1 of 3: dkim_1_name CNAME Z1",
            "dns.pivot.app dkim 2 of 3: dkim_2_name CNAME Z1",
            "dns.pivot.app dkim 3 of 3: dkim_3_name CNAME Z1",
            "dns.pivot.app dmarc: _dmarc.pivot.app TXT Z1",
            "dns.pivot.app mail-from mx: mail.pivot.app MX Z1",
            "dns.pivot.app mail-from spf: mail.pivot.app TXT Z1",
        ]
    );
    let resource = &draft.resources[0];
    assert_eq!(resource.parent, Some(Address::new("identity", "pivot.app")));
    assert!(resource.tokens.contains("zone:Z1"));
}

#[test]
fn a_key_of_ones_own_is_published_and_a_replica_needs_nothing() {
    let own =
        "[identities.\"own.app\"]\ndkim = { selector = \"s1\", private_key = { env = \"KEY\" } }\n";
    let draft = drawn(own, &[("Z1", "own.app")]);
    assert_eq!(published(&draft), ["dns.own.app dkim key: s1._domainkey.own.app TXT Z1"]);
    let replica = "[identities.\"pivot.app\"]\ndkim = { replica_of = \"eu-west-1\" }\n";
    assert!(drawn(replica, &[]).resources.is_empty());
}

#[test]
fn a_name_below_with_a_zone_of_its_own_is_published_there() {
    let draft = drawn(FULL, &[("Z1", "pivot.app"), ("Z2", "mail.pivot.app")]);
    let below: Vec<String> =
        published(&draft).into_iter().filter(|line| line.ends_with("Z2")).collect();
    assert_eq!(
        below,
        [
            "dns.mail.pivot.app mail-from mx: mail.pivot.app MX Z2",
            "dns.mail.pivot.app mail-from spf: mail.pivot.app TXT Z2",
        ]
    );
    let needed = draft.records_of(&Address::new("identity", "pivot.app"));
    assert_eq!(needed.len(), 2, "{needed:?}");
}

#[test]
fn an_address_shares_the_records_of_its_domain() {
    let both =
        format!("{FULL}[identities.\"a@pivot.app\"]\nmail_from = {{ subdomain = \"bounce\" }}\n");
    let draft = drawn(&both, &[("Z1", "pivot.app")]);
    assert_eq!(draft.resources.len(), 1);
    let lines = published(&draft);
    assert!(
        lines.contains(&"dns.pivot.app mail-from mx bounce: bounce.pivot.app MX Z1".to_owned()),
        "{lines:#?}"
    );
    let address = Address::new("identity", "a@pivot.app");
    assert_eq!(draft.records_of(&address), [Address::new("dns", "pivot.app")].into());
}

#[test]
fn records_for_somebody_else_are_listed_and_need_no_zone() {
    let manual = FULL.replace("mail_from", "dns = \"manual\"\nmail_from");
    let draft = drawn(&manual, &[]);
    assert!(draft.resources.is_empty() && draft.findings.is_empty());
    let (environment, facts) = (environment(&manual), facts(&[]));
    let purposes: Vec<&str> =
        manual_records(&environment, &facts).map(|record| record.purpose).collect();
    assert_eq!(purposes, ["DKIM", "DKIM", "DKIM", "MAIL FROM", "SPF of MAIL FROM", "DMARC"]);
}

#[test]
fn a_zone_that_cannot_be_chosen_is_one_finding() {
    assert_eq!(ids(&drawn(FULL, &[])), ["zone-missing"]);
    assert_eq!(ids(&drawn(FULL, &[("Z1", "pivot.app"), ("Z2", "pivot.app")])), ["zone-ambiguous"]);
    // A zone given by its name is checked with the file; what an id stands for is known here alone.
    let named = FULL.replace("mail_from", "zone = \"Z0123456789ABC\"\nmail_from");
    assert_eq!(ids(&drawn(&named, &[("Z1", "pivot.app")])), ["zone-unknown"]);
    let elsewhere = [("Z1", "pivot.app"), ("Z0123456789ABC", "example.org")];
    assert_eq!(ids(&drawn(&named, &elsewhere)), ["zone-outside"]);
}

#[test]
fn a_tracking_domain_belongs_to_its_set_and_cannot_be_a_zone() {
    let tracked = "[identities.\"pivot.app\"]\n[configuration_sets.web]\n\
                   tracking = { domain = \"links.pivot.app\" }\n";
    let draft = drawn(tracked, &[("Z1", "pivot.app")]);
    let resource =
        draft.resources.iter().find(|it| it.address.name() == "links.pivot.app").unwrap();
    assert_eq!(resource.parent, Some(Address::new("configuration_set", "web")));
    assert!(resource.tokens.contains("zone:Z1/links.pivot.app"));
    let draft = drawn(tracked, &[("Z1", "pivot.app"), ("Z2", "links.pivot.app")]);
    assert_eq!(ids(&draft), ["cname-at-apex"]);
}
