//! Identities: switches, tags, key length, default set, policies; domains and addresses.

use std::time::Duration;

use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::{
    DkimSigningAttributesOrigin, DkimSigningKeyLength, IdentityType, VerificationStatus,
};
use serde_json::Value;
use sesinfra_local::ses::ports::Choices;

use super::{own_tags, reasons, record, tags};
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

fn domain(rest: &str) -> String {
    format!("[identities.\"pivot.app\"]\n{rest}")
}

#[tokio::test]
async fn signing_and_forwarding_are_switched_each_on_its_own() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    for (file, signing, forwarding) in [
        ("", true, true),
        ("signing = false\nfeedback_forwarding = false", false, false),
        ("signing = false", false, true),
        ("feedback_forwarding = false", true, false),
        ("", true, true),
    ] {
        stage.converge(&domain(file)).await;
        let identity = stage.identity("pivot.app").await;
        assert_eq!(identity.feedback_forwarding_status, forwarding, "{file}");
        assert_eq!(identity.dkim_attributes().unwrap().signing_enabled, signing, "{file}");
        assert!(identity.verified_for_sending_status, "{file}");
    }
    stage.converge("").await;
    // Made with both off.
    stage.converge(&domain("signing = false\nfeedback_forwarding = false")).await;
    let identity = stage.identity("pivot.app").await;
    assert!(!identity.feedback_forwarding_status);
    assert!(!identity.dkim_attributes().unwrap().signing_enabled);
}

#[tokio::test]
async fn tags_are_those_of_the_environment_under_those_of_the_identity() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let of_all = "[tags]\nteam = \"mail\"\nstage = \"test\"\n";
    for (file, wanted) in [
        (domain(""), tags([])),
        (domain("tags = { team = \"api\" }"), tags([("team", "api")])),
        (
            format!("{of_all}{}", domain("tags = { team = \"api\", cost = \"\" }")),
            tags([("team", "api"), ("stage", "test"), ("cost", "")]),
        ),
        (format!("{of_all}{}", domain("")), tags([("team", "mail"), ("stage", "test")])),
        (domain(""), tags([])),
    ] {
        stage.converge(&file).await;
        let identity = stage.identity("pivot.app").await;
        assert_eq!(own_tags(identity.tags()), wanted, "{file}");
    }
}

async fn key_length_is_changed(stage: &Stage, zone: &str) {
    let short = domain("dkim = { key = \"rsa-1024\" }");
    let long = domain("dkim = { key = \"rsa-2048\" }");
    stage.converge(&domain("")).await;
    let length = |length: DkimSigningKeyLength| async move {
        let dkim = stage.dkim("pivot.app").await;
        assert_eq!(dkim.next_signing_key_length(), Some(&length));
        stage.expect_dkim_records(zone, "pivot.app").await;
    };
    length(DkimSigningKeyLength::Rsa2048Bit).await;
    stage.converge(&short).await;
    length(DkimSigningKeyLength::Rsa1024Bit).await;
    // The way back is open only after a day.
    let (_, report) = stage.open(&long).await.apply().await;
    let text = reasons(&report);
    assert!(text.contains("once in 24 hours: not before"), "{text}");
    stage.cloud.advance(Duration::from_hours(25));
    stage.converge(&long).await;
    length(DkimSigningKeyLength::Rsa2048Bit).await;
    stage.expect_nothing(&domain("")).await;
}

#[tokio::test]
async fn a_key_length_that_brings_new_tokens_brings_new_records() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    key_length_is_changed(&stage, &zone).await;
}

#[tokio::test]
async fn a_key_length_may_leave_the_records_as_they_are() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.cloud.change(|options| {
        options.ses = Choices { key_length_changes_tokens: false, ..Choices::default() };
    });
    key_length_is_changed(&stage, &zone).await;
}

