//! Configuration sets and their groups of options.

use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::types::{
    DashboardOptions, FeatureStatus, HttpsPolicy, MessageSecurityOptions, ReputationOptions,
    SendingOptions, SigningScheme, SmimeSigningScheme, SuppressionConditionThreshold,
    SuppressionListReason as Reason, SuppressionOptions, SuppressionValidationOptions, TlsPolicy,
    VdmOptions,
};

use super::{Bench, refusal, refused};

async fn get(bench: &Bench) -> GetConfigurationSetOutput {
    bench.ses.get_configuration_set().configuration_set_name("main").send().await.unwrap()
}

#[tokio::test]
async fn a_new_set_shows_sending_and_reputation_and_nothing_else() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let found = get(&bench).await;
    assert!(found.sending_options().unwrap().sending_enabled());
    assert!(found.reputation_options().unwrap().reputation_metrics_enabled());
    assert!(found.tracking_options().is_none());
    assert!(found.delivery_options().is_none());
    assert!(found.suppression_options().is_none());
    assert!(found.vdm_options().is_none());
    assert!(found.archiving_options().is_none());
    assert!(found.message_security_options().is_none());
}

#[tokio::test]
async fn an_empty_block_at_create_means_false() {
    let bench = Bench::start().await;
    let create = bench.ses.create_configuration_set().configuration_set_name("main");
    let create = create.sending_options(SendingOptions::builder().build());
    create.reputation_options(ReputationOptions::builder().build()).send().await.unwrap();
    let found = get(&bench).await;
    assert!(!found.sending_options().unwrap().sending_enabled());
    assert!(!found.reputation_options().unwrap().reputation_metrics_enabled());
}

#[tokio::test]
async fn suppression_without_reasons_at_create_is_a_failure_of_the_service() {
    let bench = Bench::start().await;
    let create = bench.ses.create_configuration_set().configuration_set_name("main");
    let create = create.suppression_options(SuppressionOptions::builder().build());
    refused(create.send().await, "InternalFailure");
    let get = bench.ses.get_configuration_set().configuration_set_name("main");
    refused(get.send().await, "NotFoundException");
}

#[tokio::test]
async fn names_are_checked_and_taken_once() {
    let bench = Bench::start().await;
    let create =
        |name: &str| bench.ses.create_configuration_set().configuration_set_name(name).send();
    create("main").await.unwrap();
    let (code, message) = refusal(create("main").await);
    assert_eq!(code, "AlreadyExistsException");
    assert_eq!(message, "Configuration set main already exists.");
    refused(create("a.b").await, "BadRequestException");
    refused(create(&"x".repeat(65)).await, "BadRequestException");
    let delete = || bench.ses.delete_configuration_set().configuration_set_name("main").send();
    delete().await.unwrap();
    let (code, message) = refusal(delete().await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "Configuration set <main> does not exist.");
}

#[tokio::test]
async fn a_put_without_its_flag_is_false() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let put = bench.ses.put_configuration_set_sending_options().configuration_set_name("main");
    put.send().await.unwrap();
    let put = bench.ses.put_configuration_set_reputation_options().configuration_set_name("main");
    put.send().await.unwrap();
    let found = get(&bench).await;
    assert!(!found.sending_options().unwrap().sending_enabled());
    assert!(!found.reputation_options().unwrap().reputation_metrics_enabled());
}

#[tokio::test]
async fn a_put_replaces_its_whole_group() {
    let bench = Bench::start().await;
    bench.set("main").await;
    bench.ses.create_dedicated_ip_pool().pool_name("pool").send().await.unwrap();
    let put = || bench.ses.put_configuration_set_delivery_options().configuration_set_name("main");
    put().tls_policy(TlsPolicy::Require).max_delivery_seconds(300).send().await.unwrap();
    put().sending_pool_name("pool").send().await.unwrap();
    let delivery = get(&bench).await.delivery_options.unwrap();
    assert_eq!(delivery.sending_pool_name(), Some("pool"));
    assert_eq!((delivery.tls_policy(), delivery.max_delivery_seconds()), (None, None));
    put().send().await.unwrap();
    assert!(get(&bench).await.delivery_options().is_none());
}

#[tokio::test]
async fn a_pool_must_exist_and_seconds_have_bounds() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let put = || bench.ses.put_configuration_set_delivery_options().configuration_set_name("main");
    let (code, message) = refusal(put().sending_pool_name("none").send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "SendingPool none doesn't exist");
    let (code, message) = refusal(put().sending_pool_name(" ").send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "sendingPoolName can't be blank.");
    for seconds in [0, 299, 50_401] {
        let (code, message) = refusal(put().max_delivery_seconds(seconds).send().await);
        assert_eq!(code, "BadRequestException");
        assert!(message.starts_with("1 validation error detected"), "{message}");
    }
    let delete = || bench.ses.delete_dedicated_ip_pool().pool_name("pool").send();
    bench.ses.create_dedicated_ip_pool().pool_name("pool").send().await.unwrap();
    put().sending_pool_name("pool").send().await.unwrap();
    refused(delete().await, "BadRequestException");
    put().send().await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn suppression_has_three_states() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let put =
        || bench.ses.put_configuration_set_suppression_options().configuration_set_name("main");
    let reasons =
        async || get(&bench).await.suppression_options.map(|group| group.suppressed_reasons);
    assert_eq!(reasons().await, None);
    put().set_suppressed_reasons(Some(Vec::new())).send().await.unwrap();
    assert_eq!(reasons().await, Some(Some(Vec::new())));
    let put_both = put().suppressed_reasons(Reason::Complaint).suppressed_reasons(Reason::Bounce);
    put_both.send().await.unwrap();
    assert_eq!(reasons().await, Some(Some(vec![Reason::Bounce, Reason::Complaint])));
    put().send().await.unwrap();
    assert_eq!(reasons().await, None);
}

