//! IAM refuses what AWS refuses.

use aws_sdk_iam::Client;
use sesinfra_local::Options;

use super::account::{ACCOUNT, administrator, cloud, code};

const SEND: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendEmail","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

#[tokio::test]
async fn a_policys_name_is_unique_whatever_its_path_and_case() {
    let cloud = cloud(Options::default()).await;
    let iam = Client::new(&administrator(&cloud, ACCOUNT));
    let create = |name: &str, path: &str| {
        iam.create_policy().policy_name(name).path(path).policy_document(SEND).send()
    };
    assert_eq!(code(create("Send", "/").await), "none");
    assert_eq!(code(create("Send", "/mail/").await), "EntityAlreadyExists");
    assert_eq!(code(create("send", "/").await), "EntityAlreadyExists");
}

#[tokio::test]
async fn a_policy_has_five_versions_and_6144_characters() {
    let cloud = cloud(Options::default()).await;
    let iam = Client::new(&administrator(&cloud, ACCOUNT));
    let made = iam.create_policy().policy_name("p").policy_document(SEND).send().await.unwrap();
    let arn = made.policy().unwrap().arn().unwrap().to_owned();
    let version = || {
        iam.create_policy_version()
            .policy_arn(&arn)
            .set_as_default(true)
            .policy_document(SEND)
            .send()
    };
    for _ in 0..4 {
        assert_eq!(code(version().await), "none");
    }
    assert_eq!(code(version().await), "LimitExceeded");
    let long = SEND.replace("\"*\"", &format!("\"arn:aws:ses:*:*:identity/{}\"", "x".repeat(6144)));
    assert_eq!(
        code(iam.create_policy().policy_name("long").policy_document(long).send().await),
        "LimitExceeded"
    );
    let broken = iam.create_policy().policy_name("broken").policy_document("{").send().await;
    assert_eq!(code(broken), "MalformedPolicyDocument");
    let read = iam.get_policy_version().policy_arn(&arn).version_id("v5").send().await.unwrap();
    assert!(read.policy_version().unwrap().document().unwrap().starts_with("%7B"));
}

#[tokio::test]
async fn an_attached_policy_cannot_be_deleted() {
    let cloud = cloud(Options::default()).await;
    let iam = Client::new(&administrator(&cloud, ACCOUNT));
    let made = iam.create_policy().policy_name("p").policy_document(SEND).send().await.unwrap();
    let arn = made.policy().unwrap().arn().unwrap().to_owned();
    assert_eq!(
        code(iam.attach_role_policy().role_name("no").policy_arn(&arn).send().await),
        "NoSuchEntity"
    );
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let missing = format!("{arn}-missing");
    assert_eq!(
        code(iam.attach_role_policy().role_name("r").policy_arn(missing).send().await),
        "NoSuchEntity"
    );
    iam.attach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    assert_eq!(code(iam.delete_policy().policy_arn(&arn).send().await), "DeleteConflict");
    iam.detach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    iam.create_policy_version().policy_arn(&arn).policy_document(SEND).send().await.unwrap();
    assert_eq!(code(iam.delete_policy().policy_arn(&arn).send().await), "DeleteConflict");
    iam.delete_policy_version().policy_arn(&arn).version_id("v2").send().await.unwrap();
    assert_eq!(code(iam.delete_policy().policy_arn(&arn).send().await), "none");
    assert_eq!(code(iam.get_policy().policy_arn(&arn).send().await), "NoSuchEntity");
}

#[tokio::test]
async fn a_role_takes_ten_policies() {
    let cloud = cloud(Options::default()).await;
    let iam = Client::new(&administrator(&cloud, ACCOUNT));
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let mut codes = Vec::new();
    for number in 0..11 {
        let made = iam
            .create_policy()
            .policy_name(format!("p{number}"))
            .policy_document(SEND)
            .send()
            .await
            .unwrap();
        let arn = made.policy().unwrap().arn().unwrap().to_owned();
        codes.push(code(iam.attach_role_policy().role_name("r").policy_arn(arn).send().await));
    }
    assert_eq!(codes.iter().filter(|code| *code == "none").count(), 10);
    assert_eq!(codes[10], "LimitExceeded");
}
