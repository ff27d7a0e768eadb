//! Identity policies.

use serde_json::{Value, json};

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refusal, refused};

fn document(change: impl FnOnce(&mut Value)) -> String {
    let mut document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": "999999999999" },
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app"),
        }],
    });
    change(&mut document);
    serde_json::to_string_pretty(&document).unwrap()
}

impl Bench {
    async fn create_policy(
        &self,
        name: &str,
        document: &str,
    ) -> Result<
        aws_sdk_sesv2::operation::create_email_identity_policy::CreateEmailIdentityPolicyOutput,
        aws_sdk_sesv2::error::SdkError<
            aws_sdk_sesv2::operation::create_email_identity_policy::CreateEmailIdentityPolicyError,
        >,
    > {
        let create = self.ses.create_email_identity_policy().email_identity("pivot.app");
        create.policy_name(name).policy(document).send().await
    }
}

#[tokio::test]
async fn a_policy_comes_back_without_whitespace() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let text = document(|_| {});
    bench.create_policy("partner", &text).await.unwrap();
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    let shown = &found.policies().unwrap()["partner"];
    assert!(!shown.contains(char::is_whitespace), "{shown}");
    assert_eq!(
        serde_json::from_str::<Value>(shown).unwrap(),
        serde_json::from_str::<Value>(&text).unwrap()
    );
}

#[tokio::test]
async fn create_and_update_are_not_the_same() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let text = document(|_| {});
    let update = || bench.ses.update_email_identity_policy().email_identity("pivot.app");
    let (code, message) = refusal(update().policy_name("partner").policy(&text).send().await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "Policy <partner> does not exist");
    bench.create_policy("partner", &text).await.unwrap();
    refused(bench.create_policy("partner", &text).await, "AlreadyExistsException");
    update().policy_name("partner").policy(&text).send().await.unwrap();
    let delete = || bench.ses.delete_email_identity_policy().email_identity("pivot.app");
    delete().policy_name("partner").send().await.unwrap();
    refused(delete().policy_name("partner").send().await, "NotFoundException");
}

#[tokio::test]
async fn there_are_twenty_policies_of_four_kilobytes() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let long = document(|document| document["Id"] = "x".repeat(4096).into());
    refused(bench.create_policy("long", &long).await, "BadRequestException");
    for number in 0..20 {
        bench.create_policy(&format!("p{number}"), &document(|_| {})).await.unwrap();
    }
    refused(bench.create_policy("p20", &document(|_| {})).await, "LimitExceededException");
}

#[tokio::test]
async fn a_policy_is_about_its_own_identity_and_about_sending() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let broken: [fn(&mut Value); 5] = [
        |document| document["Statement"][0]["Resource"] = "*".into(),
        |document| document["Statement"][0]["Principal"] = Value::Null,
        |document| document["Statement"][0]["Action"] = "ses:DeleteEmailIdentity".into(),
        |document| document["Statement"][0]["Effect"] = "Maybe".into(),
        |document| document["Statement"] = json!([]),
    ];
    for change in broken {
        refused(bench.create_policy("p", &document(change)).await, "BadRequestException");
    }
    refused(bench.create_policy("p", "{").await, "BadRequestException");
    refused(bench.create_policy("a.b", &document(|_| {})).await, "BadRequestException");
}
