//! Route 53 refuses what AWS refuses.

use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, administrator, cloud, code};

struct Zone {
    cloud: Cloud,
    client: Client,
    id: String,
}

impl Zone {
    async fn new(options: Options) -> Self {
        let cloud = cloud(options).await;
        let client = Client::new(&administrator(&cloud, ACCOUNT));
        let made = client
            .create_hosted_zone()
            .name("pivot.app")
            .caller_reference("1")
            .send()
            .await
            .unwrap();
        let id = made.hosted_zone().unwrap().id().to_owned();
        Self { cloud, client, id }
    }

    /// The message of the refusal, or `done`.
    async fn change(&self, changes: Vec<Change>) -> String {
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build().unwrap();
        match self
            .client
            .change_resource_record_sets()
            .hosted_zone_id(&self.id)
            .change_batch(batch)
            .send()
            .await
        {
            Ok(_) => "done".to_owned(),
            Err(error) => {
                let error = error.into_service_error();
                format!(
                    "{}: {}",
                    error.meta().code().unwrap(),
                    error.meta().message().unwrap_or_default()
                )
            }
        }
    }

    async fn records(&self) -> Vec<String> {
        let listed =
            self.client.list_resource_record_sets().hosted_zone_id(&self.id).send().await.unwrap();
        listed
            .resource_record_sets()
            .iter()
            .map(|set| format!("{} {}", set.name(), set.r#type().as_str()))
            .collect()
    }
}

fn change(action: ChangeAction, name: &str, kind: RrType, values: &[&str]) -> Change {
    let values = values
        .iter()
        .map(|value| ResourceRecord::builder().value(*value).build().unwrap())
        .collect();
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(kind)
        .ttl(300)
        .set_resource_records(Some(values))
        .build();
    Change::builder().action(action).resource_record_set(set.unwrap()).build().unwrap()
}

fn create(name: &str, kind: RrType, values: &[&str]) -> Change {
    change(ChangeAction::Create, name, kind, values)
}

#[tokio::test]
async fn a_batch_is_a_compare_and_swap() {
    let zone = Zone::new(Options::default()).await;
    assert_eq!(zone.change(vec![create("a.pivot.app", RrType::Txt, &["\"1\""])]).await, "done");
    let exists = zone.change(vec![create("A.Pivot.App.", RrType::Txt, &["\"2\""])]).await;
    assert!(exists.contains("Tried to create resource record set [name='a.pivot.app.', type='TXT'] but it already exists"), "{exists}");
    let other = zone
        .change(vec![change(ChangeAction::Delete, "a.pivot.app", RrType::Txt, &["\"2\""])])
        .await;
    assert!(other.contains("but the values provided do not match the current values"), "{other}");
    let missing = zone
        .change(vec![change(ChangeAction::Delete, "b.pivot.app", RrType::Txt, &["\"2\""])])
        .await;
    assert!(missing.contains("but it was not found"), "{missing}");
    let swap = vec![
        change(ChangeAction::Delete, "a.pivot.app", RrType::Txt, &["\"1\""]),
        create("a.pivot.app", RrType::Txt, &["\"1\"", "\"2\""]),
    ];
    assert_eq!(zone.change(swap).await, "done");
}

#[tokio::test]
async fn a_refused_batch_changes_nothing() {
    let zone = Zone::new(Options::default()).await;
    let before = zone.records().await;
    let batch = vec![
        create("a.pivot.app", RrType::Txt, &["\"1\""]),
        change(ChangeAction::Delete, "b.pivot.app", RrType::Txt, &["\"2\""]),
    ];
    assert_ne!(zone.change(batch).await, "done");
    assert_eq!(zone.records().await, before);
}

#[tokio::test]
async fn a_cname_shares_its_name_with_nothing() {
    let zone = Zone::new(Options::default()).await;
    let apex = zone.change(vec![create("pivot.app", RrType::Cname, &["a.example.com"])]).await;
    assert!(apex.contains("not permitted"), "{apex}");
    assert_eq!(zone.change(vec![create("a.pivot.app", RrType::Txt, &["\"1\""])]).await, "done");
    let beside = zone.change(vec![create("a.pivot.app", RrType::Cname, &["a.example.com"])]).await;
    assert!(
        beside.contains("conflicts with other records with the same DNS name in zone pivot.app."),
        "{beside}"
    );
    let swap = vec![
        change(ChangeAction::Delete, "a.pivot.app", RrType::Txt, &["\"1\""]),
        create("a.pivot.app", RrType::Cname, &["a.example.com"]),
    ];
    assert_eq!(zone.change(swap).await, "done");
    let under = zone.change(vec![create("a.pivot.app", RrType::Mx, &["10 a.example.com"])]).await;
    assert!(under.contains("conflicts"), "{under}");
}

#[tokio::test]
async fn values_have_their_form() {
    let zone = Zone::new(Options::default()).await;
    let long = format!("\"{}\"", "x".repeat(256));
    let answer = zone.change(vec![create("a.pivot.app", RrType::Txt, &[&long])]).await;
    assert!(answer.contains("CharacterStringTooLong (Value is too long)"), "{answer}");
    for (kind, value) in [
        (RrType::Txt, "unquoted"),
        (RrType::Mx, "a.example.com"),
        (RrType::Cname, "a b"),
        (RrType::A, "1.2.3"),
    ] {
        let answer = zone.change(vec![create("a.pivot.app", kind, &[value])]).await;
        assert!(answer.starts_with("InvalidChangeBatch"), "{value}: {answer}");
    }
    let twice = zone.change(vec![create("a.pivot.app", RrType::Txt, &["\"1\"", "\"1\""])]).await;
    assert!(twice.contains("Duplicate"), "{twice}");
    let outside = zone.change(vec![create("a.other.app", RrType::Txt, &["\"1\""])]).await;
    assert!(
        outside.contains("RRSet with DNS name a.other.app. is not permitted in zone pivot.app."),
        "{outside}"
    );
}

#[tokio::test]
async fn a_batch_has_limits() {
    let zone = Zone::new(Options::default()).await;
    let many = |action: &ChangeAction, count: usize| {
        (0..count)
            .map(|number| {
                change(action.clone(), &format!("a{number}.pivot.app"), RrType::Txt, &["\"1\""])
            })
            .collect()
    };
    assert!(zone.change(many(&ChangeAction::Create, 1001)).await.contains("1000"));
    assert!(zone.change(many(&ChangeAction::Upsert, 501)).await.contains("1000"));
    assert_eq!(zone.change(many(&ChangeAction::Create, 1000)).await, "done");
    let long = format!("\"{}\" \"{}\"", "x".repeat(255), "y".repeat(240));
    let wide = (0..80)
        .map(|number| create(&format!("b{number}.pivot.app"), RrType::Txt, &[&long]))
        .collect();
    assert!(zone.change(wide).await.contains("32000"));
}

#[tokio::test]
async fn names_come_back_as_route_53_shows_them() {
    let zone = Zone::new(Options::default()).await;
    assert_eq!(
        zone.change(vec![create("*.Mail.pivot.app", RrType::Txt, &["\"1\""])]).await,
        "done"
    );
    assert!(zone.records().await.contains(&"\\052.mail.pivot.app. TXT".to_owned()));
    let again = zone.change(vec![create("\\052.mail.pivot.app.", RrType::Txt, &["\"1\""])]).await;
    assert!(again.contains("already exists"), "{again}");
    let from = zone
        .client
        .list_resource_record_sets()
        .hosted_zone_id(&zone.id)
        .start_record_name("*.mail.pivot.app");
    let found = from.start_record_type(RrType::Txt).max_items(1).send().await.unwrap();
    assert_eq!(found.resource_record_sets()[0].name(), "\\052.mail.pivot.app.");
    let lone = zone
        .client
        .list_resource_record_sets()
        .hosted_zone_id(&zone.id)
        .start_record_type(RrType::Txt);
    assert_eq!(code(lone.send().await), "InvalidInput");
}

#[tokio::test]
async fn a_zone_takes_one_change_at_a_time() {
    let zone =
        Zone::new(Options { pending_changes: Duration::from_secs(30), ..Options::default() }).await;
    let batch = ChangeBatch::builder()
        .changes(create("a.pivot.app", RrType::Txt, &["\"1\""]))
        .build()
        .unwrap();
    let made = zone
        .client
        .change_resource_record_sets()
        .hosted_zone_id(&zone.id)
        .change_batch(batch)
        .send()
        .await
        .unwrap();
    let id = made.change_info().unwrap().id().to_owned();
    let status = async || {
        let change = zone.client.get_change().id(&id).send().await.unwrap();
        change.change_info().unwrap().status().clone()
    };
    assert_eq!(status().await, ChangeStatus::Pending);
    let second = zone.change(vec![create("b.pivot.app", RrType::Txt, &["\"1\""])]).await;
    assert!(second.starts_with("PriorRequestNotComplete"), "{second}");
    zone.cloud.advance(Duration::from_secs(31));
    assert_eq!(status().await, ChangeStatus::Insync);
    assert_eq!(zone.change(vec![create("b.pivot.app", RrType::Txt, &["\"1\""])]).await, "done");
}
