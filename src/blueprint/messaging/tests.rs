//! What topics, subscriptions and queues of a file become, and in which order.

use serde_json::{Value, json};

use super::*;

fn facts() -> Facts {
    Facts::of_an_empty_account()
}

fn settings(rest: &Value) -> Settings {
    let mut whole = json!({
        "project": "pivot",
        "aws": { "account": "123456789012", "region": "us-east-1" },
        "tags": { "team": "platform", "tier": "mail" },
    });
    whole.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

#[test]
fn a_topic_lets_ses_publish_for_this_accounts_sets_and_keeps_its_owner() {
    let settings = settings(&json!({ "topics": { "feedback": { "tags": { "team": "mail" } } } }));
    let (name, topic) = settings.topics.first_key_value().unwrap();
    let spec = topic_spec(&settings, &facts().arns, name, topic);
    let document: Value = serde_json::from_str(&spec.policy.document()).unwrap();
    assert_eq!(
        document,
        json!({ "Version": "2012-10-17", "Statement": [
            {
                "Sid": "AllowSES", "Effect": "Allow",
                "Principal": { "Service": "ses.amazonaws.com" },
                "Action": "sns:Publish",
                "Resource": "arn:aws:sns:us-east-1:123456789012:feedback",
                "Condition": {
                    "ArnLike": { "aws:SourceArn": "arn:aws:ses:us-east-1:123456789012:configuration-set/*" },
                    "StringEquals": { "aws:SourceAccount": "123456789012" }
                }
            },
            {
                "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": { "AWS": "*" },
                "Action": [
                    "sns:AddPermission", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
                    "sns:Publish", "sns:RemovePermission", "sns:SetTopicAttributes", "sns:Subscribe"
                ],
                "Resource": "arn:aws:sns:us-east-1:123456789012:feedback",
                "Condition": { "StringEquals": { "aws:SourceOwner": "123456789012" } }
            }
        ] })
    );
    // A resource's own tag wins over the environment's.
    assert_eq!(
        spec.tags,
        BTreeMap::from([("team".into(), "mail".into()), ("tier".into(), "mail".into())])
    );
}

#[test]
fn a_queue_lets_in_exactly_the_topics_that_name_it() {
    let settings = settings(&json!({
        "topics": {
            "bounces": { "subscriptions": [{ "queue": "inbox" }] },
            "complaints": { "subscriptions": [
                { "queue": "inbox" },
                { "https": "https://api.pivot.app/ses", "dead_letter": "lost" },
                { "queue": "arn:aws:sqs:us-east-1:210987654321:theirs" }
            ] },
            "quiet": {}
        },
        "queues": { "inbox": {}, "lost": {}, "unused": {} }
    }));
    let specs = queue_specs(&settings, &facts().arns);
    let sources = |name: &str| {
        let policy = specs[name].policy.as_ref()?;
        let statement = &policy.statement["AllowTopics"];
        assert_eq!(
            statement.principal["Service"],
            BTreeSet::from(["sns.amazonaws.com".to_owned()])
        );
        assert_eq!(statement.resource, BTreeSet::from([facts().arns.queue(name)]));
        Some(statement.condition["ArnEquals"]["aws:SourceArn"].clone())
    };
    let topics = |names: &[&str]| Some(names.iter().map(|name| facts().arns.topic(name)).collect());
    assert_eq!(sources("inbox"), topics(&["bounces", "complaints"]));
    assert_eq!(sources("lost"), topics(&["complaints"]));
    assert_eq!(sources("unused"), None);
}

#[test]
fn a_dead_letter_queue_is_made_where_none_is_named() {
    let settings = settings(&json!({ "queues": {
        "inbox": { "dead_letter": {}, "encryption": "off", "tags": { "team": "mail" } },
        "named": { "dead_letter": { "queue": "lost", "max_receives": 3 } },
        "lost": {},
        "own": { "dead_letter": {} },
        "own-dead-letter": { "retention": "1d" }
    } }));
    let arns = facts().arns;
    let specs = queue_specs(&settings, &arns);
    let names: Vec<&str> = specs.keys().map(String::as_str).collect();
    assert_eq!(names, ["inbox", "inbox-dead-letter", "lost", "named", "own", "own-dead-letter"]);
    let made = &specs["inbox-dead-letter"];
    assert_eq!(made.retention.to_string(), "14d");
    assert_eq!(made.encryption, Encryption::Off);
    assert_eq!(made.tags["team"], "mail");
    let target =
        |name: &str| specs[name].dead_letter.as_ref().map(|it| (it.queue.clone(), it.max_receives));
    assert_eq!(target("inbox"), Some((arns.queue("inbox-dead-letter"), 5)));
    assert_eq!(target("named"), Some((arns.queue("lost"), 3)));
    // One that the file declares itself keeps its own settings.
    assert_eq!(specs["own-dead-letter"].retention.to_string(), "1d");
}

#[test]
fn a_subscription_is_named_by_what_sns_calls_its_endpoint() {
    let settings = settings(&json!({ "topics": { "feedback": { "subscriptions": [
        { "https": "https://api.pivot.app/ses", "raw": true },
        { "email": "ops@pivot.app" },
        { "email_json": "bot@pivot.app" },
        { "queue": "inbox", "filter": { "eventType": ["Bounce"] }, "dead_letter": "lost" },
        { "lambda": "feedback", "filter": { "a": ["b"] }, "filter_scope": "attributes" },
        { "email": "all@pivot.app", "filter": {} }
    ] } } }));
    let (name, topic) = settings.topics.first_key_value().unwrap();
    let arns = facts().arns;
    let specs: Vec<_> =
        topic.subscriptions.iter().map(|it| subscription_spec(&arns, name, it)).collect();
    let names: Vec<String> = specs
        .iter()
        .map(|it| subscription::name(name.as_str(), &it.protocol, &it.endpoint))
        .collect();
    assert_eq!(
        names,
        [
            "feedback/https:https://api.pivot.app/ses",
            "feedback/email:ops@pivot.app",
            "feedback/email-json:bot@pivot.app",
            "feedback/sqs:arn:aws:sqs:us-east-1:123456789012:inbox",
            "feedback/lambda:arn:aws:lambda:us-east-1:123456789012:function:feedback",
            "feedback/email:all@pivot.app",
        ]
    );
    let scopes: Vec<_> =
        specs.iter().map(|it| it.filter.as_ref().map(|it| it.scope.as_str())).collect();
    assert_eq!(scopes, [None, None, None, Some("MessageBody"), Some("MessageAttributes"), None]);
    assert!(specs[0].raw && !specs[1].raw);
    assert_eq!(specs[3].dead_letter, Some(arns.queue("lost")));
}

#[test]
fn queues_come_before_what_delivers_to_them() {
    let settings = settings(&json!({
        "topics": { "feedback": { "subscriptions": [
            { "queue": "inbox", "dead_letter": "lost" },
            { "queue": "arn:aws:sqs:us-east-1:123456789012:made-by-hand" }
        ] } },
        "queues": { "inbox": {}, "lost": {} }
    }));
    let facts = facts();
    let queues = queue_specs(&settings, &facts.arns);
    let mut draft = Draft::default();
    let (name, topic) = settings.topics.first_key_value().unwrap();
    for subscriber in &topic.subscriptions {
        let spec = subscription_spec(&facts.arns, name, subscriber);
        add_subscription(&facts, name, (&spec, &BTreeSet::new()), &queues, &mut draft);
    }
    let after = |index: usize| {
        draft.resources[index].after.iter().map(|(other, _)| other.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(after(0), ["queue.inbox", "queue.lost"]);
    // A queue of this account that the file does not make is nothing to wait for.
    assert!(after(1).is_empty());
    assert_eq!(draft.resources[0].parent, Some(Address::new("topic", "feedback")));
    assert_eq!(draft.resources[0].tokens.len(), 1);
}
