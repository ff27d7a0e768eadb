//! The plans that the golden files show: one for each thing that a plan can say.

use std::sync::Arc;

use super::many::many_domains;
use serde_json::{Value, json};
use sesinfra::engine::{
    Action, Address, Impact, Plan, PlannedChange, Refresh, Severity, Unmanaged, difference,
};
use sesinfra::view::{Document, FORMAT, Purpose, Record, Refused, Verdict};

/// A plan and what it is called.
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) document: Document,
}

/// All plans.
pub(crate) fn stories() -> Vec<Story> {
    vec![
        Story { name: "first-apply", document: first_apply() },
        Story { name: "no-changes", document: no_changes() },
        Story { name: "by-tags", document: by_tags() },
        Story { name: "by-tags-all-settled", document: by_tags_all_settled() },
        Story { name: "everything-changes", document: everything_changes() },
        Story { name: "refused", document: refused() },
        Story { name: "destroy", document: destroy() },
        Story { name: "many-domains", document: many_domains() },
    ]
}

pub(super) fn document(changes: Vec<PlannedChange>) -> Document {
    let mut changes = changes;
    changes.sort_by(|left, right| left.address.cmp(&right.address));
    Document {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        environment: "staging".to_owned(),
        project: "pivot".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        plan: Plan { changes, ..Plan::default() },
        ..Document::default()
    }
    .sealed()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(super) fn change(
    name: &str,
    action: Action,
    from: Option<Value>,
    to: Option<Value>,
) -> PlannedChange {
    PlannedChange {
        address: address(name),
        action,
        fields: if action == Action::None {
            Arc::default()
        } else {
            difference(from.as_ref(), to.as_ref(), &[]).into()
        },
        from: from.map(Arc::new),
        to: to.map(Arc::new),
        parent: None,
        impact: Impact::safe(),
        reason: None,
        deferred: None,
        notes: Vec::new(),
        ignore: std::collections::BTreeSet::new(),
        takes_back: false,
    }
}

pub(super) fn under(parent: &str, mut change: PlannedChange) -> PlannedChange {
    change.parent = Some(address(parent));
    change
}

pub(super) fn create(name: &str, to: Value) -> PlannedChange {
    change(name, Action::Create, None, Some(to))
}

fn update(name: &str, from: Value, to: Value) -> PlannedChange {
    change(name, Action::Update, Some(from), Some(to))
}

fn output(path: &str) -> Value {
    json!({ "$output": format!("identity.staging.pivot.app#{path}") })
}

fn topic_policy(set_pattern: &str, extra: Option<Value>) -> Value {
    let mut statements = vec![json!({
        "Sid": "ses-publishes",
        "Effect": "Allow",
        "Principal": { "Service": "ses.amazonaws.com" },
        "Action": "sns:Publish",
        "Resource": "arn:aws:sns:us-east-1:123456789012:ses-feedback",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": "123456789012" },
            "ArnLike": { "aws:SourceArn": set_pattern },
        },
    })];
    statements.extend(extra);
    json!({ "Version": "2012-10-17", "Statement": statements })
}

const SETS: &str = "arn:aws:ses:us-east-1:123456789012:configuration-set/*";

