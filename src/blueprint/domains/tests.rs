//! What identities of a file become, and in which order.

use std::sync::Arc;

use serde_json::json;

use crate::blueprint::drawn::{KEY, at, dependencies, drawn, of_kind, spec};
use crate::kinds::identity::key_digest;

const DOMAIN: &str = r#"
[tags]
team = "platform"
[identities."pivot.app"]
configuration_set = "transactional"
mail_from = { subdomain = "mail", on_mx_failure = "reject" }
feedback_forwarding = false
tags = { team = "mail", tier = "1" }
[configuration_sets.transactional]
"#;

#[test]
fn a_domain_is_an_identity_with_its_aspects() {
    let drawn = drawn(DOMAIN);
    assert_eq!(
        spec(&drawn, "identity.pivot.app"),
        json!({
            "easy_key": "rsa-2048", "signing": true, "feedback_forwarding": false,
            "tags": { "team": "mail", "tier": "1" }, "create_with_set": "transactional",
        })
    );
    assert_eq!(
        spec(&drawn, "mail_from.pivot.app"),
        json!({ "domain": "mail.pivot.app", "on_mx_failure": "reject", "detection": "running" })
    );
    assert_eq!(
        spec(&drawn, "default_set.pivot.app"),
        json!({ "configuration_set": "transactional" })
    );
    assert!(of_kind(&drawn, "signing").is_empty());
}

#[test]
fn what_ses_looks_records_up_for_comes_after_them() {
    let drawn = drawn(DOMAIN);
    let set = "configuration_set.transactional";
    assert_eq!(dependencies(&drawn, "identity.pivot.app"), [set]);
    assert_eq!(dependencies(&drawn, "default_set.pivot.app"), [set, "identity.pivot.app"]);
    assert_eq!(
        dependencies(&drawn, "mail_from.pivot.app"),
        ["dns.pivot.app", "identity.pivot.app"]
    );
}

#[test]
fn records_that_somebody_else_publishes_are_not_waited_for() {
    let drawn =
        drawn(&DOMAIN.replace("feedback_forwarding", "dns = \"manual\"\nfeedback_forwarding"));
    assert!(of_kind(&drawn, "dns").is_empty());
    assert_eq!(dependencies(&drawn, "mail_from.pivot.app"), ["identity.pivot.app"]);
}

#[test]
fn domains_that_are_declared_alike_share_what_they_are_to_be() {
    let (_, identity) = DOMAIN.split_once("\n[identities").unwrap();
    let (identity, _) = identity.split_once("[configuration_sets").unwrap();
    let other = identity.replace("pivot.app", "eu.pivot.app");
    let drawn = drawn(&format!("{DOMAIN}[identities{other}"));
    let spec = |address: &str| Arc::clone(&at(&drawn, address).spec);
    assert!(Arc::ptr_eq(&spec("identity.pivot.app"), &spec("identity.eu.pivot.app")));
    assert!(!Arc::ptr_eq(&spec("mail_from.pivot.app"), &spec("mail_from.eu.pivot.app")));
}

#[test]
fn an_address_has_no_key_and_no_signing() {
    let drawn = drawn("[identities.\"Ops@pivot.app\"]\n");
    assert_eq!(
        spec(&drawn, "identity.Ops@pivot.app"),
        json!({ "feedback_forwarding": true, "tags": {} })
    );
}

#[test]
fn a_key_of_ones_own_is_put_after_its_record() {
    let drawn = drawn(
        r#"
[identities."keyed.app"]
dkim = { selector = "s1", private_key = { env = "DKIM_KEY" } }
signing = false
"#,
    );
    assert_eq!(
        spec(&drawn, "identity.keyed.app"),
        json!({ "signing": false, "feedback_forwarding": true, "tags": {} })
    );
    assert_eq!(
        spec(&drawn, "signing.keyed.app"),
        json!({ "selector": "s1", "key": key_digest("s1", KEY), "source": { "env": "DKIM_KEY" } })
    );
    assert_eq!(dependencies(&drawn, "signing.keyed.app"), ["dns.keyed.app", "identity.keyed.app"]);
}

#[test]
fn a_replica_has_no_key_of_its_own_and_no_records() {
    let drawn = drawn("[identities.\"pivot.app\"]\ndkim = { replica_of = \"eu-west-1\" }\n");
    let spec = spec(&drawn, "identity.pivot.app");
    assert_eq!((&spec["replica_of"], spec.get("easy_key")), (&json!("eu-west-1"), None));
    assert!(of_kind(&drawn, "dns").is_empty());
}

#[test]
fn a_sending_authorization_is_a_policy_on_exactly_its_identity() {
    let drawn = drawn(
        r#"
[identities."pivot.app"]
[identities."pivot.app".policies.partner]
principals = ["210987654321", "arn:aws:iam::999999999999:role/sender"]
from = ["*@pivot.app"]
[identities."pivot.app".policies.any]
principals = ["210987654321"]
actions = ["send-templated-email"]
"#,
    );
    let address = "identity_policy.pivot.app/partner";
    assert_eq!(
        spec(&drawn, address),
        json!({ "policy": { "version": "2012-10-17", "statement": { "Send": {
            "effect": "Allow",
            "principal": { "AWS": ["210987654321", "arn:aws:iam::999999999999:role/sender"] },
            "action": ["ses:SendEmail", "ses:SendRawEmail"],
            "resource": ["arn:aws:ses:us-east-1:123456789012:identity/pivot.app"],
            "condition": { "StringLike": { "ses:FromAddress": ["*@pivot.app"] } },
        } } } })
    );
    let any = spec(&drawn, "identity_policy.pivot.app/any");
    assert_eq!(any["policy"]["statement"]["Send"].get("condition"), None);
    let resource = at(&drawn, address);
    assert_eq!(resource.parent.as_ref().unwrap().to_string(), "identity.pivot.app");
    assert!(resource.tokens.contains("policy:partner"));
    assert_eq!(dependencies(&drawn, address), ["dns.pivot.app", "identity.pivot.app"]);
}
