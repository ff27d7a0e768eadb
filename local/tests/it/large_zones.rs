//! A zone of ten thousand records of others in which a few are ours: what is ours is found in a handful of calls.

use std::collections::BTreeMap;

use fakecloud_route53::model::{ResourceRecord, ResourceRecordSet, ResourceRecords};
use serde_json::Value;
use sesinfra::engine::{Address, Plan};

use crate::it::account::ACCOUNT;
use crate::it::stage::Stage;

/// The zone's own name, which is a domain of ours too, and one below it.
const OURS: &str = r#"
[identities."pivot.app"]
mail_from = { subdomain = "bounce" }
dmarc = { policy = "none" }
[identities."n5000.pivot.app"]
dmarc = { policy = "none" }
"#;

/// Names of others, before, between and after ours.
const OTHERS: usize = 10_000;

/// Puts records of others into a zone, without a call.
fn fill(stage: &Stage, id: &str) {
    let mut accounts = stage.cloud.world().route53.write();
    let account = accounts.accounts.get_mut(ACCOUNT).unwrap();
    let zone = account.hosted_zones.get_mut(id).unwrap();
    zone.resource_record_sets.extend((0..OTHERS).map(|number| ResourceRecordSet {
        name: format!("n{number:04}.pivot.app."),
        record_type: "A".to_owned(),
        ttl: Some(300),
        resource_records: Some(ResourceRecords {
            resource_record: vec![ResourceRecord { value: "192.0.2.1".to_owned() }],
        }),
        ..ResourceRecordSet::default()
    }));
}

/// The records of all domains in a plan, as found.
fn found(plan: &Plan) -> BTreeMap<Address, Value> {
    let records = plan.changes.iter().filter(|change| change.address.kind() == "dns");
    records
        .filter_map(|change| Some((change.address.clone(), Value::clone(change.from.as_deref()?))))
        .collect()
}

#[tokio::test]
async fn ours_are_found_among_ten_thousand_in_a_handful_of_calls() {
    let stage = Stage::new().await;
    let id = stage.zone("pivot.app").await;
    // In a small zone all of it is read.
    stage.converge(OURS).await;
    let small = found(&stage.open(OURS).await.plan().await.unwrap());
    fill(&stage, &id);

    let log = stage.cloud.calls();
    log.clear();
    let large = stage.open(OURS).await.plan().await.unwrap();
    assert!(large.is_empty(), "{:#?}", large.pending().collect::<Vec<_>>());
    assert_eq!(found(&large), small);
    let pages = log.count("route53:ListResourceRecordSets");
    assert!(pages <= 6, "{pages} pages");

    // A record that is changed by hand is seen and put back, in as few.
    let changed = OURS.replace("policy = \"none\"", "policy = \"reject\"");
    log.clear();
    stage.converge(&changed).await;
    let pages = log.count("route53:ListResourceRecordSets");
    assert!(pages <= 4 * 6, "{pages} pages");

    // What is no longer declared goes, although only its identity's marks still name the zone.
    stage.converge("").await;
    let accounts = stage.cloud.world().route53.read();
    let left = &accounts.get(ACCOUNT).unwrap().hosted_zones[&id].resource_record_sets;
    assert_eq!(left.len(), OTHERS + 2, "all of others, SOA and NS");
}