#[tokio::test]
async fn a_domain_is_made_with_a_short_key_at_once() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(&domain("dkim = { key = \"rsa-1024\" }")).await;
    let dkim = stage.dkim("pivot.app").await;
    assert_eq!(dkim.next_signing_key_length(), Some(&DkimSigningKeyLength::Rsa1024Bit));
    stage.expect_dkim_records(&zone, "pivot.app").await;
    assert_eq!(stage.cloud.calls().count("ses:PutEmailIdentityDkimSigningAttributes"), 0);
}

#[tokio::test]
async fn the_default_set_is_set_changed_and_cleared() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let sets = "[configuration_sets.one]\n[configuration_sets.two]\n";
    let other = stage.ses().create_configuration_set().configuration_set_name("elsewhere");
    other.send().await.unwrap();
    let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/elsewhere");
    let elsewhere = format!("configuration_set = \"{arn}\"");
    for (line, wanted) in [
        ("configuration_set = \"one\"", Some("one")),
        ("configuration_set = \"two\"", Some("two")),
        (&elsewhere, Some("elsewhere")),
        ("", None),
        ("configuration_set = \"one\"", Some("one")),
    ] {
        stage.converge(&format!("{}\n{sets}", domain(line))).await;
        assert_eq!(stage.identity("pivot.app").await.configuration_set_name(), wanted);
    }
    // A set goes only after it is nobody's default.
    stage.converge(&domain("")).await;
    assert_eq!(stage.identity("pivot.app").await.configuration_set_name(), None);
    let left = stage.ses().list_configuration_sets().send().await.unwrap();
    assert_eq!(left.configuration_sets(), ["elsewhere"]);
}

#[tokio::test]
async fn policies_are_added_changed_and_removed() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let document = |identity: &GetEmailIdentityOutput, name: &str| -> Value {
        serde_json::from_str(&identity.policies().unwrap()[name]).unwrap()
    };
    stage.converge(&domain("policies.partner = { principals = [\"210987654321\"] }")).await;
    let identity = stage.identity("pivot.app").await;
    let partner = document(&identity, "partner");
    let statement = &partner["Statement"][0];
    assert!(statement["Principal"]["AWS"].to_string().contains("210987654321"), "{partner}");
    assert!(statement["Action"].to_string().contains("ses:SendRawEmail"), "{partner}");
    assert!(statement.get("Condition").is_none_or(|it| it == &serde_json::json!({})), "{partner}");
    let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app");
    assert!(statement["Resource"].to_string().contains(&arn), "{partner}");

    let changed = "policies.partner = { principals = [\"arn:aws:iam::210987654321:role/mailer\", \"999999999999\"], \
                   actions = [\"send-email\", \"send-templated-email\", \"send-bulk-templated-email\"], \
                   from = [\"*@pivot.app\"] }\npolicies.second = { principals = [\"210987654321\"] }";
    stage.converge(&domain(changed)).await;
    let identity = stage.identity("pivot.app").await;
    let partner = document(&identity, "partner");
    let statement = &partner["Statement"][0];
    assert!(statement["Principal"].to_string().contains("role/mailer"), "{partner}");
    assert!(statement["Principal"].to_string().contains("999999999999"), "{partner}");
    assert!(statement["Action"].to_string().contains("ses:SendBulkTemplatedEmail"), "{partner}");
    assert!(!statement["Action"].to_string().contains("ses:SendRawEmail"), "{partner}");
    let from = &statement["Condition"]["StringLike"]["ses:FromAddress"];
    assert!(from.to_string().contains("*@pivot.app"), "{partner}");
    assert!(identity.policies().unwrap().contains_key("second"));

    stage.converge(&domain("policies.second = { principals = [\"210987654321\"] }")).await;
    let policies = stage.identity("pivot.app").await.policies.unwrap();
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["second"]);
    stage.converge(&domain("")).await;
    assert!(stage.identity("pivot.app").await.policies.unwrap_or_default().is_empty());
}

