//! Callers need the permissions that AWS asks for.

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_sdk_ssm::types::ParameterType;
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, REGION, administrator, caller, cloud, code};

/// Clients of a role of an account that may do what `statements` say.
async fn role(cloud: &Cloud, account: &str, statements: &str) -> SdkConfig {
    let iam = aws_sdk_iam::Client::new(&administrator(cloud, account));
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let made = iam
        .create_role()
        .role_name("tester")
        .assume_role_policy_document(trust)
        .send()
        .await
        .unwrap();
    let document = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    iam.put_role_policy()
        .role_name("tester")
        .policy_name("p")
        .policy_document(document)
        .send()
        .await
        .unwrap();
    let sts = aws_sdk_sts::Client::new(&administrator(cloud, ACCOUNT));
    let assumed = sts.assume_role().role_arn(made.role().unwrap().arn()).role_session_name("tests");
    let assumed = assumed.send().await.unwrap().credentials.unwrap();
    let token = Some(assumed.session_token);
    caller(
        cloud,
        Credentials::new(assumed.access_key_id, assumed.secret_access_key, token, None, "test"),
        REGION,
    )
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"[{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}]"#)
}

#[tokio::test]
async fn a_topic_needs_permission_on_its_arn() {
    let cloud = cloud(Options::default()).await;
    let config = role(
        &cloud,
        ACCOUNT,
        &allow("sns:CreateTopic", &format!("arn:aws:sns:{REGION}:{ACCOUNT}:mine-*")),
    )
    .await;
    let topics = aws_sdk_sns::Client::new(&config);
    assert_eq!(code(topics.create_topic().name("mine-a").send().await), "none");
    assert_eq!(code(topics.create_topic().name("theirs").send().await), "AuthorizationError");
    assert_eq!(cloud.calls().entries().pop().unwrap().error.as_deref(), Some("AuthorizationError"));
    cloud.change(|options| options.enforce_iam = false);
    assert_eq!(code(topics.create_topic().name("theirs").send().await), "none");
}

#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let cloud = cloud(Options::default()).await;
    let config = role(&cloud, ACCOUNT, r#"[{"Effect":"Deny","Action":"*","Resource":"*"}]"#).await;
    let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    assert!(identity.arn().unwrap().contains("assumed-role/tester/tests"));
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let cloud = cloud(Options::default()).await;
    let config = caller(&cloud, Credentials::new("AKIAUNKNOWN", "x", None, None, "test"), REGION);
    let refused = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
    assert_eq!(code(refused), "InvalidClientTokenId");
}

/// Creates a TXT record, as `code` says.
async fn record(zones: &aws_sdk_route53::Client, zone: &str, name: &str) -> String {
    let value = ResourceRecord::builder().value("\"1\"").build().unwrap();
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::Txt)
        .ttl(60)
        .resource_records(value)
        .build()
        .unwrap();
    let change =
        Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    code(zones.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await)
}

#[tokio::test]
async fn a_zone_in_another_account_is_written_by_its_role() {
    let cloud = cloud(Options::default()).await;
    let owner = aws_sdk_route53::Client::new(&administrator(&cloud, "999999999999"));
    let made =
        owner.create_hosted_zone().name("pivot.app").caller_reference("1").send().await.unwrap();
    let zone = made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
    let statements = format!(
        r#"[{{"Effect":"Allow","Action":"route53:ChangeResourceRecordSets","Resource":"arn:aws:route53:::hostedzone/{zone}",
             "Condition":{{"ForAllValues:StringLike":{{"route53:ChangeResourceRecordSetsNormalizedRecordNames":["*.mail.pivot.app"]}}}}}}]"#
    );
    let writer = aws_sdk_route53::Client::new(&role(&cloud, "999999999999", &statements).await);
    assert_eq!(record(&writer, &zone, "a.MAIL.pivot.app.").await, "none");
    assert_eq!(record(&writer, &zone, "a.other.pivot.app").await, "AccessDenied");
    assert_eq!(code(writer.list_hosted_zones().send().await), "AccessDenied");
    let ours = aws_sdk_route53::Client::new(&administrator(&cloud, ACCOUNT));
    assert_eq!(record(&ours, &zone, "b.mail.pivot.app").await, "NoSuchHostedZone");
}

#[tokio::test]
async fn a_parameter_needs_permission_and_is_not_overwritten() {
    let cloud = cloud(Options::default()).await;
    let config = role(
        &cloud,
        ACCOUNT,
        &allow("ssm:*", &format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/sesinfra/*")),
    )
    .await;
    let parameters = aws_sdk_ssm::Client::new(&config);
    let put = |name: &str| {
        parameters
            .put_parameter()
            .name(name)
            .value("1")
            .r#type(ParameterType::String)
            .overwrite(false)
            .send()
    };
    assert_eq!(code(put("/sesinfra/lock").await), "none");
    assert_eq!(code(put("/sesinfra/lock").await), "ParameterAlreadyExists");
    assert_eq!(code(put("/other").await), "AccessDeniedException");
    assert_eq!(
        code(parameters.get_parameter().name("/other").send().await),
        "AccessDeniedException"
    );
    assert_eq!(code(parameters.delete_parameter().name("/sesinfra/lock").send().await), "none");
    assert_eq!(
        code(parameters.get_parameter().name("/sesinfra/lock").send().await),
        "ParameterNotFound"
    );
}

#[tokio::test]
async fn tags_need_permission_too() {
    let cloud = cloud(Options::default()).await;
    let config = role(&cloud, ACCOUNT, &allow("sns:CreateTopic", "*")).await;
    let topics = aws_sdk_sns::Client::new(&config);
    let tag = aws_sdk_sns::types::Tag::builder().key("a").value("b").build().unwrap();
    assert_eq!(code(topics.create_topic().name("t").tags(tag).send().await), "AuthorizationError");
    let tags = aws_sdk_resourcegroupstagging::Client::new(&config);
    assert_eq!(code(tags.get_resources().send().await), "AccessDeniedException");
}

#[tokio::test]
async fn a_denial_can_be_read_in_binary_too() {
    let cloud = cloud(Options::default()).await;
    let config = role(&cloud, ACCOUNT, &allow("sns:CreateTopic", "*")).await;
    let alarms = aws_sdk_cloudwatch::Client::new(&config);
    assert_eq!(code(alarms.describe_alarms().send().await), "AccessDenied");
}
