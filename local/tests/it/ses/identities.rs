//! Identities as such.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sesv2::operation::list_email_identities::ListEmailIdentitiesOutput;
use aws_sdk_sesv2::types::{DkimStatus, IdentityFilterKey, IdentityType, VerificationStatus};

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refusal, refused};

#[tokio::test]
async fn a_new_domain_has_three_tokens_and_waits() {
    let bench = Bench::start().await;
    let made = bench.ses.create_email_identity().email_identity("Pivot.App").send().await.unwrap();
    assert_eq!(made.identity_type(), Some(&IdentityType::Domain));
    assert!(!made.verified_for_sending_status());
    let dkim = made.dkim_attributes().unwrap();
    assert_eq!(dkim.status(), Some(&DkimStatus::NotStarted));
    assert_eq!(dkim.tokens().len(), 3);
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    let dkim = found.dkim_attributes().unwrap();
    assert_eq!(dkim.status(), Some(&DkimStatus::Pending));
    assert_eq!(dkim.next_signing_key_length().unwrap().as_str(), "RSA_2048_BIT");
    assert_eq!(dkim.current_signing_key_length().unwrap().as_str(), "RSA_2048_BIT");
    assert_eq!(dkim.signing_attributes_origin().unwrap().as_str(), "AWS_SES");
    assert!(found.feedback_forwarding_status());
    assert_eq!(found.configuration_set_name(), None);
    assert_eq!(found.verification_status(), Some(&VerificationStatus::Pending));
    let mail_from = found.mail_from_attributes().unwrap();
    assert_eq!(mail_from.behavior_on_mx_failure().as_str(), "USE_DEFAULT_VALUE");
    assert_eq!(mail_from.mail_from_domain(), "");
}

#[tokio::test]
async fn a_new_address_has_no_keys_and_waits_for_its_owner() {
    let bench = Bench::start().await;
    let address = "Ops@pivot.app";
    bench.ses.create_email_identity().email_identity(address).send().await.unwrap();
    let get = || bench.ses.get_email_identity().email_identity(address).send();
    let found = get().await.unwrap();
    let dkim = found.dkim_attributes().unwrap();
    assert_eq!(dkim.status(), Some(&DkimStatus::NotStarted));
    assert_eq!(dkim.next_signing_key_length().unwrap().as_str(), "RSA_1024_BIT");
    assert!(dkim.tokens().is_empty());
    assert!(!found.verified_for_sending_status());
    // The case of an address counts.
    let other = bench.ses.get_email_identity().email_identity("ops@pivot.app");
    refused(other.send().await, "NotFoundException");
    assert!(bench.behind().follow_link(ACCOUNT, REGION, address));
    assert!(get().await.unwrap().verified_for_sending_status());
}

#[tokio::test]
async fn the_link_in_a_verification_mail_is_good_for_a_day() {
    let bench = Bench::start().await;
    let address = "ops@pivot.app";
    bench.ses.create_email_identity().email_identity(address).send().await.unwrap();
    bench.cloud.advance(Duration::from_hours(25));
    assert!(!bench.behind().follow_link(ACCOUNT, REGION, address));
    let found = bench.ses.get_email_identity().email_identity(address).send().await.unwrap();
    assert_eq!(found.verification_status(), Some(&VerificationStatus::Failed));
}

#[tokio::test]
async fn an_unknown_default_set_keeps_the_identity_from_being_made() {
    let bench = Bench::start().await;
    let create = bench.ses.create_email_identity().email_identity("pivot.app");
    refused(create.configuration_set_name("main").send().await, "NotFoundException");
    let get = bench.ses.get_email_identity().email_identity("pivot.app");
    refused(get.send().await, "NotFoundException");
}

#[tokio::test]
async fn names_are_taken_once_and_gone_is_gone() {
    let bench = Bench::start().await;
    let create = || bench.ses.create_email_identity().email_identity("pivot.app").send();
    create().await.unwrap();
    let (code, message) = refusal(create().await);
    assert_eq!(code, "AlreadyExistsException");
    assert_eq!(message, "Email identity pivot.app already exist.");
    let delete = || bench.ses.delete_email_identity().email_identity("pivot.app").send();
    delete().await.unwrap();
    refused(delete().await, "NotFoundException");
    for name in ["pivot", "a b@pivot.app", "pivot..app", "@pivot.app"] {
        let create = bench.ses.create_email_identity().email_identity(name);
        refused(create.send().await, "BadRequestException");
    }
}

