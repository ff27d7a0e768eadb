//! What is removed from a file is removed exactly, and what others made stays as it is.

use std::collections::BTreeMap;

use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

/// Everything there is, by what it is and its name. Our own tags are left out: they change with their children.
type World = BTreeMap<String, String>;

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}

async fn of_ses(stage: &Stage, world: &mut World) {
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    let theirs = |tags: &[aws_sdk_sesv2::types::Tag]| {
        let mut tags: Vec<_> =
            tags.iter().filter(|tag| !tag.key.starts_with("sesinfra:")).collect();
        tags.sort_by(|one, other| one.key.cmp(&other.key));
        format!("{tags:?}")
    };
    let identities = ses.list_email_identities().send().await.unwrap();
    for name in identities.email_identities().iter().filter_map(|one| one.identity_name()) {
        let found = ses.get_email_identity().email_identity(name).send().await.unwrap();
        let dkim = found.dkim_attributes().unwrap();
        let settings = format!(
            "{} {:?} {:?} {:?} {}",
            found.feedback_forwarding_status,
            (dkim.signing_enabled, dkim.tokens(), dkim.signing_attributes_origin()),
            found.mail_from_attributes(),
            found.configuration_set_name(),
            theirs(found.tags())
        );
        world.insert(format!("identity {name}"), settings);
        for (policy, document) in found.policies().into_iter().flatten() {
            world.insert(format!("policy {name}/{policy}"), document.clone());
        }
    }
    let listed = ses.list_configuration_sets().send().await.unwrap();
    for name in listed.configuration_sets() {
        let found = ses.get_configuration_set().configuration_set_name(name).send().await.unwrap();
        let settings = format!(
            "{:?} {:?} {:?} {:?} {}",
            found.delivery_options(),
            found.sending_options(),
            found.tracking_options(),
            found.suppression_options(),
            theirs(found.tags())
        );
        world.insert(format!("set {name}"), settings);
        let call = ses.get_configuration_set_event_destinations().configuration_set_name(name);
        for destination in call.send().await.unwrap().event_destinations() {
            world.insert(
                format!("destination {name}/{}", destination.name),
                format!("{destination:?}"),
            );
        }
    }
}

async fn of_messaging(stage: &Stage, world: &mut World) {
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    for topic in topics.list_topics().send().await.unwrap().topics() {
        let arn = topic.topic_arn().unwrap();
        let read = topics.get_topic_attributes().topic_arn(arn).send().await.unwrap();
        let mut attributes: BTreeMap<_, _> = read.attributes.unwrap().into_iter().collect();
        attributes.retain(|name, _| !name.starts_with("Subscriptions"));
        world.insert(format!("topic {arn}"), format!("{attributes:?}"));
        let listed = topics.list_subscriptions_by_topic().topic_arn(arn).send().await.unwrap();
        for one in listed.subscriptions() {
            let name = format!("{} {} {}", arn, one.protocol().unwrap(), one.endpoint().unwrap());
            world.insert(format!("subscription {name}"), format!("{:?}", one.subscription_arn()));
        }
    }
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    for url in queues.list_queues().send().await.unwrap().queue_urls() {
        let read = queues.get_queue_attributes().queue_url(url);
        let read = read.attribute_names(aws_sdk_sqs::types::QueueAttributeName::All);
        let attributes = read.send().await.unwrap().attributes.unwrap();
        let mut attributes: BTreeMap<_, _> =
            attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
        attributes
            .retain(|name, _| !name.ends_with("Timestamp") && !name.starts_with("Approximate"));
        world.insert(format!("queue {url}"), format!("{attributes:?}"));
    }
}

