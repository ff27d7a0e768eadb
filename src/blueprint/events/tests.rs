//! What configuration sets of a file become, and in which order.

use serde_json::json;

use crate::blueprint::drawn::{at, dependencies, drawn, spec};

#[test]
fn a_set_that_says_nothing_has_the_defaults_of_ses() {
    let drawn = drawn("[configuration_sets.plain]\n");
    assert_eq!(
        spec(&drawn, "configuration_set.plain"),
        json!({
            "delivery": { "tls": "optional" }, "sending": true, "reputation_metrics": true,
            "tags": {},
        })
    );
    assert!(dependencies(&drawn, "configuration_set.plain").is_empty());
}

#[test]
fn a_set_says_what_it_was_told() {
    let archive =
        "arn:aws:ses:us-east-1:123456789012:mailmanager-archive/a-abcdefghijklmnopqrstuvwx";
    let drawn = drawn(&format!(
        r#"
[configuration_sets.full]
tls = "require"
pool = "dedicated"
max_delivery = "1h"
sending = false
reputation_metrics = false
suppress = ["complaint", "bounce"]
suppression_scope = "tenant"
validation = {{ threshold = "high" }}
vdm = {{ engagement = true, optimized_delivery = false }}
archive = "{archive}"
tags = {{ team = "mail" }}
[configuration_sets.off]
suppress = []
vdm = {{}}
"#
    ));
    assert_eq!(
        spec(&drawn, "configuration_set.full"),
        json!({
            "delivery": { "tls": "require", "pool": "dedicated", "max_delivery_seconds": 3_600 },
            "sending": false, "reputation_metrics": false,
            "suppression": { "reasons": ["bounce", "complaint"], "scope": "tenant", "validation": "high" },
            "vdm": { "engagement": true, "optimized_delivery": false },
            "archive": archive, "tags": { "team": "mail" },
        })
    );
    let off = spec(&drawn, "configuration_set.off");
    assert_eq!((&off["suppression"], off.get("vdm")), (&json!({ "reasons": [] }), None));
}

#[test]
fn a_set_may_track_through_the_domain_whose_default_it_is() {
    let drawn = drawn(
        r#"
[identities."pivot.app"]
configuration_set = "marketing"
[configuration_sets.marketing]
tracking = { domain = "links.pivot.app", https = "require-open-only", target = "cdn.example.com" }
[configuration_sets.marketing.events.clicks]
types = ["click"]
event_bus = "default"
"#,
    );
    assert_eq!(
        spec(&drawn, "tracking.marketing"),
        json!({
            "domain": "links.pivot.app", "https": "require-open-only", "covered_by": "pivot.app",
        })
    );
    assert_eq!(
        dependencies(&drawn, "tracking.marketing"),
        [
            "configuration_set.marketing",
            "dns.links.pivot.app",
            "dns.pivot.app",
            "identity.pivot.app",
        ]
    );
    assert_eq!(dependencies(&drawn, "identity.pivot.app"), ["configuration_set.marketing"]);
}

#[test]
fn a_destination_names_its_target_by_arn_and_comes_after_a_topic_of_this_file() {
    let drawn = drawn(
        r#"
[configuration_sets.all.events.feedback]
types = ["complaint", "delivery-delay", "bounce"]
topic = "feedback"
[configuration_sets.all.events.elsewhere]
types = ["send"]
topic = "arn:aws:sns:us-east-1:123456789012:made-by-hand"
enabled = false
[configuration_sets.all.events.bus]
types = ["send"]
event_bus = "default"
[configuration_sets.all.events.stream]
types = ["send"]
firehose = { stream = "mail", role = "ses-firehose" }
[configuration_sets.all.events.metrics]
types = ["send"]
cloudwatch = [{ dimension = "tenant", source = "message-tag", default = "none" }]
[topics.feedback]
"#,
    );
    let of = |name: &str| spec(&drawn, &format!("event_destination.all/{name}"));
    assert_eq!(
        of("feedback"),
        json!({
            "types": ["bounce", "complaint", "delivery-delay"], "enabled": true,
            "topic": "arn:aws:sns:us-east-1:123456789012:feedback",
        })
    );
    assert_eq!(
        of("elsewhere"),
        json!({
            "types": ["send"], "enabled": false,
            "topic": "arn:aws:sns:us-east-1:123456789012:made-by-hand",
        })
    );
    assert_eq!(of("bus")["event_bus"], "arn:aws:events:us-east-1:123456789012:event-bus/default");
    assert_eq!(
        of("stream")["firehose"],
        json!({
            "stream": "arn:aws:firehose:us-east-1:123456789012:deliverystream/mail",
            "role": "arn:aws:iam::123456789012:role/ses-firehose",
        })
    );
    assert_eq!(
        of("metrics")["cloudwatch"],
        json!([{ "name": "tenant", "source": "message-tag", "default": "none" }])
    );
    let feedback = "event_destination.all/feedback";
    assert_eq!(dependencies(&drawn, feedback), ["configuration_set.all", "topic.feedback"]);
    assert_eq!(dependencies(&drawn, "event_destination.all/elsewhere"), ["configuration_set.all"]);
    assert!(at(&drawn, feedback).tokens.contains("dest:feedback"));
}
