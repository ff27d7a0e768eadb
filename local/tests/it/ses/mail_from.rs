//! The custom MAIL FROM domain.

use std::time::Duration;

use aws_sdk_sesv2::types::{BehaviorOnMxFailure as OnFailure, MailFromAttributes};

use super::{Bench, refusal, refused};

async fn shown(bench: &Bench) -> MailFromAttributes {
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    found.mail_from_attributes.unwrap()
}

async fn status(bench: &Bench) -> String {
    shown(bench).await.mail_from_domain_status().as_str().to_owned()
}

impl Bench {
    async fn mail_from(&self) {
        self.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
        self.put_mail_from().mail_from_domain("mail.pivot.app").send().await.unwrap();
    }

    fn put_mail_from(&self) -> aws_sdk_sesv2::operation::put_email_identity_mail_from_attributes::builders::PutEmailIdentityMailFromAttributesFluentBuilder{
        self.ses.put_email_identity_mail_from_attributes().email_identity("pivot.app")
    }
}

const RIGHT: &str = "10 feedback-smtp.us-east-1.amazonses.com";

#[tokio::test]
async fn exactly_one_right_mx_is_wanted() {
    let bench = Bench::start().await;
    bench.mail_from().await;
    assert_eq!(status(&bench).await, "PENDING");
    let publish = async |values: &[&str]| bench.publish("mail.pivot.app", "MX", values).await;
    publish(&["10 inbound-smtp.us-east-1.amazonaws.com"]).await;
    assert_eq!(status(&bench).await, "PENDING");
    publish(&[RIGHT, "20 mx.pivot.app"]).await;
    assert_eq!(status(&bench).await, "PENDING");
    publish(&["10 feedback-smtp.eu-west-1.amazonses.com"]).await;
    assert_eq!(status(&bench).await, "PENDING");
    publish(&[RIGHT]).await;
    assert_eq!(status(&bench).await, "SUCCESS");
    publish(&[RIGHT, "20 mx.pivot.app"]).await;
    assert_eq!(status(&bench).await, "TEMPORARY_FAILURE");
}

#[tokio::test]
async fn one_mx_serves_the_regions_that_use_the_same_domain() {
    let bench = Bench::start().await;
    bench.mail_from().await;
    let west = bench.ses_in("us-west-2");
    west.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let put = west.put_email_identity_mail_from_attributes().email_identity("pivot.app");
    put.mail_from_domain("mail.pivot.app").send().await.unwrap();
    bench.publish("mail.pivot.app", "MX", &["10 feedback-smtp.us-west-2.amazonses.com"]).await;
    assert_eq!(status(&bench).await, "SUCCESS");
}

#[tokio::test]
async fn a_failed_search_is_begun_again_by_the_same_put() {
    let bench = Bench::start().await;
    bench.mail_from().await;
    bench.cloud.advance(Duration::from_hours(72));
    assert_eq!(status(&bench).await, "FAILED");
    bench.publish("mail.pivot.app", "MX", &[RIGHT]).await;
    assert_eq!(status(&bench).await, "FAILED");
    bench.put_mail_from().mail_from_domain("mail.pivot.app").send().await.unwrap();
    assert_eq!(status(&bench).await, "SUCCESS");
}

#[tokio::test]
async fn clearing_the_domain_clears_the_behavior() {
    let bench = Bench::start().await;
    bench.mail_from().await;
    for clear in [None, Some("")] {
        let put = bench.put_mail_from().mail_from_domain("mail.pivot.app");
        put.behavior_on_mx_failure(OnFailure::RejectMessage).send().await.unwrap();
        assert_eq!(shown(&bench).await.behavior_on_mx_failure(), &OnFailure::RejectMessage);
        let put = bench.put_mail_from().set_mail_from_domain(clear.map(str::to_owned));
        put.behavior_on_mx_failure(OnFailure::RejectMessage).send().await.unwrap();
        let shown = shown(&bench).await;
        assert_eq!(shown.behavior_on_mx_failure(), &OnFailure::UseDefaultValue);
        assert_eq!(shown.mail_from_domain(), "");
    }
}

#[tokio::test]
async fn the_domain_must_be_below_the_identity() {
    let bench = Bench::start().await;
    bench.mail_from().await;
    for domain in ["pivot.app", "mail.other.app", "mailpivot.app", "   "] {
        let put = bench.put_mail_from().mail_from_domain(domain);
        refused(put.send().await, "BadRequestException");
    }
    let put = bench.put_mail_from().mail_from_domain("mail.other.app");
    let (_, message) = refusal(put.send().await);
    assert!(message.starts_with("Provided MAIL-FROM domain <mail.other.app> is not subdomain"));
}
