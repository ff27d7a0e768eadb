//! DKIM: verification by records, key lengths, keys brought along, replicas.

use std::time::Duration;

use aws_sdk_sesv2::operation::create_email_identity::builders::CreateEmailIdentityFluentBuilder;
use aws_sdk_sesv2::operation::put_email_identity_dkim_signing_attributes::builders::PutEmailIdentityDkimSigningAttributesFluentBuilder;
use aws_sdk_sesv2::types::{
    DkimAttributes, DkimSigningAttributes, DkimSigningAttributesOrigin as Origin,
    DkimSigningKeyLength as Length, DkimStatus, VerificationStatus,
};
use sesinfra_local::Options;

use super::{Bench, refused};

/// A 1024-bit RSA key as OpenSSL writes it, and the public key that belongs to it.
const PRIVATE_KEY: &str = include_str!("keys/rsa1024.private");
const PUBLIC_KEY: &str = include_str!("keys/rsa1024.public");
/// The same key in the general form, a key that is too long, and one of another kind.
const GENERAL_KEY: &str = include_str!("keys/rsa1024.pkcs8");
const LONG_KEY: &str = include_str!("keys/rsa4096.private");
const OTHER_KEY: &str = include_str!("keys/ec.private");

async fn dkim(ses: &aws_sdk_sesv2::Client) -> DkimAttributes {
    let found = ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    found.dkim_attributes.unwrap()
}

fn brought(selector: &str, key: &str) -> DkimSigningAttributes {
    let signing = DkimSigningAttributes::builder().domain_signing_selector(selector);
    signing.domain_signing_private_key(key.trim()).build()
}

fn length(length: Length) -> DkimSigningAttributes {
    DkimSigningAttributes::builder().next_signing_key_length(length).build()
}

fn replica(origin: Origin) -> DkimSigningAttributes {
    DkimSigningAttributes::builder().domain_signing_attributes_origin(origin).build()
}

impl Bench {
    fn put_signing(&self, origin: Origin) -> PutEmailIdentityDkimSigningAttributesFluentBuilder {
        let put = self.ses.put_email_identity_dkim_signing_attributes();
        put.email_identity("pivot.app").signing_attributes_origin(origin)
    }

    fn create(&self, signing: DkimSigningAttributes) -> CreateEmailIdentityFluentBuilder {
        let create = self.ses.create_email_identity().email_identity("pivot.app");
        create.dkim_signing_attributes(signing)
    }
}

#[tokio::test]
async fn all_three_records_verify_a_domain_and_two_do_not() {
    let bench = Bench::start().await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let records = bench.dkim_records(&bench.ses, "pivot.app").await;
    for [name, target] in &records[..2] {
        bench.publish(name, "CNAME", &[target]).await;
    }
    let get = || bench.ses.get_email_identity().email_identity("pivot.app").send();
    let found = get().await.unwrap();
    assert_eq!(found.verification_status(), Some(&VerificationStatus::Pending));
    let information = found.verification_info().unwrap();
    assert_eq!(information.error_type().unwrap().as_str(), "HOST_NOT_FOUND");
    let [name, target] = &records[2];
    bench.publish(name, "CNAME", &["elsewhere.example"]).await;
    let found = get().await.unwrap();
    let information = found.verification_info().unwrap();
    assert_eq!(information.error_type().unwrap().as_str(), "INVALID_VALUE");
    bench.publish(name, "CNAME", &[target]).await;
    let found = get().await.unwrap();
    assert!(found.verified_for_sending_status());
    assert_eq!(found.verification_status(), Some(&VerificationStatus::Success));
    assert_eq!(found.dkim_attributes().unwrap().status(), Some(&DkimStatus::Success));
}

#[tokio::test]
async fn right_records_are_noticed_after_a_while() {
    let options = Options { verification: Duration::from_mins(5), ..Options::default() };
    let bench = Bench::with(options).await;
    bench.verified("pivot.app").await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Pending));
    bench.cloud.advance(Duration::from_mins(6));
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Success));
}

#[tokio::test]
async fn lost_records_are_forgiven_for_three_days_and_then_the_search_is_over() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Success));
    let [name, target] = bench.dkim_records(&bench.ses, "pivot.app").await.remove(0);
    bench.withdraw(&name, "CNAME", &[&target]).await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::TemporaryFailure));
    bench.cloud.advance(Duration::from_hours(73));
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Failed));
    bench.publish(&name, "CNAME", &[&target]).await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Failed));
}