fn first_apply() -> Document {
    let record = |name: Value, kind: &str, value: Value| json!({ "zone": "Z0123456789", "name": name, "type": kind, "value": value });
    let mx = json!("10 feedback-smtp.us-east-1.amazonses.com");
    let dmarc = json!("v=DMARC1; p=quarantine; rua=mailto:dmarc@pivot.app");
    let dns = json!({
        "belongs_to": "identity.staging.pivot.app",
        "records": {
            "dkim 1 of 3": record(output("dkim_1_name"), "CNAME", output("dkim_1_target")),
            "mail-from mx": record(json!("mail.staging.pivot.app"), "MX", mx),
            "dmarc": record(json!("_dmarc.staging.pivot.app"), "TXT", dmarc),
        },
    });
    let mut tracking = under(
        "configuration_set.transactional",
        create(
            "tracking.transactional",
            json!({ "domain": "links.staging.pivot.app", "https": "optional" }),
        ),
    );
    tracking.deferred = None;
    let mut subscription = under(
        "topic.ses-feedback",
        create(
            "subscription.ses-feedback/email:ops@pivot.app",
            json!({ "protocol": "email", "endpoint": "ops@pivot.app" }),
        ),
    );
    subscription.impact =
        Impact::new(Severity::Safe, "AWS sends a mail with a link that must be followed");
    let senders: Vec<String> =
        (1..=20).map(|number| format!("*@tenant-{number}.pivot.app")).collect();
    let mut document = document(vec![
        create(
            "identity.staging.pivot.app",
            json!({ "name": "staging.pivot.app", "easy_key": "rsa-2048", "signing": true, "feedback_forwarding": false, "tags": { "team": "platform" } }),
        ),
        under("identity.staging.pivot.app", create("dns.staging.pivot.app", dns)),
        under(
            "identity.staging.pivot.app",
            create(
                "mail_from.staging.pivot.app",
                json!({ "domain": "mail.staging.pivot.app", "on_mx_failure": "use-default" }),
            ),
        ),
        create(
            "configuration_set.transactional",
            json!({ "delivery": { "tls": "require" }, "suppress": ["bounce", "complaint"] }),
        ),
        tracking,
        create("topic.ses-feedback", json!({ "policy": topic_policy(SETS, None), "tags": {} })),
        subscription,
        create("send_policy.pivot-staging-api", json!({ "from": senders, "path": "/" })),
    ]);
    document.records = vec![
        Record {
            owner: "staging.pivot.app".into(),
            purpose: "DKIM".into(),
            kind: "CNAME".into(),
            name: None,
            value: None,
            known_after: Some(address("identity.staging.pivot.app")),
            verdict: None,
        },
        record_of(
            "mail.staging.pivot.app",
            "MX",
            "10 feedback-smtp.us-east-1.amazonses.com",
            Verdict::Missing,
        ),
        record_of(
            "mail.staging.pivot.app",
            "TXT",
            "v=spf1 include:amazonses.com ~all",
            Verdict::Wrong(vec!["v=spf1 -all".to_owned()]),
        ),
    ];
    document.sealed()
}

fn record_of(name: &str, kind: &str, value: &str, verdict: Verdict) -> Record {
    Record {
        owner: "staging.pivot.app".into(),
        purpose: "MAIL FROM".into(),
        kind: kind.to_owned().into(),
        name: Some(name.to_owned()),
        value: Some(value.to_owned()),
        known_after: None,
        verdict: Some(verdict),
    }
}

fn no_changes() -> Document {
    let spec = json!({ "protocol": "email", "endpoint": "ops@pivot.app" });
    let mut subscription = change(
        "subscription.ses-feedback/email:ops@pivot.app",
        Action::None,
        Some(spec.clone()),
        Some(spec),
    );
    subscription.notes = vec!["pending confirmation".to_owned()];
    let mut document = document(vec![subscription]);
    let mx = "10 feedback-smtp.us-east-1.amazonses.com";
    let spf = "v=spf1 include:amazonses.com ~all";
    document.records = vec![
        record_of("mail.staging.pivot.app", "MX", mx, Verdict::Ok),
        record_of("mail.staging.pivot.app", "TXT", spf, Verdict::Ok),
    ];
    document.plan.unmanaged = vec![Unmanaged {
        goes: false,
        address: address("subscription.ses-feedback/email:someone@pivot.app"),
        parent: Some(address("topic.ses-feedback")),
    }];
    document.sealed()
}

/// One is declared otherwise than it was last applied; the others are settled.
fn by_tags() -> Document {
    let mut topic =
        update("topic.ses-feedback", json!({ "tags": {} }), json!({ "tags": { "team": "mail" } }));
    topic.notes = vec!["anybody may publish to it".to_owned()];
    let unread = |name: &str| change(name, Action::None, None, Some(json!({ "signing": true })));
    let mut document = document(vec![
        topic,
        unread("identity.staging.pivot.app"),
        under("identity.staging.pivot.app", unread("dns.staging.pivot.app")),
    ]);
    document.plan.unread =
        [address("identity.staging.pivot.app"), address("dns.staging.pivot.app")].into();
    document.refresh = Refresh::Tags;
    document.sealed()
}

