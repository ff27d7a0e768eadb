//! What AWS leaves open, both ways; and what is kept and controlled from outside.

use aws_sdk_sesv2::types::{
    DkimSigningAttributes, DkimSigningAttributesOrigin, DkimSigningKeyLength,
};
use sesinfra_local::Options;
use sesinfra_local::ses::ports::Choices;

use super::super::account::{ACCOUNT, REGION, administrator, cloud};
use super::{Bench, refused};

fn options(ses: Choices) -> Options {
    Options { ses, ..Options::default() }
}

#[tokio::test]
async fn policies_may_need_a_verified_identity() {
    let choices = Choices { policies_need_verification: true, ..Choices::default() };
    let bench = Bench::with(options(choices)).await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let policy = serde_json::json!({
        "Statement": [{
            "Effect": "Allow",
            "Principal": "*",
            "Action": "ses:SendEmail",
            "Resource": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app"),
        }],
    });
    let create = || {
        let create = bench.ses.create_email_identity_policy().email_identity("pivot.app");
        create.policy_name("p").policy(policy.to_string()).send()
    };
    refused(create().await, "BadRequestException");
    for [name, target] in bench.dkim_records(&bench.ses, "pivot.app").await {
        bench.publish(&name, "CNAME", &[&target]).await;
    }
    create().await.unwrap();
}

#[tokio::test]
async fn tokens_may_stay_when_the_key_length_changes() {
    let choices = Choices { key_length_changes_tokens: false, ..Choices::default() };
    let bench = Bench::with(options(choices)).await;
    bench.verified("pivot.app").await;
    let before = bench.dkim_records(&bench.ses, "pivot.app").await;
    let length = DkimSigningAttributes::builder();
    let length = length.next_signing_key_length(DkimSigningKeyLength::Rsa1024Bit).build();
    let put = bench.ses.put_email_identity_dkim_signing_attributes().email_identity("pivot.app");
    let put = put.signing_attributes_origin(DkimSigningAttributesOrigin::AwsSes);
    put.signing_attributes(length).send().await.unwrap();
    assert_eq!(bench.dkim_records(&bench.ses, "pivot.app").await, before);
}

#[tokio::test]
async fn an_empty_suppression_put_may_leave_an_override() {
    let choices = Choices { empty_suppression_inherits: false, ..Choices::default() };
    let bench = Bench::with(options(choices)).await;
    bench.set("main").await;
    let put = bench.ses.put_configuration_set_suppression_options().configuration_set_name("main");
    put.send().await.unwrap();
    let found = bench.ses.get_configuration_set().configuration_set_name("main");
    let group = found.send().await.unwrap().suppression_options.unwrap();
    assert!(group.suppressed_reasons().is_empty());
}

#[tokio::test]
async fn everything_is_kept_between_runs() {
    let data = std::env::temp_dir().join(format!("sesinfra-ses-{}", std::process::id()));
    let kept = || Options { data: Some(data.clone()), ..Options::default() };
    let bench = Bench::with(kept()).await;
    bench.verified("pivot.app").await;
    bench.set("main").await;
    let before = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    bench.cloud.save().unwrap();
    drop(bench);
    let cloud = cloud(kept()).await;
    let ses = aws_sdk_sesv2::Client::new(&administrator(&cloud, ACCOUNT));
    let after = ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    assert!(after.verified_for_sending_status());
    assert_eq!(after.dkim_attributes(), before.dkim_attributes());
    ses.get_configuration_set().configuration_set_name("main").send().await.unwrap();
    std::fs::remove_dir_all(data).unwrap();
}