#[tokio::test]
async fn a_key_length_is_changed_once_a_day_and_never_to_itself() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let before = dkim(&bench.ses).await;
    let put = |wanted| bench.put_signing(Origin::AwsSes).signing_attributes(length(wanted)).send();
    refused(put(Length::Rsa2048Bit).await, "BadRequestException");
    put(Length::Rsa1024Bit).await.unwrap();
    let after = dkim(&bench.ses).await;
    assert_eq!(after.next_signing_key_length(), Some(&Length::Rsa1024Bit));
    assert_eq!(after.current_signing_key_length(), Some(&Length::Rsa2048Bit));
    assert_eq!(after.status(), Some(&DkimStatus::Pending));
    assert_ne!(before.tokens(), after.tokens());
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    assert!(found.verified_for_sending_status());
    refused(put(Length::Rsa2048Bit).await, "BadRequestException");
    bench.cloud.advance(Duration::from_hours(24));
    put(Length::Rsa2048Bit).await.unwrap();
    // A day's first change down is the exception; going up again after it is not.
    put(Length::Rsa1024Bit).await.unwrap();
    refused(put(Length::Rsa2048Bit).await, "BadRequestException");
}

#[tokio::test]
async fn a_brought_key_verifies_by_its_own_record_and_is_never_shown() {
    let bench = Bench::start().await;
    bench.create(brought("s1", PRIVATE_KEY)).send().await.unwrap();
    let shown = dkim(&bench.ses).await;
    assert_eq!(shown.signing_attributes_origin(), Some(&Origin::External));
    assert_eq!(shown.signing_hosted_zone(), None);
    assert_eq!(shown.tokens(), ["s1"]);
    let name = "s1._domainkey.pivot.app";
    bench.publish(name, "TXT", &[r#""p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB""#]).await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Pending));
    let (first, rest) = PUBLIC_KEY.trim().split_at(100);
    bench.publish(name, "TXT", &[&format!(r#""v=DKIM1; p={first}" "{rest}""#)]).await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Success));
    let kept = serde_json::to_string(&*bench.cloud.world().ses.read()).unwrap();
    assert!(!kept.contains(&PRIVATE_KEY.trim()[..60]));
}

#[tokio::test]
async fn keys_and_selectors_are_checked() {
    let bench = Bench::start().await;
    for (selector, key) in [
        ("s_1", PRIVATE_KEY),
        ("-s1", PRIVATE_KEY),
        ("a.b", PRIVATE_KEY),
        ("s1", "-----BEGIN RSA PRIVATE KEY-----"),
        ("s1", "c2VjcmV0"),
        ("s1", LONG_KEY),
        ("s1", OTHER_KEY),
    ] {
        refused(bench.create(brought(selector, key)).send().await, "BadRequestException");
    }
    let no_key = DkimSigningAttributes::builder().domain_signing_selector("s1").build();
    refused(bench.create(no_key).send().await, "BadRequestException");
    bench.create(brought("s1", GENERAL_KEY)).send().await.unwrap();
    refused(bench.put_signing(Origin::External).send().await, "BadRequestException");
    let put = bench.put_signing(Origin::External).signing_attributes(length(Length::Rsa1024Bit));
    refused(put.send().await, "BadRequestException");
}

#[tokio::test]
async fn switching_keys_leaves_mail_unsigned_until_the_new_one_is_found() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Success));
    let put = bench.put_signing(Origin::External).signing_attributes(brought("s1", PRIVATE_KEY));
    let reply = put.send().await.unwrap();
    assert_eq!(reply.dkim_status(), Some(&DkimStatus::Pending));
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    assert_eq!(found.dkim_attributes().unwrap().status(), Some(&DkimStatus::Pending));
    assert!(found.verified_for_sending_status());
    let name = "s1._domainkey.pivot.app";
    bench.publish(name, "TXT", &[&format!(r#""p={}""#, PUBLIC_KEY.trim())]).await;
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Success));
    let reply = bench.put_signing(Origin::AwsSes).send().await.unwrap();
    assert_eq!(reply.dkim_tokens().len(), 3);
    assert!(reply.signing_hosted_zone().is_some());
    assert_eq!(dkim(&bench.ses).await.status(), Some(&DkimStatus::Pending));
}

#[tokio::test]
async fn an_address_has_no_signing_of_its_own() {
    let bench = Bench::start().await;
    let create = bench.ses.create_email_identity().email_identity("a@pivot.app");
    let create = create.dkim_signing_attributes(length(Length::Rsa1024Bit));
    refused(create.send().await, "BadRequestException");
    let put = bench.ses.put_email_identity_dkim_signing_attributes().email_identity("a@pivot.app");
    let put = put.signing_attributes_origin(Origin::AwsSes);
    refused(put.send().await, "BadRequestException");
}

#[tokio::test]
async fn a_replica_signs_with_its_parents_key_and_keeps_the_parent_alive() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let west = bench.ses_in("us-west-2");
    let create = west.create_email_identity().email_identity("pivot.app");
    create.dkim_signing_attributes(replica(Origin::AwsSesUsEast1)).send().await.unwrap();
    let found = west.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    assert!(found.verified_for_sending_status());
    let shown = found.dkim_attributes().unwrap();
    assert_eq!(shown.signing_attributes_origin(), Some(&Origin::AwsSesUsEast1));
    assert_eq!(shown.tokens(), dkim(&bench.ses).await.tokens());
    let put = west.put_email_identity_dkim_signing_attributes().email_identity("pivot.app");
    let put = put.signing_attributes_origin(Origin::AwsSes);
    refused(put.send().await, "BadRequestException");
    let delete = || bench.ses.delete_email_identity().email_identity("pivot.app").send();
    refused(delete().await, "BadRequestException");
    west.delete_email_identity().email_identity("pivot.app").send().await.unwrap();
    delete().await.unwrap();
}

async fn problem(ses: &aws_sdk_sesv2::Client) -> String {
    let found = ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    found.verification_info.unwrap().error_type.unwrap().as_str().to_owned()
}

#[tokio::test]
async fn what_cannot_be_a_parent_shows_as_an_error_of_the_replica() {
    let bench = Bench::start().await;
    let west = bench.ses_in("us-west-2");
    let create = west.create_email_identity().email_identity("pivot.app");
    create.dkim_signing_attributes(replica(Origin::AwsSesUsEast1)).send().await.unwrap();
    assert_eq!(problem(&west).await, "REPLICATION_PRIMARY_NOT_FOUND");
    bench.create(brought("s1", PRIVATE_KEY)).send().await.unwrap();
    assert_eq!(problem(&west).await, "REPLICATION_PRIMARY_BYO_DKIM_NOT_SUPPORTED");
    let north = bench.ses_in("eu-north-1");
    let create = north.create_email_identity().email_identity("pivot.app");
    create.dkim_signing_attributes(replica(Origin::AwsSesUsWest2)).send().await.unwrap();
    assert_eq!(problem(&north).await, "REPLICATION_REPLICA_AS_PRIMARY_NOT_SUPPORTED");
}

#[tokio::test]
async fn a_replica_is_made_only_at_create_and_of_another_region() {
    let bench = Bench::start().await;
    refused(bench.create(replica(Origin::AwsSesUsEast1)).send().await, "BadRequestException");
    refused(bench.create(replica(Origin::External)).send().await, "BadRequestException");
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    refused(bench.put_signing(Origin::AwsSesUsWest2).send().await, "BadRequestException");
}

#[tokio::test]
async fn tokens_are_the_same_in_whatever_order_identities_are_made_and_new_ones_when_made_again() {
    const NAMES: [&str; 3] = ["pivot.app", "other.app", "third.app"];
    let mut seen = Vec::new();
    for order in [[0, 1, 2], [2, 0, 1]] {
        let bench = Bench::start().await;
        for index in order {
            bench.ses.create_email_identity().email_identity(NAMES[index]).send().await.unwrap();
        }
        seen.push(dkim(&bench.ses).await.tokens().to_vec());
        bench.ses.delete_email_identity().email_identity("pivot.app").send().await.unwrap();
        bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
        seen.push(dkim(&bench.ses).await.tokens().to_vec());
    }
    assert_eq!(seen[..2], seen[2..]);
    assert_ne!(seen[0], seen[1]);
}