#[tokio::test]
async fn what_is_made_again_gets_other_tokens_and_so_does_another_region() {
    let bench = Bench::start().await;
    let west = bench.ses_in("us-west-2");
    let mut seen = BTreeSet::new();
    for ses in [&bench.ses, &west] {
        ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
        seen.extend(bench.dkim_records(ses, "pivot.app").await);
    }
    bench.ses.delete_email_identity().email_identity("pivot.app").send().await.unwrap();
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    seen.extend(bench.dkim_records(&bench.ses, "pivot.app").await);
    assert_eq!(seen.len(), 9);
}

#[tokio::test]
async fn the_signing_zone_is_not_the_same_for_all() {
    let bench = Bench::start().await;
    let mut zones = BTreeSet::new();
    for number in 0..12 {
        let name = format!("d{number}.pivot.app");
        bench.ses.create_email_identity().email_identity(&name).send().await.unwrap();
        let [_, target] = bench.dkim_records(&bench.ses, &name).await.remove(0);
        zones.insert(target.split_once('.').unwrap().1.to_owned());
    }
    assert!(zones.contains("dkim.amazonses.com"), "{zones:?}");
    assert!(zones.iter().any(|zone| zone.ends_with(".dkim.us-east-1.amazonses.com")), "{zones:?}");
}

#[tokio::test]
async fn puts_on_an_identity_that_is_not_there_are_bad_requests() {
    let bench = Bench::start().await;
    let ses = &bench.ses;
    let feedback = ses.put_email_identity_feedback_attributes().email_identity("no.app");
    refused(feedback.email_forwarding_enabled(true).send().await, "BadRequestException");
    let mail_from = ses.put_email_identity_mail_from_attributes().email_identity("no.app");
    let (code, message) = refusal(mail_from.mail_from_domain("mail.no.app").send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "Identity <no.app> does not exist.");
    let dkim = ses.put_email_identity_dkim_attributes().email_identity("no.app");
    let (code, message) = refusal(dkim.signing_enabled(true).send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "Domain no.app is not verified for DKIM signing.");
}

#[tokio::test]
async fn a_flag_that_is_left_out_is_false() {
    let bench = Bench::start().await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let feedback = bench.ses.put_email_identity_feedback_attributes().email_identity("pivot.app");
    feedback.send().await.unwrap();
    let dkim = bench.ses.put_email_identity_dkim_attributes().email_identity("pivot.app");
    dkim.send().await.unwrap();
    let found = bench.ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
    assert!(!found.feedback_forwarding_status());
    assert!(!found.dkim_attributes().unwrap().signing_enabled());
}

#[tokio::test]
async fn the_default_set_is_cleared_by_leaving_it_out() {
    let bench = Bench::start().await;
    bench.set("main").await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let put =
        || bench.ses.put_email_identity_configuration_set_attributes().email_identity("pivot.app");
    let get = || bench.ses.get_email_identity().email_identity("pivot.app").send();
    put().configuration_set_name("main").send().await.unwrap();
    assert_eq!(get().await.unwrap().configuration_set_name(), Some("main"));
    refused(put().configuration_set_name("other").send().await, "NotFoundException");
    put().configuration_set_name("").send().await.unwrap();
    assert_eq!(get().await.unwrap().configuration_set_name(), Some(""));
    put().send().await.unwrap();
    assert_eq!(get().await.unwrap().configuration_set_name(), None);
}

fn names(found: &ListEmailIdentitiesOutput) -> Vec<&str> {
    found.email_identities().iter().map(|found| found.identity_name().unwrap()).collect()
}

#[tokio::test]
async fn the_list_filters_and_pages() {
    let bench = Bench::start().await;
    bench.verified("a.pivot.app").await;
    for name in ["b.pivot.app", "c.other.app", "d@pivot.app"] {
        bench.ses.create_email_identity().email_identity(name).send().await.unwrap();
    }
    let list = || bench.ses.list_email_identities();
    let part = list().filter(IdentityFilterKey::IdentityNameContains, "pivot");
    assert_eq!(names(&part.send().await.unwrap()), ["a.pivot.app", "b.pivot.app", "d@pivot.app"]);
    let kind = list().filter(IdentityFilterKey::IdentityType, "EMAIL_ADDRESS");
    assert_eq!(names(&kind.send().await.unwrap()), ["d@pivot.app"]);
    let status = list().filter(IdentityFilterKey::VerificationStatus, "SUCCESS");
    assert_eq!(names(&status.send().await.unwrap()), ["a.pivot.app"]);
    let first = list().page_size(3).send().await.unwrap();
    assert_eq!(names(&first).len(), 3);
    let second = list().page_size(3).next_token(first.next_token().unwrap());
    let second = second.send().await.unwrap();
    assert_eq!(second.next_token(), None);
    assert_eq!(names(&second), ["d@pivot.app"]);
    refused(list().page_size(1001).send().await, "BadRequestException");
    refused(list().next_token("what").send().await, "InvalidNextTokenException");
}
