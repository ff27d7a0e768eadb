//! MAIL FROM: its name, what happens without its MX record, and what becomes of a search that was given up.

use std::time::Duration;

use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure as Behavior, MailFromAttributes, MailFromDomainStatus,
};

use super::{address, reasons, record};
use crate::it::stage::Stage;

const MX: &str = "10 feedback-smtp.us-east-1.amazonses.com";
const SPF: &str = "v=spf1 include:amazonses.com ~all";

fn domain(rest: &str) -> String {
    format!("[identities.\"pivot.app\"]\n{rest}")
}

async fn found(stage: &Stage) -> MailFromAttributes {
    stage.identity("pivot.app").await.mail_from_attributes.unwrap()
}

async fn expect(stage: &Stage, zone: &str, name: Option<&str>, behavior: Behavior) {
    let mail_from = found(stage).await;
    assert_eq!(mail_from.mail_from_domain(), name.unwrap_or_default());
    assert_eq!(*mail_from.behavior_on_mx_failure(), behavior);
    let mut records = stage.records(zone).await;
    records.retain(|name, _| !name.contains("_domainkey"));
    let wanted =
        name.map(|name| [record(&format!("{name} MX"), MX), record(&format!("{name} TXT"), SPF)]);
    assert_eq!(records, wanted.into_iter().flatten().collect());
}

#[tokio::test]
async fn a_mail_from_is_set_changed_and_unset() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    for (line, name, behavior) in [
        ("", None, Behavior::UseDefaultValue),
        ("mail_from = { subdomain = \"mail\" }", Some("mail.pivot.app"), Behavior::UseDefaultValue),
        (
            "mail_from = { subdomain = \"mail\", on_mx_failure = \"reject\" }",
            Some("mail.pivot.app"),
            Behavior::RejectMessage,
        ),
        (
            "mail_from = { subdomain = \"bounce.in.pivot.app\", on_mx_failure = \"reject\" }",
            Some("bounce.in.pivot.app"),
            Behavior::RejectMessage,
        ),
        (
            "mail_from = { subdomain = \"bounce.in.pivot.app\", on_mx_failure = \"use-default\" }",
            Some("bounce.in.pivot.app"),
            Behavior::UseDefaultValue,
        ),
        (
            "mail_from = { subdomain = \"mail\", on_mx_failure = \"reject\" }",
            Some("mail.pivot.app"),
            Behavior::RejectMessage,
        ),
        ("", None, Behavior::UseDefaultValue),
    ] {
        stage.converge(&domain(line)).await;
        expect(&stage, &zone, name, behavior).await;
    }
}

#[tokio::test]
async fn mail_is_refused_for_want_of_a_record_only_once_it_was_found() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.cloud.change(|options| options.verification = Duration::from_mins(5));
    let file = domain("mail_from = { subdomain = \"mail\", on_mx_failure = \"reject\" }");
    let (_, report) = stage.open(&file).await.apply().await;
    let text = reasons(&report);
    assert!(!report.has_failures(), "{text}");
    assert!(text.contains("mail_from.pivot.app waits"), "{text}");
    expect(&stage, &zone, Some("mail.pivot.app"), Behavior::UseDefaultValue).await;
    let plan = stage.open(&file).await.plan().await.unwrap();
    let change = plan.change(&address("mail_from.pivot.app")).unwrap();
    assert!(change.deferred.as_ref().is_some_and(|it| it.contains("MX record")), "{change:?}");
    stage.cloud.advance(Duration::from_mins(6));
    stage.identity("pivot.app").await;
    stage.converge(&file).await;
    expect(&stage, &zone, Some("mail.pivot.app"), Behavior::RejectMessage).await;
}

#[tokio::test]
async fn a_search_that_was_given_up_is_begun_again() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    for behavior in ["use-default", "reject"] {
        let file = domain(&format!(
            "dns = \"manual\"\nmail_from = {{ subdomain = \"mail\", on_mx_failure = \"{behavior}\" }}"
        ));
        let (_, report) = stage.open(&file).await.apply().await;
        assert!(!report.has_failures(), "{}", reasons(&report));
        found(&stage).await;
        stage.cloud.advance(Duration::from_hours(80));
        assert_eq!(*found(&stage).await.mail_from_domain_status(), MailFromDomainStatus::Failed);
        // Nothing but another Put makes SES look again, whatever is published meanwhile.
        stage.publish(&zone, "mail.pivot.app", "MX", &[MX]).await;
        assert_eq!(*found(&stage).await.mail_from_domain_status(), MailFromDomainStatus::Failed);
        let plan = stage.converge(&file).await;
        let change = plan.change(&address("mail_from.pivot.app")).unwrap();
        assert!(change.fields.iter().any(|field| field.path == "detection"), "{change:?}");
        assert_eq!(*found(&stage).await.mail_from_domain_status(), MailFromDomainStatus::Success);
        stage.converge("").await;
        stage.withdraw(&zone, "mail.pivot.app", "MX", &[MX]).await;
    }
}