#[tokio::test]
async fn a_policy_may_have_to_wait_until_its_identity_is_verified() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.cloud.change(|options| {
        options.ses = Choices { policies_need_verification: true, ..Choices::default() };
        options.verification = Duration::from_mins(5);
    });
    let file = domain("policies.partner = { principals = [\"210987654321\"] }");
    let (_, report) = stage.open(&file).await.apply().await;
    let text = reasons(&report);
    assert!(!report.has_failures() && text.contains("not verified yet"), "{text}");
    stage.cloud.advance(Duration::from_mins(6));
    // SES looks again after it has looked once.
    stage.identity("pivot.app").await;
    stage.converge(&file).await;
    assert!(stage.identity("pivot.app").await.policies.unwrap().contains_key("partner"));
}

#[tokio::test]
async fn an_address_takes_what_an_address_can() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let address =
        |rest: &str| format!("[identities.\"Ops@pivot.app\"]\n{rest}\n[configuration_sets.one]\n");
    stage.converge(&address("")).await;
    let identity = stage.identity("Ops@pivot.app").await;
    assert_eq!(identity.identity_type(), Some(&IdentityType::EmailAddress));
    assert_eq!(identity.verification_status(), Some(&VerificationStatus::Pending));
    let all = "feedback_forwarding = false\nconfiguration_set = \"one\"\n\
               mail_from = { subdomain = \"bounce\" }\ntags = { team = \"ops\" }\n\
               policies.partner = { principals = [\"210987654321\"] }";
    stage.converge(&address(all)).await;
    let identity = stage.identity("Ops@pivot.app").await;
    assert!(!identity.feedback_forwarding_status);
    assert_eq!(identity.configuration_set_name(), Some("one"));
    assert_eq!(identity.mail_from_attributes().unwrap().mail_from_domain(), "bounce.pivot.app");
    assert_eq!(own_tags(identity.tags()), tags([("team", "ops")]));
    assert!(identity.policies().unwrap().contains_key("partner"));
    let records = stage.records(&zone).await;
    assert_eq!(
        records,
        [
            record("bounce.pivot.app MX", "10 feedback-smtp.us-east-1.amazonses.com"),
            record("bounce.pivot.app TXT", "v=spf1 include:amazonses.com ~all"),
        ]
        .into()
    );
    stage.converge(&address("")).await;
    let identity = stage.identity("Ops@pivot.app").await;
    assert!(identity.feedback_forwarding_status && identity.configuration_set_name().is_none());
    assert_eq!(identity.mail_from_attributes().unwrap().mail_from_domain(), "");
    assert!(own_tags(identity.tags()).is_empty());
    assert!(stage.all_records(&zone).await.is_empty());
}

#[tokio::test]
async fn a_replica_signs_with_the_key_of_another_region() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let parent = stage.ses_in("eu-west-1");
    let made = parent.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let dkim = made.dkim_attributes.unwrap();
    let host = dkim.signing_hosted_zone().unwrap();
    for token in dkim.tokens() {
        let name = format!("{token}._domainkey.pivot.app");
        stage.publish(&zone, &name, "CNAME", &[&format!("{token}.{host}")]).await;
    }
    let foreign = stage.records(&zone).await;
    let replica = domain("dkim = { replica_of = \"eu-west-1\" }");
    stage.converge(&replica).await;
    let identity = stage.identity("pivot.app").await;
    let found = identity.dkim_attributes().unwrap();
    let origin = DkimSigningAttributesOrigin::AwsSesEuWest1;
    assert_eq!(found.signing_attributes_origin(), Some(&origin));
    assert_eq!(found.tokens(), dkim.tokens());
    assert!(identity.verified_for_sending_status);
    assert_eq!(stage.records(&zone).await, foreign);
    // A key of its own, and back: another identity each time, and the parent's records stay.
    stage.converge(&domain("")).await;
    let own = stage.dkim("pivot.app").await;
    assert_eq!(own.signing_attributes_origin(), Some(&DkimSigningAttributesOrigin::AwsSes));
    assert_eq!(stage.records(&zone).await.len(), foreign.len() + 3);
    stage.converge(&replica).await;
    assert_eq!(stage.dkim("pivot.app").await.signing_attributes_origin(), Some(&origin));
    assert_eq!(stage.records(&zone).await, foreign);
    stage.converge("").await;
    assert_eq!(stage.records(&zone).await, foreign);
}