fn by_tags_all_settled() -> Document {
    let mut document = by_tags();
    document.plan.changes.retain(|it| it.action == Action::None);
    document.sealed()
}

fn everything_changes() -> Document {
    let mut set = update(
        "configuration_set.transactional",
        json!({ "delivery": { "tls": "optional", "pool": "shared" }, "suppress": ["bounce"], "tags": { "team": "platform" } }),
        json!({ "delivery": { "tls": "require", "pool": "shared" }, "suppress": ["bounce", "complaint"], "tags": { "cost": "mail" } }),
    );
    set.impact =
        Impact::new(Severity::StopsMail, "mail to servers without TLS is no longer delivered");
    let person =
        json!({ "Sid": "someone", "Effect": "Allow", "Principal": "*", "Action": "sns:Publish" });
    let mut tracking = under(
        "configuration_set.transactional",
        update(
            "tracking.transactional",
            json!({ "https": "optional" }),
            json!({ "domain": "links.staging.pivot.app", "https": "optional" }),
        ),
    );
    tracking.deferred = Some("links.staging.pivot.app is not verified yet".to_owned());
    let mut destination = under(
        "configuration_set.transactional",
        change(
            "event_destination.transactional/feedback",
            Action::Replace,
            Some(json!({ "types": ["bounce"], "target": "topic" })),
            Some(json!({ "types": ["bounce"], "target": "event_bus" })),
        ),
    );
    destination.reason = Some("`target` cannot be changed in place".to_owned());
    destination.impact = Impact::new(Severity::Degrades, "events in between are lost");
    let mut rewritten = under(
        "topic.ses-feedback",
        update(
            "subscription.ses-feedback/sqs:queue",
            json!({ "raw": true }),
            json!({ "raw": true }),
        ),
    );
    rewritten.reason = Some("written again because topic.ses-feedback is made anew".to_owned());
    let mut document = document(vec![
        set,
        tracking,
        destination,
        update(
            "topic.ses-feedback",
            json!({ "policy": topic_policy("arn:aws:ses:us-east-1:123456789012:configuration-set/old", Some(person)) }),
            json!({ "policy": topic_policy(SETS, None) }),
        ),
        rewritten,
        update(
            "queue.ses-feedback",
            json!({ "policy_text": topic_policy("a", None).to_string() }),
            json!({ "policy_text": topic_policy("b", None).to_string() }),
        ),
        change("queue.old\nError: fake", Action::Delete, Some(json!({ "retention": "4d" })), None),
    ]);
    let mx = "10 feedback-smtp.us-east-1.amazonses.com";
    let spf = "v=spf1 include:amazonses.com ~all";
    document.records = vec![
        record_of("mail.staging.pivot.app", "MX", mx, Verdict::Going),
        record_of("mail.staging.pivot.app", "TXT", spf, Verdict::Ok),
    ];
    document.sealed()
}

fn refused() -> Document {
    let spec = json!({ "display_name": "someone's" });
    let mut document = document(vec![change(
        "topic.ses-feedback",
        Action::Adopt,
        Some(spec),
        Some(json!({ "display_name": "Feedback" })),
    )]);
    document.refusals = vec![Refused {
        rule: "unowned".to_owned(),
        address: address("topic.ses-feedback"),
        message: "exists already and was not made by sesinfra".to_owned(),
        remedy: "give the topic another name in the file, or delete the one that exists".to_owned(),
    }];
    document.sealed()
}

fn destroy() -> Document {
    let mut identity = change(
        "identity.staging.pivot.app",
        Action::Delete,
        Some(json!({ "easy_key": "rsa-2048", "signing": true })),
        None,
    );
    identity.impact =
        Impact::new(Severity::StopsMail, "mail from staging.pivot.app is refused by SES");
    let mut document = document(vec![
        identity,
        under(
            "identity.staging.pivot.app",
            change(
                "mail_from.staging.pivot.app",
                Action::Delete,
                Some(json!({ "domain": "mail.staging.pivot.app" })),
                None,
            ),
        ),
    ]);
    document.purpose = Purpose::Destroy;
    document.flags.targets = [address("identity.staging.pivot.app")].into();
    document.sealed()
}
