//! Settings of the account: only what is declared is touched, and nothing is put back.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::SuppressionListReason;
use sesinfra::engine::{Action, Severity};

use super::address;
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

async fn account(stage: &Stage) -> GetAccountOutput {
    stage.ses().get_account().send().await.unwrap()
}

fn reasons(account: &GetAccountOutput) -> Vec<&str> {
    let reasons = account.suppression_attributes().unwrap().suppressed_reasons();
    reasons.iter().map(SuppressionListReason::as_str).collect()
}

/// The calls since the last time that write.
fn writes(stage: &Stage) -> Vec<String> {
    let calls = stage.cloud.calls();
    let counts = calls.counts();
    calls.clear();
    counts.into_keys().filter(|action| action.starts_with("ses:Put")).collect()
}

#[tokio::test]
async fn only_what_is_declared_is_written_and_what_is_no_longer_declared_stays() {
    let stage = Stage::new().await;
    stage.converge("[account]\nsuppress = [\"complaint\"]").await;
    assert_eq!(writes(&stage), ["ses:PutAccountSuppressionAttributes"]);
    assert_eq!(reasons(&account(&stage).await), ["COMPLAINT"]);

    stage.converge("[account]\nsuppress = []\ndedicated_ip_warmup = false").await;
    let found = account(&stage).await;
    assert!(reasons(&found).is_empty() && !found.dedicated_ip_auto_warmup_enabled);

    writes(&stage);
    stage.converge("").await;
    assert!(writes(&stage).is_empty());
    let found = account(&stage).await;
    assert!(reasons(&found).is_empty() && !found.dedicated_ip_auto_warmup_enabled);
}

#[tokio::test]
async fn what_is_as_declared_already_is_not_written() {
    let stage = Stage::new().await;
    let plan = stage
        .open("[account]\nsuppress = [\"bounce\", \"complaint\"]\nsending = true\ndedicated_ip_warmup = true\nvdm = { enabled = false }")
        .await
        .plan()
        .await
        .unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.pending().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_deliverability_manager_is_turned_on_in_parts_and_off() {
    let stage = Stage::new().await;
    stage.converge("[account]\nvdm = { enabled = true, engagement = true }").await;
    let vdm = account(&stage).await.vdm_attributes.unwrap();
    let engagement = |vdm: &aws_sdk_sesv2::types::VdmAttributes| {
        vdm.dashboard_attributes().unwrap().engagement_metrics().unwrap().as_str().to_owned()
    };
    assert_eq!((vdm.vdm_enabled.as_str(), engagement(&vdm).as_str()), ("ENABLED", "ENABLED"));

    // What is not said is kept, although one call writes it all.
    stage.converge("[account]\nvdm = { enabled = true, optimized_delivery = true }").await;
    let vdm = account(&stage).await.vdm_attributes.unwrap();
    assert_eq!(engagement(&vdm), "ENABLED");
    let guardian = vdm.guardian_attributes().unwrap().optimized_shared_delivery().unwrap();
    assert_eq!(guardian.as_str(), "ENABLED");

    stage.converge("[account]\nvdm = { enabled = false }").await;
    assert_eq!(account(&stage).await.vdm_attributes.unwrap().vdm_enabled.as_str(), "DISABLED");
}

#[tokio::test]
async fn pausing_the_account_stops_mail_and_is_undone() {
    let stage = Stage::new().await;
    let paused = "[account]\nsending = false";
    let plan = stage.open(paused).await.plan().await.unwrap();
    let change = plan.change(&address(&format!("account.{REGION}"))).unwrap();
    assert_eq!((change.action, change.impact.severity), (Action::Update, Severity::StopsMail));
    stage.converge(paused).await;
    assert!(!account(&stage).await.sending_enabled);
    stage.converge("[account]\nsending = true").await;
    assert!(account(&stage).await.sending_enabled);
}

/// Only AWS lifts a pause that it imposed: a plan that tried to would never be empty.
#[tokio::test]
async fn a_pause_of_awss_own_is_not_fought() {
    let stage = Stage::new().await;
    stage.cloud.ses().enforce(ACCOUNT, REGION, true);
    assert!(!account(&stage).await.sending_enabled);
    stage.expect_nothing("[account]\nsending = true").await;
}

#[tokio::test]
async fn other_settings_of_the_suppression_list_survive() {
    use aws_sdk_sesv2::types::{
        FeatureStatus, SuppressionConditionThreshold, SuppressionListReason,
        SuppressionValidationAttributes,
    };
    let stage = Stage::new().await;
    let condition = SuppressionConditionThreshold::builder()
        .condition_threshold_enabled(FeatureStatus::Enabled)
        .build()
        .unwrap();
    let validation =
        SuppressionValidationAttributes::builder().condition_threshold(condition).build();
    let call = stage.ses().put_account_suppression_attributes();
    let call = call.suppressed_reasons(SuppressionListReason::Bounce);
    call.validation_attributes(validation).send().await.unwrap();
    let before = account(&stage).await.suppression_attributes.unwrap().validation_attributes;
    assert!(before.is_some());

    stage.converge("[account]\nsuppress = [\"bounce\", \"complaint\"]").await;
    let after = account(&stage).await.suppression_attributes.unwrap();
    assert_eq!((after.suppressed_reasons().len(), after.validation_attributes), (2, before));
}

#[tokio::test]
async fn destroying_leaves_the_account_and_says_so() {
    let stage = Stage::new().await;
    stage.converge("[account]\nsuppress = [\"bounce\"]\n[topics.feedback]").await;
    writes(&stage);
    let ended = stage.run(&["destroy", "test", "--yes"]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.output, ended.errors);
    let said = format!("account.{REGION}: stays as it is: it belongs to no environment");
    assert!(ended.output.contains(&said), "{}", ended.output);
    assert!(writes(&stage).is_empty());
    assert_eq!(reasons(&account(&stage).await), ["BOUNCE"]);
}

#[tokio::test]
async fn settings_of_the_account_are_not_listed_as_owned() {
    let stage = Stage::new().await;
    stage.converge("[account]\nsuppress = [\"bounce\"]\n[topics.feedback]").await;
    let listed = stage.run(&["list", "test"]).await.output;
    assert!(listed.contains("topic.feedback") && !listed.contains("account."), "{listed}");
}
