//! What SNS's texts become, and what becomes of them again.

use super::*;
use crate::engine::Kind;
use crate::kinds::subscription::{Subscription, name, parts, token};

fn bare() -> Spec {
    Spec { raw: false, filter: None, dead_letter: None, ..Subscription::examples().remove(0) }
}

#[test]
fn what_is_written_reads_back_the_same() {
    for spec in Subscription::examples() {
        let bare = || Spec { raw: false, filter: None, dead_letter: None, ..spec.clone() };
        assert_eq!(spec_of(bare(), &attributes_at_first(&spec)).unwrap(), spec);
        let set = settings_in_order(&spec).into_iter();
        let attributes =
            set.filter_map(|(_, name, value)| Some((name.to_owned(), value?))).collect();
        assert_eq!(spec_of(bare(), &attributes).unwrap(), spec);
    }
}

#[test]
fn json_is_compared_and_not_its_text() {
    let spaced = Texts::from([
        ("FilterPolicy".to_owned(), "{ \"eventType\" : [ \"Bounce\" ] }".to_owned()),
        ("FilterPolicyScope".to_owned(), "MessageBody".to_owned()),
    ]);
    let dense = Texts::from([
        ("FilterPolicy".to_owned(), r#"{"eventType":["Bounce"]}"#.to_owned()),
        ("FilterPolicyScope".to_owned(), "MessageBody".to_owned()),
    ]);
    assert_eq!(spec_of(bare(), &spaced).unwrap(), spec_of(bare(), &dense).unwrap());
}

#[test]
fn an_empty_filter_is_none_and_its_scope_does_not_matter() {
    let attributes = Texts::from([
        ("FilterPolicy".to_owned(), "{}".to_owned()),
        ("FilterPolicyScope".to_owned(), "MessageBody".to_owned()),
        ("RawMessageDelivery".to_owned(), "false".to_owned()),
    ]);
    assert_eq!(spec_of(bare(), &attributes).unwrap(), bare());
}

#[test]
fn a_scope_is_set_before_a_nested_filter_and_after_a_flat_one() {
    let order = |spec: &Spec| -> Vec<&'static str> {
        settings_in_order(spec).iter().map(|(_, attribute, _)| *attribute).collect()
    };
    let specs = Subscription::examples();
    assert_eq!(order(&specs[0]), ["RawMessageDelivery", "FilterPolicy", "RedrivePolicy"]);
    assert_eq!(
        order(&specs[1]),
        ["RawMessageDelivery", "FilterPolicyScope", "FilterPolicy", "RedrivePolicy"]
    );
    assert_eq!(
        order(&specs[2]),
        ["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]
    );
    // SNS refuses an empty text for both.
    let unset = settings_in_order(&specs[0]);
    assert_eq!((unset[1].2.as_deref(), unset[2].2.as_deref()), (Some("{}"), None));
}

#[test]
fn a_name_gives_its_parts_back() {
    for endpoint in [
        "https://api.pivot.app:8443/a/b?c=d",
        "ops@pivot.app",
        "arn:aws:sqs:us-east-1:123456789012:q",
    ] {
        let whole = name("feedback", "email-json", endpoint);
        assert_eq!(parts(&whole), Some(("feedback", "email-json", endpoint)));
    }
    assert_eq!(parts("feedback"), None);
}

#[test]
fn a_token_depends_on_protocol_and_endpoint() {
    let token_of_mail = token("email", "ops@pivot.app");
    assert_eq!(token_of_mail.len(), "sub:".len() + 8);
    assert_ne!(token_of_mail, token("email-json", "ops@pivot.app"));
    assert_ne!(token_of_mail, token("email", "Ops@pivot.app"));
    assert_eq!(token_of_mail, token("email", "ops@pivot.app"));
}

#[test]
fn queues_of_this_account_and_region_are_relied_on() {
    use crate::environment::names::{AccountId, Region};
    let arns =
        Arns::new(AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").unwrap());
    let used: Vec<String> =
        used_queues(&arns, &Subscription::examples()[1]).iter().map(ToString::to_string).collect();
    assert_eq!(used, ["queue.example", "queue.lost"]);
    let elsewhere = Spec { endpoint: "arn:aws:sqs:eu-west-1:123456789012:q".to_owned(), ..bare() };
    assert!(used_queues(&arns, &elsewhere).is_empty());
}

#[test]
fn a_pending_subscription_says_who_must_confirm() {
    assert!(note_of_pending("email", &Ownership::Ours).contains("a person"));
    assert!(note_of_pending("https", &Ownership::Ours).contains("three days"));
    assert!(!note_of_pending("sqs", &Ownership::Unowned).contains("three days"));
}
