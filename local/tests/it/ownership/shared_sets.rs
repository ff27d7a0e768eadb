//! Record sets that others write to at the same time: no value of theirs is lost, and none of ours.

use aws_sdk_route53::types as dns;
use sesinfra_local::{Effect, Fault};

use crate::it::project::Project;

const DOMAIN: &str = "[identities.\"pivot.app\"]\nmail_from = { subdomain = \"bounce\" }\n";
const NAME: &str = "bounce.pivot.app.";

async fn set(zones: &aws_sdk_route53::Client, zone: &str) -> Option<dns::ResourceRecordSet> {
    let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let is_it = |set: &dns::ResourceRecordSet| set.name == NAME && set.r#type == dns::RrType::Txt;
    listed.resource_record_sets.into_iter().find(is_it)
}

/// Adds a value to the texts at the MAIL FROM name, as somebody careful does who knows nothing of us.
async fn add(zones: &aws_sdk_route53::Client, zone: &str, value: &str) {
    let change = |action, set| {
        dns::Change::builder().action(action).resource_record_set(set).build().unwrap()
    };
    loop {
        let found = set(zones, zone).await;
        let of_found = found.as_ref().and_then(|set| set.resource_records.clone());
        let mut values = of_found.unwrap_or_default();
        values.push(dns::ResourceRecord::builder().value(value).build().unwrap());
        let set = dns::ResourceRecordSet::builder()
            .name(NAME)
            .r#type(dns::RrType::Txt)
            .ttl(300)
            .set_resource_records(Some(values));
        let gone = found.map(|set| change(dns::ChangeAction::Delete, set));
        let made = change(dns::ChangeAction::Create, set.build().unwrap());
        let changes = gone.into_iter().chain([made]).collect();
        let batch = dns::ChangeBatch::builder().set_changes(Some(changes)).build().unwrap();
        let call = zones.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
        match call.send().await.map_err(aws_sdk_route53::Error::from) {
            Ok(_) => return,
            // Ours came first: the set is no longer as it was found.
            Err(aws_sdk_route53::Error::InvalidChangeBatch(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn values(zones: &aws_sdk_route53::Client, zone: &str) -> Vec<String> {
    let found = set(zones, zone).await.and_then(|set| set.resource_records).unwrap_or_default();
    found.into_iter().map(|record| record.value).collect()
}

/// Somebody writes while a batch of ours is under way; returns whether Route 53 refused that batch, as it must when it was
/// worked out before.
async fn meanwhile(project: &Project, zone: &str, arguments: &[&str], value: &str) -> bool {
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let log = project.cloud.calls();
    log.clear();
    let action = "route53:ChangeResourceRecordSets";
    project.cloud.faults().arm(Fault::nth(action, 1, Effect::Throttle));
    let writer = async {
        project.cloud.faults().struck().await;
        add(&zones, zone, value).await;
    };
    let (ran, ()) = tokio::join!(project.run(arguments), writer);
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
    let refused =
        |entry: &sesinfra_local::Entry| entry.error.as_deref() == Some("InvalidChangeBatch");
    log.entries().iter().any(refused)
}

#[tokio::test]
async fn values_that_others_write_meanwhile_survive_publishing_and_retiring() {
    let project = Project::with("shared-sets", DOMAIN).await;
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let zone = zones.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let zone = zone.trim_start_matches("/hostedzone/").to_owned();
    add(&zones, &zone, "\"before\"").await;
    let spf = "\"v=spf1 include:amazonses.com ~all\"";
    let mut refusals = 0;
    for round in 0..3 {
        let (first, second) = (format!("\"up {round}\""), format!("\"down {round}\""));
        let apply = ["apply", "prod", "--yes"];
        refusals += usize::from(meanwhile(&project, &zone, &apply, &first).await);
        let found = values(&zones, &zone).await;
        for value in ["\"before\"", spf, &first] {
            assert!(found.iter().any(|it| it == value), "no {value} in {found:?}");
        }
        project.expect_nothing("prod").await;
        let destroy = ["destroy", "prod", "--yes"];
        refusals += usize::from(meanwhile(&project, &zone, &destroy, &second).await);
        let found = values(&zones, &zone).await;
        for value in ["\"before\"", &first, &second] {
            assert!(found.iter().any(|it| it == value), "no {value} in {found:?}");
        }
        assert!(!found.iter().any(|it| it == spf), "{found:?}");
    }
    assert!(refusals > 0, "somebody was always too late to be in the way");
}
