//! DNS records: DMARC field by field, who writes them, and into which zone.

use super::{Records, record};
use crate::it::stage::Stage;

fn domain(rest: &str) -> String {
    format!("[identities.\"pivot.app\"]\n{rest}")
}

async fn without_dkim(stage: &Stage, zone: &str) -> Records {
    let mut records = stage.records(zone).await;
    records.retain(|name, _| !name.contains("_domainkey"));
    records
}

#[tokio::test]
async fn every_field_of_dmarc_is_set_changed_and_unset() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(&domain("")).await;
    for (fields, text) in [
        ("policy = \"none\"", "v=DMARC1; p=none"),
        ("policy = \"quarantine\"", "v=DMARC1; p=quarantine"),
        ("policy = \"reject\", subdomain_policy = \"none\"", "v=DMARC1; p=reject; sp=none"),
        (
            "policy = \"reject\", subdomain_policy = \"quarantine\", non_existent_subdomain_policy = \"reject\"",
            "v=DMARC1; p=reject; sp=quarantine; np=reject",
        ),
        ("policy = \"reject\", testing = true", "v=DMARC1; p=reject; t=y"),
        (
            "policy = \"none\", reports_to = [\"dmarc@pivot.app\"]",
            "v=DMARC1; p=none; rua=mailto:dmarc@pivot.app",
        ),
        (
            "policy = \"none\", reports_to = [\"b@pivot.app\", \"a@pivot.app\"], \
             failure_reports_to = [\"forensic@pivot.app\"]",
            "v=DMARC1; p=none; rua=mailto:a@pivot.app,mailto:b@pivot.app; ruf=mailto:forensic@pivot.app",
        ),
        (
            "policy = \"none\", failure_reports_to = [\"forensic@pivot.app\"], failure_options = [\"any\", \"spf\"]",
            "v=DMARC1; p=none; ruf=mailto:forensic@pivot.app; fo=1:s",
        ),
        (
            "policy = \"none\", failure_reports_to = [\"forensic@pivot.app\"], failure_options = [\"dkim\"]",
            "v=DMARC1; p=none; ruf=mailto:forensic@pivot.app; fo=d",
        ),
        ("policy = \"none\", alignment = { dkim = \"strict\" }", "v=DMARC1; p=none; adkim=s"),
        (
            "policy = \"none\", alignment = { dkim = \"relaxed\", spf = \"relaxed\" }, public_suffix = \"no\"",
            "v=DMARC1; p=none; psd=n",
        ),
        ("policy = \"none\", public_suffix = \"yes\"", "v=DMARC1; p=none; psd=y"),
        ("policy = \"none\"", "v=DMARC1; p=none"),
    ] {
        stage.converge(&domain(&format!("dmarc = {{ {fields} }}"))).await;
        let wanted = [record("_dmarc.pivot.app TXT", text)].into();
        assert_eq!(without_dkim(&stage, &zone).await, wanted, "{fields}");
    }
    stage.converge(&domain("")).await;
    assert!(without_dkim(&stage, &zone).await.is_empty());
    stage.expect_dkim_records(&zone, "pivot.app").await;
}

#[tokio::test]
async fn strict_spf_goes_with_a_mail_from_of_that_name() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let with = |mode: &str| {
        domain(&format!(
            "mail_from = {{ subdomain = \"mail\" }}\ndmarc = {{ policy = \"none\", alignment = {{ spf = \"{mode}\" }} }}"
        ))
    };
    stage.converge(&with("strict")).await;
    let found = stage.records(&zone).await;
    assert!(found["_dmarc.pivot.app TXT"].contains("v=DMARC1; p=none; aspf=s"), "{found:?}");
    stage.converge(&with("relaxed")).await;
    let found = stage.records(&zone).await;
    assert!(found["_dmarc.pivot.app TXT"].contains("v=DMARC1; p=none"), "{found:?}");
}

#[tokio::test]
async fn who_writes_the_records_changes_hands() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let rest = "mail_from = { subdomain = \"mail\" }\ndmarc = { policy = \"none\" }";
    stage.converge(&domain(&format!("dns = \"manual\"\n{rest}"))).await;
    assert!(stage.all_records(&zone).await.is_empty());
    assert!(!stage.identity("pivot.app").await.verified_for_sending_status);
    stage.converge(&domain(&format!("dns = \"route53\"\n{rest}"))).await;
    assert_eq!(without_dkim(&stage, &zone).await.len(), 3);
    stage.expect_dkim_records(&zone, "pivot.app").await;
    assert!(stage.identity("pivot.app").await.verified_for_sending_status);
    stage.converge(&domain(&format!("dns = \"manual\"\n{rest}"))).await;
    assert!(stage.all_records(&zone).await.is_empty());
    stage.converge(&domain(rest)).await;
    assert_eq!(without_dkim(&stage, &zone).await.len(), 3);
}

#[tokio::test]
async fn records_move_to_the_zone_that_is_named() {
    let stage = Stage::new().await;
    let (upper, lower) = (stage.zone("pivot.app").await, stage.zone("mail.pivot.app").await);
    let file = |zone: &str| {
        format!("[identities.\"mail.pivot.app\"]\ndmarc = {{ policy = \"none\" }}\n{zone}")
    };
    for (line, full, empty) in [
        (String::new(), &lower, &upper),
        ("zone = \"pivot.app\"".to_owned(), &upper, &lower),
        (format!("zone = \"{lower}\""), &lower, &upper),
        (format!("zone = \"{upper}\""), &upper, &lower),
        (String::new(), &lower, &upper),
    ] {
        stage.converge(&file(&line)).await;
        assert_eq!(without_dkim(&stage, full).await.len(), 1, "{line}");
        stage.expect_dkim_records(full, "mail.pivot.app").await;
        assert!(stage.all_records(empty).await.is_empty(), "{line}");
    }
}

#[tokio::test]
async fn of_two_zones_of_one_name_the_file_chooses() {
    let stage = Stage::new().await;
    let first = stage.zone("pivot.app").await;
    let zones = aws_sdk_route53::Client::new(&stage.clients);
    let second = zones.create_hosted_zone().name("pivot.app").caller_reference("second");
    let second = second.send().await.unwrap().hosted_zone.unwrap().id;
    let second = second.trim_start_matches("/hostedzone/").to_owned();
    for (full, empty) in [(&first, &second), (&second, &first)] {
        stage.converge(&format!("[zones.\"pivot.app\"]\nid = \"{full}\"\n{}", domain(""))).await;
        stage.expect_dkim_records(full, "pivot.app").await;
        assert!(stage.all_records(empty).await.is_empty());
    }
}