async fn of_senders(stage: &Stage, world: &mut World) {
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let local = aws_sdk_iam::types::PolicyScopeType::Local;
    for policy in iam.list_policies().scope(local).send().await.unwrap().policies() {
        let arn = policy.arn().unwrap();
        let version = policy.default_version_id().unwrap();
        let read = iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let document = read.unwrap().policy_version.unwrap().document.unwrap();
        world.insert(format!("send policy {arn}"), document);
        let held = iam.list_entities_for_policy().policy_arn(arn).send().await.unwrap();
        for role in held.policy_roles() {
            world.insert(format!("attachment {arn} {}", role.role_name().unwrap()), String::new());
        }
    }
}

async fn of_dns(stage: &Stage, world: &mut World) {
    let zones = aws_sdk_route53::Client::new(&stage.clients);
    for zone in zones.list_hosted_zones().send().await.unwrap().hosted_zones() {
        let listed = zones.list_resource_record_sets().hosted_zone_id(zone.id()).send().await;
        for set in listed.unwrap().resource_record_sets() {
            for record in set.resource_records() {
                let name = format!("record {} {} {}", set.name, set.r#type.as_str(), record.value);
                world.insert(name, format!("{:?}", set.ttl));
            }
        }
    }
}

async fn world(stage: &Stage) -> World {
    let mut world = World::new();
    of_ses(stage, &mut world).await;
    of_messaging(stage, &mut world).await;
    of_senders(stage, &mut world).await;
    of_dns(stage, &mut world).await;
    world
}

/// What is gone, and what is new or another.
fn difference(before: &World, after: &World) -> (Vec<String>, Vec<String>) {
    let gone = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    let other = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    (gone, other.map(|(name, _)| name.clone()).collect())
}

const DOMAINS: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
policies.partner = { principals = ["210987654321"] }
"#;
const SECOND_DOMAIN: &str = r#"
[identities."pivot.dev"]
dmarc = { policy = "none" }
mail_from = { subdomain = "mail" }
"#;
const DMARC: &str = "dmarc = { policy = \"reject\", reports_to = [\"dmarc@pivot.app\"] }\n";
const SET: &str =
    "[configuration_sets.main]\nevents.feedback = { types = [\"bounce\"], topic = \"feedback\" }\n";
const SECOND_DESTINATION: &str =
    "events.second = { types = [\"send\"], event_bus = \"default\" }\n";
const SUBSCRIBER: &str = "{ queue = \"arn:aws:sqs:us-east-1:123456789012:theirs\" }";

/// The whole file, with or without the parts that tests remove.
fn file(second_domain: &str, dmarc: &str, destination: &str, subscriber: &str) -> String {
    format!(
        "{DOMAINS}{dmarc}{second_domain}{SET}{destination}\n\
         [topics.feedback]\nsubscriptions = [{{ queue = \"inbox\" }}, {{ email = \"ops@pivot.app\" }}, {subscriber}]\n\
         [queues.inbox]\n[send_policies.api]\nfrom = [\"*@pivot.app\"]\nattach = {{ roles = [\"api\"] }}\n"
    )
}

/// What others have: zones, a role, a queue, an identity, a set, a topic, and records beside ours.
async fn others(stage: &Stage) -> String {
    let zone = stage.zone("pivot.app").await;
    stage.zone("pivot.dev").await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name("api").assume_role_policy_document(trust).send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    queues.create_queue().queue_name("theirs").send().await.unwrap();
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    topics.create_topic().name("theirs").send().await.unwrap();
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    ses.create_email_identity().email_identity("theirs.example").send().await.unwrap();
    ses.create_email_identity().email_identity("team.pivot.app").send().await.unwrap();
    ses.create_configuration_set().configuration_set_name("theirs").send().await.unwrap();
    for (name, kind, value) in [
        ("pivot.app", "TXT", "\"v=spf1 include:_spf.google.com ~all\""),
        ("pivot.app", "MX", "1 smtp.google.com"),
        ("mail.pivot.app", "TXT", "\"google-site-verification=abc\""),
        ("theirs._domainkey.pivot.app", "TXT", "\"p=MIIB\""),
        ("www.pivot.app", "A", "192.0.2.1"),
    ] {
        stage.publish(&zone, name, kind, &[value]).await;
    }
    zone
}

async fn goes_exactly(without: &str, wanted: impl Fn(&str) -> bool, changed: &[&str]) {
    let stage = Stage::new().await;
    others(&stage).await;
    stage.converge(&file(SECOND_DOMAIN, DMARC, SECOND_DESTINATION, SUBSCRIBER)).await;
    let before = world(&stage).await;
    stage.converge(without).await;
    let (gone, other) = difference(&before, &world(&stage).await);
    let wanted: Vec<_> = before.keys().filter(|name| wanted(name)).cloned().collect();
    assert!(!wanted.is_empty());
    assert_eq!(gone, wanted);
    let is_expected = |name: &&String| !changed.iter().any(|start| name.starts_with(start));
    let unexpected: Vec<_> = other.iter().filter(is_expected).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

#[tokio::test]
async fn a_domain_goes_exactly() {
    let is_of_it = |name: &str| {
        name == "identity pivot.dev"
            || name.starts_with("record ")
                && name.contains("pivot.dev.")
                && !name.contains(" NS ")
                && !name.contains(" SOA ")
    };
    goes_exactly(&file("", DMARC, SECOND_DESTINATION, SUBSCRIBER), is_of_it, &[]).await;
}

#[tokio::test]
async fn a_destination_goes_exactly() {
    let without = file(SECOND_DOMAIN, DMARC, "", SUBSCRIBER);
    goes_exactly(&without, |name| name == "destination main/second", &[]).await;
}

#[tokio::test]
async fn a_subscriber_goes_exactly() {
    let without = file(SECOND_DOMAIN, DMARC, SECOND_DESTINATION, "");
    let is_it = |name: &str| name.starts_with("subscription ") && name.ends_with(":theirs");
    goes_exactly(&without, is_it, &[]).await;
}

#[tokio::test]
async fn a_dmarc_record_goes_exactly() {
    let without = file(SECOND_DOMAIN, "", SECOND_DESTINATION, SUBSCRIBER);
    // The claim beside the records no longer has it.
    let is_it = |name: &str| {
        name.starts_with("record _dmarc.pivot.app.")
            || name.starts_with("record _sesinfra.pivot.app.")
    };
    goes_exactly(&without, is_it, &["record _sesinfra.pivot.app."]).await;
}

#[tokio::test]
async fn everything_of_ours_goes_and_everything_of_others_stays() {
    let stage = Stage::new().await;
    let zone = others(&stage).await;
    let before = world(&stage).await;
    stage.converge(&file(SECOND_DOMAIN, DMARC, SECOND_DESTINATION, SUBSCRIBER)).await;
    // A person wants the events too, and a value is added to a set that is half ours.
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let person = topics.subscribe().topic_arn(arn("sns", "feedback")).protocol("email");
    person.endpoint("ann@pivot.app").return_subscription_arn(true).send().await.unwrap();
    let second =
        ["\"v=spf1 include:amazonses.com ~all\"", "\"google-site-verification=abc\"", "\"x=1\""];
    stage.publish(&zone, "mail.pivot.app", "TXT", &second).await;
    // Without the rest of our resources, the topic and what hangs on it stay.
    stage.converge("[topics.feedback]").await;
    let listed = topics.list_subscriptions_by_topic().topic_arn(arn("sns", "feedback"));
    let listed = listed.send().await.unwrap();
    let left: Vec<_> = listed.subscriptions().iter().filter_map(|it| it.endpoint()).collect();
    assert!(left.contains(&"ann@pivot.app") && !left.contains(&"theirs"), "{left:?}");
    stage.converge("").await;
    let (gone, other) = difference(&before, &world(&stage).await);
    assert!(gone.is_empty(), "{gone:?}");
    assert_eq!(other, ["record mail.pivot.app. TXT \"x=1\""]);
}
