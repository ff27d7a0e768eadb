//! KMS keys of topics and queues: what would make messages vanish is refused before anything is made.

use serde_json::json;
use sesinfra::engine::chain;

use crate::it::account::ACCOUNT;
use crate::it::stage::Stage;

/// A key whose policy lets these services use it, with an alias.
async fn key(stage: &Stage, alias: &str, services: &[&str]) -> String {
    let kms = aws_sdk_kms::Client::new(&stage.clients);
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Allow", "Principal": { "Service": services }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" },
    ] });
    let made = kms.create_key().policy(policy.to_string()).send().await.unwrap();
    let id = made.key_metadata().unwrap().key_id().to_owned();
    kms.create_alias().alias_name(alias).target_key_id(&id).send().await.unwrap();
    id
}

fn files(key: &str) -> [String; 2] {
    [
        format!("[topics.feedback]\nencryption_key = \"{key}\""),
        format!(
            "[queues.inbox]\nencryption = \"{key}\"\n[topics.feedback]\nsubscriptions = [{{ queue = \"inbox\" }}]"
        ),
    ]
}

#[tokio::test]
async fn a_key_whose_policy_names_the_service_is_used_under_any_of_its_names() {
    let stage = Stage::new().await;
    let id = key(&stage, "alias/mail", &["ses.amazonaws.com", "sns.amazonaws.com"]).await;
    for (named, by_id) in files("alias/mail").into_iter().zip(files(&id)) {
        stage.converge(&named).await;
        // The same key by its id is declared anew, and is no other setting.
        let plan = stage.converge(&by_id).await;
        let fields: Vec<&str> = plan
            .pending()
            .flat_map(|change| &*change.fields)
            .map(|field| field.path.as_str())
            .collect();
        assert!(fields.iter().all(|path| *path == "ownership_marks"), "{fields:?}");
    }
    stage.converge("[topics.feedback]").await;
}

#[tokio::test]
async fn a_key_whose_policy_does_not_name_the_service_is_refused_with_what_is_missing() {
    let stage = Stage::new().await;
    key(&stage, "alias/wrong", &["lambda.amazonaws.com"]).await;
    for (file, service) in
        files("alias/wrong").into_iter().zip(["ses.amazonaws.com", "sns.amazonaws.com"])
    {
        let error = chain(&stage.open(&file).await.plan().await.unwrap_err());
        assert!(error.contains(service) && error.contains("kms:GenerateDataKey*"), "{error}");
    }
    assert!(stage.cloud.calls().writes().iter().all(|call| call.starts_with("kms:")));
}

#[tokio::test]
async fn a_key_that_is_not_there_is_refused() {
    let stage = Stage::new().await;
    let [topic, _] = files("alias/nowhere");
    let error = chain(&stage.open(&topic).await.plan().await.unwrap_err());
    assert!(error.contains("there is no KMS key `alias/nowhere`"), "{error}");
}
