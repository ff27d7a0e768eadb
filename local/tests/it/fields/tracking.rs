//! The domain of tracked links, through the very identity whose default set it is.

use std::time::Duration;

use aws_sdk_sesv2::types::{HttpsPolicy, TrackingOptions};

use super::{Records, address, reasons, record};
use crate::it::stage::Stage;

/// The identity's default set tracks through that identity's domain.
fn file(tracking: &str) -> String {
    format!(
        "[identities.\"pivot.app\"]\nconfiguration_set = \"main\"\n[configuration_sets.main]\n{tracking}\n"
    )
}

async fn cnames(stage: &Stage, zone: &str) -> Records {
    let mut records = stage.records(zone).await;
    records.retain(|name, _| !name.contains("_domainkey"));
    records
}

#[tokio::test]
async fn tracking_is_set_changed_and_unset() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let aws = "r.us-east-1.awstrack.me";
    for (text, domain, https, target) in [
        ("", None, None, None),
        (
            "tracking = { domain = \"click.pivot.app\" }",
            Some("click.pivot.app"),
            Some(HttpsPolicy::Optional),
            Some(aws),
        ),
        (
            "tracking = { domain = \"click.pivot.app\", https = \"require\", target = \"d1.cloudfront.net\" }",
            Some("click.pivot.app"),
            Some(HttpsPolicy::Require),
            Some("d1.cloudfront.net"),
        ),
        (
            "tracking = { domain = \"links.pivot.app\", https = \"require-open-only\", target = \"d2.cloudfront.net\" }",
            Some("links.pivot.app"),
            Some(HttpsPolicy::RequireOpenOnly),
            Some("d2.cloudfront.net"),
        ),
        (
            "tracking = { domain = \"links.pivot.app\", dns = \"manual\" }",
            Some("links.pivot.app"),
            Some(HttpsPolicy::Optional),
            None,
        ),
        (
            "tracking = { domain = \"links.pivot.app\", dns = \"route53\" }",
            Some("links.pivot.app"),
            Some(HttpsPolicy::Optional),
            Some(aws),
        ),
        ("", None, None, None),
    ] {
        stage.converge(&file(text)).await;
        let set = stage.set("main").await;
        let options = set.tracking_options();
        assert_eq!(options.map(TrackingOptions::custom_redirect_domain), domain, "{text}");
        let found = options.and_then(|it| it.https_policy().cloned());
        assert_eq!(found, https, "{text}");
        let wanted: Records = domain
            .zip(target)
            .map(|(domain, target)| record(&format!("{domain} CNAME"), target))
            .into_iter()
            .collect();
        assert_eq!(cnames(&stage, &zone).await, wanted, "{text}");
        let default = stage.identity("pivot.app").await;
        assert_eq!(default.configuration_set_name(), Some("main"), "{text}");
    }
    stage.converge("").await;
    assert!(stage.all_records(&zone).await.is_empty());
}

#[tokio::test]
async fn everything_at_once_applies_and_goes() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let file = file("tracking = { domain = \"click.pivot.app\" }");
    stage.converge(&file).await;
    let set = stage.set("main").await;
    assert_eq!(set.tracking_options().unwrap().custom_redirect_domain(), "click.pivot.app");
    stage.converge("").await;
    assert!(stage.all_records(&zone).await.is_empty());
    assert!(
        stage.ses().list_email_identities().send().await.unwrap().email_identities().is_empty()
    );
    let sets = stage.ses().list_configuration_sets().send().await.unwrap();
    assert!(sets.configuration_sets().is_empty());
}

#[tokio::test]
async fn two_sets_share_a_domain_and_one_lets_go() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let tracking = "tracking = { domain = \"click.pivot.app\" }\n";
    let one = file(tracking);
    stage.converge(&format!("{one}[configuration_sets.second]\n{tracking}")).await;
    let second = stage.set("second").await;
    assert_eq!(second.tracking_options().unwrap().custom_redirect_domain(), "click.pivot.app");
    for (main, second) in [(tracking, ""), (tracking, tracking), ("", tracking), ("", "")] {
        stage.converge(&format!("{}[configuration_sets.second]\n{second}", file(main))).await;
        let wanted = usize::from(!(main.is_empty() && second.is_empty()));
        assert_eq!(cnames(&stage, &zone).await.len(), wanted, "{main}/{second}");
    }
}

#[tokio::test]
async fn tracking_waits_until_the_domain_is_verified() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.cloud.change(|options| options.verification = Duration::from_mins(5));
    let file = file("tracking = { domain = \"click.pivot.app\" }");
    let (_, report) = stage.open(&file).await.apply().await;
    let text = reasons(&report);
    assert!(!report.has_failures() && text.contains("tracking.main waits"), "{text}");
    let plan = stage.open(&file).await.plan().await.unwrap();
    let change = plan.change(&address("tracking.main")).unwrap();
    assert!(change.deferred.is_some(), "{change:?}");
    stage.cloud.advance(Duration::from_mins(6));
    stage.identity("pivot.app").await;
    stage.converge(&file).await;
    assert!(stage.set("main").await.tracking_options().is_some());
}
