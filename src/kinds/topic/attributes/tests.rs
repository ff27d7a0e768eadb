//! What SNS's texts become, and what becomes of them again.

use super::*;
use crate::engine::Kind;
use crate::kinds::topic::Topic;

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_empty_attribute_is_none() {
    let attributes = texts(&[("DisplayName", ""), ("KmsMasterKeyId", "alias/mail")]);
    assert_eq!(set_text(&attributes, "DisplayName"), None);
    assert_eq!(set_text(&attributes, "TracingConfig"), None);
    assert_eq!(set_text(&attributes, "KmsMasterKeyId").as_deref(), Some("alias/mail"));
}

#[test]
fn subscriptions_are_listed_only_where_a_counter_says_there_are_any() {
    assert!(!has_subscribers(&texts(&[
        ("SubscriptionsConfirmed", "0"),
        ("SubscriptionsPending", "0")
    ])));
    assert!(!has_subscribers(&texts(&[("SubscriptionsDeleted", "3")])));
    assert!(has_subscribers(&texts(&[
        ("SubscriptionsConfirmed", "0"),
        ("SubscriptionsPending", "1")
    ])));
}

#[test]
fn what_is_written_reads_back_the_same() {
    for spec in Topic::examples() {
        let attributes: Texts = attributes(&spec);
        assert_eq!(set_text(&attributes, "DisplayName"), spec.display_name);
        assert_eq!(set_text(&attributes, "KmsMasterKeyId"), spec.encryption_key);
        assert_eq!(Policy::parse(&attributes["Policy"]).unwrap(), spec.policy);
    }
}

#[test]
fn a_topic_that_ses_may_not_publish_to_is_told_apart() {
    for spec in Topic::examples() {
        assert!(allows_ses(&spec.policy));
    }
    let other = crate::aws::policy::Statement::allow().to("Service", "events.amazonaws.com");
    assert!(!allows_ses(&Policy::new([("Other", other)])));
}

#[test]
fn refusals_of_tags_that_pass_by_themselves_are_waited_for() {
    let error = |code: &str| AwsError {
        action: "sns:CreateTopic".to_owned(),
        resource: "feedback".to_owned(),
        code: code.to_owned(),
        message: String::new(),
        request_id: None,
        class: crate::aws::Class::Other,
    };
    assert!(matches!(waiting_for_tags(error("StaleTag")), Ok(Put::Waiting(_))));
    assert!(matches!(waiting_for_tags(error("ConcurrentAccess")), Ok(Put::Waiting(_))));
    assert!(waiting_for_tags(error("AuthorizationError")).is_err());
}
