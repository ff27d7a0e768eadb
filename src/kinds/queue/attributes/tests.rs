//! What SQS's texts become, and what becomes of them again.

use super::*;

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn minimal() -> Texts {
    texts(&[("MessageRetentionPeriod", "345600"), ("VisibilityTimeout", "30")])
}

#[test]
fn texts_become_types() {
    let mut attributes = minimal();
    attributes.extend(texts(&[
        ("SqsManagedSseEnabled", "true"),
        ("RedrivePolicy", r#"{"maxReceiveCount":"7","deadLetterTargetArn":"arn:dead"}"#),
        (
            "Policy",
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"SQS:SendMessage"}}"#,
        ),
    ]));
    let spec = spec_of(&attributes, Texts::new()).unwrap();
    assert_eq!(
        (spec.retention.to_string(), spec.visibility_timeout.to_string()),
        ("4d".into(), "30s".into())
    );
    assert_eq!(spec.encryption, Encryption::Sqs);
    assert_eq!(
        spec.dead_letter,
        Some(DeadLetter { queue: "arn:dead".to_owned(), max_receives: 7 })
    );
    assert!(spec.policy.unwrap().statement["#1"].action.contains("sqs:SendMessage"));
}

#[test]
fn nothing_is_nothing_however_it_is_said() {
    let mut attributes = minimal();
    attributes.extend(texts(&[("Policy", ""), ("RedrivePolicy", ""), ("KmsMasterKeyId", "")]));
    let spec = spec_of(&attributes, Texts::new()).unwrap();
    assert_eq!(spec, spec_of(&minimal(), Texts::new()).unwrap());
    assert_eq!((spec.encryption, spec.policy, spec.dead_letter), (Encryption::Off, None, None));
}

#[test]
fn a_key_is_its_own_way_of_encryption_whatever_the_switch_says() {
    let mut attributes = minimal();
    attributes.extend(texts(&[("KmsMasterKeyId", "alias/mail"), ("SqsManagedSseEnabled", "true")]));
    let spec = spec_of(&attributes, Texts::new()).unwrap();
    assert_eq!(spec.encryption.to_string(), "alias/mail");
}

#[test]
fn a_receive_count_is_a_number_or_a_text() {
    for count in ["5", "\"5\""] {
        let policy = format!(r#"{{"deadLetterTargetArn":"arn:dead","maxReceiveCount":{count}}}"#);
        assert_eq!(dead_letter(&policy).unwrap().unwrap().max_receives, 5);
    }
    assert_eq!(dead_letter("{}").unwrap(), None);
}

#[test]
fn what_is_written_reads_back_the_same() {
    use crate::engine::Kind;
    for spec in crate::kinds::queue::Queue::examples() {
        let written = attributes_at_first(&spec).into_iter();
        let attributes = written.map(|(key, value)| (key.as_str().to_owned(), value)).collect();
        let read = spec_of(&attributes, spec.tags.clone()).unwrap();
        // Whether there are messages in it is counted elsewhere.
        assert_eq!(Spec { holds_messages: spec.holds_messages, ..read }, spec);
    }
}

#[test]
fn one_way_of_encryption_is_switched_off_with_the_call_that_switches_on_the_other() {
    let with = |encryption: &str| Spec {
        encryption: Encryption::parse(encryption).unwrap(),
        ..spec_of(&minimal(), Texts::new()).unwrap()
    };
    let set = |from: &str, to: &str| -> Vec<(String, String)> {
        let settings = settings(Some(&with(from)), &with(to)).into_iter();
        let encryption = settings.filter(|(path, ..)| *path == "encryption");
        encryption.map(|(_, name, value)| (name.as_str().to_owned(), value)).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(set("sqs", "alias/mail"), [pair("KmsMasterKeyId", "alias/mail")]);
    assert_eq!(
        set("alias/mail", "sqs"),
        [pair("KmsMasterKeyId", ""), pair("SqsManagedSseEnabled", "true")]
    );
    assert_eq!(set("sqs", "off"), [pair("SqsManagedSseEnabled", "false")]);
}

#[test]
fn messages_count_while_somebody_reads_them_too() {
    assert!(!has_messages(&texts(&[("ApproximateNumberOfMessages", "0")])));
    assert!(has_messages(&texts(&[("ApproximateNumberOfMessages", "2")])));
    assert!(has_messages(&texts(&[
        ("ApproximateNumberOfMessages", "0"),
        ("ApproximateNumberOfMessagesNotVisible", "1")
    ])));
}

#[test]
fn a_topic_that_goes_may_deliver_until_the_end_and_nobody_else() {
    let topics = "arn:aws:sns:us-east-1:123456789012:";
    let allowing = |names: &[&str]| {
        let arns = names.iter().map(|name| format!("{topics}{name}"));
        let statement = Statement::allow()
            .to("Service", "sns.amazonaws.com")
            .may(["sqs:SendMessage"])
            .on(["arn:queue"])
            .when("ArnEquals", "aws:SourceArn", arns);
        let policy = Policy::new([("AllowTopics", statement)]);
        Spec { policy: Some(policy), ..spec_of(&minimal(), Texts::new()).unwrap() }
    };
    let nobody = spec_of(&minimal(), Texts::new()).unwrap();
    let meanwhile = |from: &Spec, to: &Spec| policy_meanwhile(topics, from, to);
    assert_eq!(
        meanwhile(&allowing(&["old"]), &allowing(&["new"])),
        allowing(&["old", "new"]).policy
    );
    assert_eq!(meanwhile(&allowing(&["old"]), &nobody), allowing(&["old"]).policy);
    assert_eq!(meanwhile(&allowing(&["a"]), &allowing(&["a", "b"])), None);
    assert_eq!(meanwhile(&nobody, &allowing(&["a"])), None);
    // What somebody else let in by hand goes at once.
    let mut anybody = allowing(&[]);
    anybody.policy = Some(Policy::new([(
        "Anybody",
        Statement::allow().to("AWS", "*").may(["sqs:SendMessage"]).on(["arn:queue"]),
    )]));
    assert_eq!(meanwhile(&anybody, &allowing(&["a"])), None);
    let mut stranger = allowing(&[]);
    let policy = stranger.policy.as_mut().unwrap();
    let statement = policy.statement.get_mut("AllowTopics").unwrap();
    let sources = statement.condition.get_mut(SOURCE_OPERATOR).unwrap();
    sources.insert(SOURCE_KEY.to_owned(), BTreeSet::from(["arn:aws:sns:us-east-1:9:x".to_owned()]));
    assert_eq!(meanwhile(&stranger, &allowing(&["a"])), None);
}
