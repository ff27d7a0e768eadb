//! Zones that are out of reach, and what is left in zones of something earlier.

use aws_sdk_route53::types as dns;

use crate::it::marks::Tagged;
use crate::it::project::Project;
use sesinfra_local::{Effect, Fault};

const DOMAIN: &str = "[identities.\"pivot.app\"]\ndmarc = { policy = \"none\" }\n";

async fn zone(project: &Project, reference: &str) -> String {
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let call = zones.create_hosted_zone().name("pivot.app").caller_reference(reference);
    let made = call.send().await.unwrap().hosted_zone.unwrap();
    made.id.trim_start_matches("/hostedzone/").to_owned()
}

async fn names(project: &Project, zone: &str) -> Vec<String> {
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    listed.resource_record_sets.into_iter().map(|set| set.name).collect()
}

#[tokio::test]
async fn a_zone_that_is_out_of_reach_is_let_go_of_and_its_records_stay() {
    let project = Project::new("zones-abandoned").await;
    let (old, new) = (zone(&project, "old").await, zone(&project, "new").await);
    let file = |zone: &str| format!("{DOMAIN}zone = \"{zone}\"\n");
    let moved = |zone: &str| DOMAIN.replace("]\ndmarc", &format!("]\nzone = \"{zone}\"\ndmarc"));
    assert_ne!(file(&old), moved(&old));
    project.write("prod", &moved(&old));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let before = names(&project, &old).await;
    assert!(before.contains(&"_sesinfra.pivot.app.".to_owned()), "{before:?}");
    project.write("prod", &moved(&new));
    let deny = Fault::from_nth("route53:ListResourceRecordSets", 1, Effect::Deny);
    project.cloud.faults().arm(deny);
    let ran = project.expect(1, &["plan", "prod"]).await;
    assert!(ran.errors.contains("let go of it: --abandon-zone "), "{}", ran.errors);
    project.cloud.faults().clear();
    let ran = project.expect(1, &["plan", "prod", "--abandon-zone", &new]).await;
    assert!(ran.errors.contains("are wanted in the zone"), "{}", ran.errors);
    let log = project.cloud.calls();
    log.clear();
    let ran = project.expect(0, &["apply", "prod", "--yes", "--abandon-zone", &old]).await;
    let said = format!("the zone {old} is let go of");
    assert!(ran.output.contains(&said), "{}", ran.output);
    assert_eq!(names(&project, &old).await, before, "what was published there stays");
    let tags = Tagged::new(&project.clients(), "identity", "pivot.app").tags().await.unwrap();
    assert_eq!(tags["sesinfra:children"], format!("zone:{new}"));
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn records_of_an_earlier_identity_are_said_and_left() {
    let project = Project::with("zones-leftovers", DOMAIN).await;
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let id = zones.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let name = "abcdefghijklmnopqrstuvwxyz234567._domainkey.pivot.app";
    let value = "abcdefghijklmnopqrstuvwxyz234567.dkim.amazonses.com";
    let set = dns::ResourceRecordSet::builder()
        .name(name)
        .r#type(dns::RrType::Cname)
        .ttl(300)
        .resource_records(dns::ResourceRecord::builder().value(value).build().unwrap())
        .build()
        .unwrap();
    let change = dns::Change::builder()
        .action(dns::ChangeAction::Create)
        .resource_record_set(set)
        .build()
        .unwrap();
    let batch = dns::ChangeBatch::builder().changes(change).build().unwrap();
    let call = zones.change_resource_record_sets().hosted_zone_id(&id).change_batch(batch);
    call.send().await.unwrap();
    for _ in 0..2 {
        let plan = project.expect(0, &["plan", "prod"]).await;
        let said = format!("left alone, since no claim holds them: {name}");
        assert!(plan.output.contains(&said), "{}", plan.output);
        project.expect(0, &["apply", "prod", "--yes"]).await;
    }
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    assert!(names(&project, &id).await.contains(&format!("{name}.")));
}
