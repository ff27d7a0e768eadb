//! What somebody changes by hand is seen in the next plan under its own name, and mended.

use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure, EventDestinationDefinition, EventType, FeatureStatus, Tag, TlsPolicy,
    VdmOptions,
};

use super::address;
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

const FILE: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
policies.partner = { principals = ["210987654321"] }
dmarc = { policy = "reject" }
tags = { team = "mail" }
[configuration_sets.main]
suppress = ["bounce"]
tracking = { domain = "click.pivot.app" }
events.feedback = { types = ["bounce"], topic = "feedback" }
[configuration_sets.other]
[topics.feedback]
"#;

/// Mends, and expects exactly these fields of this resource in the plan.
async fn mended(stage: &Stage, name: &str, fields: &[&str]) {
    let plan = stage.converge(FILE).await;
    let changed: Vec<String> = plan.pending().map(|change| change.address.to_string()).collect();
    assert_eq!(changed, [name]);
    let change = plan.change(&address(name)).unwrap();
    let paths: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, fields, "{name}");
}

#[tokio::test]
async fn settings_of_an_identity() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(FILE).await;
    let ses = stage.ses();
    let name = "pivot.app";
    ses.put_email_identity_feedback_attributes().email_identity(name).send().await.unwrap();
    mended(&stage, "identity.pivot.app", &["feedback_forwarding"]).await;
    ses.put_email_identity_dkim_attributes().email_identity(name).send().await.unwrap();
    mended(&stage, "identity.pivot.app", &["signing"]).await;
    let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let put = ses.tag_resource().resource_arn(&arn).tags(tag("team", "other"));
    put.tags(tag("cost", "1")).send().await.unwrap();
    mended(&stage, "identity.pivot.app", &["tags.cost", "tags.team"]).await;
    let set = ses.put_email_identity_configuration_set_attributes().email_identity(name);
    set.configuration_set_name("other").send().await.unwrap();
    mended(&stage, "default_set.pivot.app", &["configuration_set"]).await;
    let clear = ses.put_email_identity_configuration_set_attributes().email_identity(name);
    clear.send().await.unwrap();
    mended(&stage, "default_set.pivot.app", &["configuration_set"]).await;
    let put = ses.put_email_identity_mail_from_attributes().email_identity(name);
    let put = put.mail_from_domain("mail.pivot.app");
    put.behavior_on_mx_failure(BehaviorOnMxFailure::RejectMessage).send().await.unwrap();
    mended(&stage, "mail_from.pivot.app", &["on_mx_failure"]).await;
    let put = ses.put_email_identity_mail_from_attributes().email_identity(name);
    put.mail_from_domain("theirs.pivot.app").send().await.unwrap();
    mended(&stage, "mail_from.pivot.app", &["domain"]).await;
}

#[tokio::test]
async fn settings_of_a_set() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(FILE).await;
    let ses = stage.ses();
    let put = ses.put_configuration_set_delivery_options().configuration_set_name("main");
    put.tls_policy(TlsPolicy::Require).max_delivery_seconds(300).send().await.unwrap();
    let fields = ["delivery.max_delivery_seconds", "delivery.tls"];
    mended(&stage, "configuration_set.main", &fields).await;
    // Without the flag it means that nothing is sent any more.
    let put = ses.put_configuration_set_sending_options().configuration_set_name("main");
    put.send().await.unwrap();
    mended(&stage, "configuration_set.main", &["sending"]).await;
    let put = ses.put_configuration_set_reputation_options().configuration_set_name("main");
    put.send().await.unwrap();
    mended(&stage, "configuration_set.main", &["reputation_metrics"]).await;
    let put = ses.put_configuration_set_suppression_options().configuration_set_name("main");
    put.send().await.unwrap();
    mended(&stage, "configuration_set.main", &["suppression.reasons"]).await;
    let dashboard = aws_sdk_sesv2::types::DashboardOptions::builder();
    let dashboard = dashboard.engagement_metrics(FeatureStatus::Enabled).build();
    let vdm = VdmOptions::builder().dashboard_options(dashboard).build();
    let put = ses.put_configuration_set_vdm_options().configuration_set_name("main");
    put.vdm_options(vdm).send().await.unwrap();
    mended(&stage, "configuration_set.main", &["vdm.engagement"]).await;
    let put = ses.put_configuration_set_tracking_options().configuration_set_name("main");
    put.send().await.unwrap();
    mended(&stage, "tracking.main", &["domain", "https"]).await;
    let topic = aws_sdk_sesv2::types::SnsDestination::builder()
        .topic_arn(format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback"))
        .build()
        .unwrap();
    let definition = EventDestinationDefinition::builder().sns_destination(topic);
    let definition = definition.matching_event_types(EventType::Send).build();
    let put = ses.update_configuration_set_event_destination().configuration_set_name("main");
    let put = put.event_destination_name("feedback").event_destination(definition);
    put.send().await.unwrap();
    mended(&stage, "event_destination.main/feedback", &["enabled", "types"]).await;
}

#[tokio::test]
async fn suppression_that_cannot_be_unset_is_said_to_need_a_new_set() {
    let stage = Stage::new().await;
    stage.cloud.change(|options| options.ses.empty_suppression_inherits = false);
    stage.converge("[configuration_sets.main]\nsuppress = [\"bounce\"]").await;
    let (_, report) = stage.open("[configuration_sets.main]").await.apply().await;
    let text = super::reasons(&report);
    assert!(text.contains("made anew") && text.contains("--replace"), "{text}");
}