#[tokio::test]
async fn a_validation_that_is_off_still_shows_its_threshold() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let threshold = SuppressionConditionThreshold::builder()
        .condition_threshold_enabled(FeatureStatus::Disabled)
        .build()
        .unwrap();
    let options = SuppressionValidationOptions::builder().condition_threshold(threshold).build();
    let put = bench.ses.put_configuration_set_suppression_options().configuration_set_name("main");
    let put = put.set_suppressed_reasons(Some(Vec::new())).validation_options(options);
    put.send().await.unwrap();
    let shown = get(&bench).await.suppression_options.unwrap().validation_options.unwrap();
    let shown = shown.condition_threshold.unwrap();
    assert_eq!(shown.condition_threshold_enabled(), &FeatureStatus::Disabled);
    assert!(shown.overall_confidence_threshold().is_some());
}

#[tokio::test]
async fn a_tracking_domain_must_be_verified_first() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let put = || bench.ses.put_configuration_set_tracking_options().configuration_set_name("main");
    let (code, message) = refusal(put().custom_redirect_domain("t.pivot.app").send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "Domain t.pivot.app is not verified under this account.");
    let create = bench.ses.create_email_identity().email_identity("pivot.app");
    create.send().await.unwrap();
    refused(put().custom_redirect_domain("t.pivot.app").send().await, "BadRequestException");
    for [name, target] in bench.dkim_records(&bench.ses, "pivot.app").await {
        bench.publish(&name, "CNAME", &[&target]).await;
    }
    put().custom_redirect_domain("t.pivot.app").send().await.unwrap();
    let shown = get(&bench).await.tracking_options.unwrap();
    assert_eq!(shown.custom_redirect_domain(), "t.pivot.app");
    assert_eq!(shown.https_policy(), Some(&HttpsPolicy::Optional));
    let (_, message) = refusal(put().https_policy(HttpsPolicy::Require).send().await);
    assert_eq!(message, "CustomRedirectDomain must be specified.");
    put().send().await.unwrap();
    assert!(get(&bench).await.tracking_options().is_none());
}

#[tokio::test]
async fn vdm_security_and_archiving_are_groups_too() {
    let bench = Bench::start().await;
    bench.set("main").await;
    let dashboard = DashboardOptions::builder().engagement_metrics(FeatureStatus::Enabled).build();
    let put = || bench.ses.put_configuration_set_vdm_options().configuration_set_name("main");
    let options = VdmOptions::builder().dashboard_options(dashboard).build();
    put().vdm_options(options).send().await.unwrap();
    let shown = get(&bench).await.vdm_options.unwrap();
    assert!(shown.dashboard_options().is_some() && shown.guardian_options().is_none());
    put().send().await.unwrap();
    assert!(get(&bench).await.vdm_options().is_none());

    let scheme = SigningScheme::SmimeScheme(SmimeSigningScheme::builder().build());
    let security = MessageSecurityOptions::builder().signing_scheme(scheme).build();
    let update = || bench.ses.update_configuration_set().configuration_set_name("main");
    update().message_security_options(security).send().await.unwrap();
    assert!(get(&bench).await.message_security_options().is_some());
    update().send().await.unwrap();
    assert!(get(&bench).await.message_security_options().is_none());

    let put = || bench.ses.put_configuration_set_archiving_options().configuration_set_name("main");
    refused(
        put().archive_arn("arn:aws:ses:us-east-1:123456789012:mailmanager-archive/x").send().await,
        "BadRequestException",
    );
    let arn = "arn:aws:ses:us-east-1:123456789012:mailmanager-archive/a-abcdefghijklmnopqrstuvwxyz";
    put().archive_arn(arn).send().await.unwrap();
    assert_eq!(get(&bench).await.archiving_options.unwrap().archive_arn(), Some(arn));
}

#[tokio::test]
async fn what_no_set_has_cannot_be_put() {
    let bench = Bench::start().await;
    let put = bench.ses.put_configuration_set_sending_options().configuration_set_name("none");
    refused(put.sending_enabled(true).send().await, "NotFoundException");
    let put = bench.ses.put_configuration_set_tracking_options().configuration_set_name("none");
    refused(put.send().await, "NotFoundException");
}

#[tokio::test]
async fn types_are_checked_before_values_and_values_before_rules() {
    let bench = Bench::start().await;
    let put = |body: &'static str| {
        let put = bench.ses.put_configuration_set_delivery_options().configuration_set_name("none");
        put.customize()
            .mutate_request(move |request| {
                request.headers_mut().insert("content-length", body.len().to_string());
                *request.body_mut() = body.into();
            })
            .send()
    };
    refused(put(r#"{"TlsPolicy": 1}"#).await, "SerializationException");
    refused(put("{").await, "SerializationException");
    refused(put("{}").await, "NotFoundException");
    let (code, message) = refusal(put(r#"{"TlsPolicy": "SOMETIMES"}"#).await);
    assert_eq!(code, "BadRequestException");
    assert!(
        message.starts_with("1 validation error detected: Value 'SOMETIMES' at 'tlsPolicy'"),
        "{message}"
    );
}
