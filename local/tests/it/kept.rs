//! What is kept between runs, and what an account has from the start.

use sesinfra::environment;
use sesinfra::environment::names::FileName;
use sesinfra_local::{Cloud, Options, seeds};

use super::account::{ACCOUNT, REGION, administrator, caller, cloud, code};
use super::folder::Folder;

const STAGING: &str = r#"
project = "pivot"

[aws]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/sesinfra-apply"

[zones."pivot.app"]
role = "arn:aws:iam::999999999999:role/dns-writer"

[identities."pivot.app"]

[identities."news.other.co.uk"]
dkim = { selector = "s1", private_key = { ssm = "/mail/dkim" } }

[topics.feedback]
encryption_key = "alias/mail"

[configuration_sets.web]
pool = "warm"

[configuration_sets.web.events.archive]
types = ["bounce"]
firehose = { stream = "mail", role = "ses-firehose" }

[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["pivot-api"], users = ["deploy"], groups = ["senders"] }
"#;

#[tokio::test]
async fn data_outlives_the_cloud() {
    let folder = Folder::new("kept");
    let options = || Options { data: Some(folder.path().join(".local")), ..Options::default() };
    let first = cloud(options()).await;
    let config = administrator(&first, ACCOUNT);
    let topics = aws_sdk_sns::Client::new(&config);
    topics.create_topic().name("t").send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&config);
    let url = queues.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    queues.send_message().queue_url(url).message_body("hello").send().await.unwrap();
    let gone = queues.create_queue().queue_name("gone").send().await.unwrap().queue_url.unwrap();
    queues.delete_queue().queue_url(gone).send().await.unwrap();
    let mail = aws_sdk_sesv2::Client::new(&config);
    mail.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    first.save().unwrap();
    drop(first);

    let second = cloud(options()).await;
    let config = administrator(&second, ACCOUNT);
    assert_eq!(
        aws_sdk_sns::Client::new(&config).list_topics().send().await.unwrap().topics().len(),
        1
    );
    let queues = aws_sdk_sqs::Client::new(&config);
    let url = queues.get_queue_url().queue_name("q").send().await.unwrap().queue_url.unwrap();
    assert!(url.starts_with(second.endpoint()), "{url}");
    let received = queues.receive_message().queue_url(url).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("hello"));
    assert_eq!(code(queues.create_queue().queue_name("gone").send().await), "QueueDeletedRecently");
    let mail = aws_sdk_sesv2::Client::new(&config);
    assert_eq!(code(mail.get_email_identity().email_identity("pivot.app").send().await), "none");
}

#[tokio::test]
async fn an_account_has_what_its_environment_refers_to() {
    let folder = Folder::new("seeds");
    folder.write("environments/staging.toml", STAGING);
    let environment =
        environment::load(folder.path(), &FileName::parse("staging").unwrap()).unwrap();
    let cloud = cloud(Options::default()).await;
    seeds::seed(cloud.world(), &environment);
    seeds::seed(cloud.world(), &environment);
    let config = administrator(&cloud, ACCOUNT);
    assert_eq!(zones(&config).await, ["other.co.uk."]);
    assert_eq!(
        zones(&assumed(&cloud, "arn:aws:iam::999999999999:role/dns-writer").await).await,
        ["pivot.app."]
    );
    let apply = assumed(&cloud, "arn:aws:iam::123456789012:role/sesinfra-apply").await;
    assert_eq!(
        code(aws_sdk_sns::Client::new(&apply).create_topic().name("t").send().await),
        "none"
    );
    let iam = aws_sdk_iam::Client::new(&config);
    for role in ["pivot-api", "ses-firehose"] {
        assert_eq!(code(iam.get_role().role_name(role).send().await), "none");
    }
    assert_eq!(code(iam.get_user().user_name("deploy").send().await), "none");
    assert_eq!(code(iam.get_group().group_name("senders").send().await), "none");
    assert_eq!(
        code(aws_sdk_kms::Client::new(&config).describe_key().key_id("alias/mail").send().await),
        "none"
    );
    let mail = aws_sdk_sesv2::Client::new(&config);
    assert_eq!(code(mail.get_dedicated_ip_pool().pool_name("warm").send().await), "none");
    let key =
        aws_sdk_ssm::Client::new(&config).get_parameter().name("/mail/dkim").send().await.unwrap();
    assert!(key.parameter().unwrap().value().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
}

async fn zones(config: &aws_config::SdkConfig) -> Vec<String> {
    let listed = aws_sdk_route53::Client::new(config).list_hosted_zones().send().await.unwrap();
    listed.hosted_zones().iter().map(|zone| zone.name().to_owned()).collect()
}

async fn assumed(cloud: &Cloud, role: &str) -> aws_config::SdkConfig {
    let sts = aws_sdk_sts::Client::new(&administrator(cloud, ACCOUNT));
    let assumed = sts.assume_role().role_arn(role).role_session_name("tests").send().await.unwrap();
    let keys = assumed.credentials.unwrap();
    let credentials = aws_credential_types::Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        None,
        "test",
    );
    caller(cloud, credentials, REGION)
}
