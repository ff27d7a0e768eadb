//! What a change of a send policy takes away, and whose credentials a run uses.

use super::*;

fn statement(resources: &[&str], from: &[&str]) -> Policy {
    let send = Statement::allow()
        .may(["ses:SendEmail", "ses:SendRawEmail"])
        .on(resources.iter().copied())
        .when("StringLike", "ses:FromAddress", from.iter().copied());
    Policy::new([("Send", send)])
}

#[test]
fn the_caller_is_a_role_or_a_user() {
    let name = |arn: &str| principal_of(arn).map(|it| it.to_string());
    assert_eq!(
        name("arn:aws:sts::123456789012:assumed-role/sesinfra-apply/run"),
        Some("role/sesinfra-apply".to_owned())
    );
    assert_eq!(name("arn:aws:iam::123456789012:user/ops/ann"), Some("user/ann".to_owned()));
    assert_eq!(name("arn:aws:iam::123456789012:root"), None);
}

#[test]
fn a_set_that_goes_may_be_used_until_the_end_and_nothing_else_stays() {
    let old = statement(&["set/old", "identity/old"], &["*@a", "*@b"]);
    let new = statement(&["set/new"], &["*@a"]);
    let meanwhile = document_meanwhile("set/", &old, &new);
    assert_eq!(meanwhile, Some(statement(&["set/new", "set/old"], &["*@a"])));
    assert_eq!(document_meanwhile("set/", &new, &new), None);
    assert_eq!(document_meanwhile("set/", &statement(&["identity/old"], &["*@b"]), &new), None);
    let long = "set/".to_owned() + &"x".repeat(DOCUMENT_LENGTH_MAX);
    assert_eq!(document_meanwhile("set/", &statement(&[&long], &["*@a"]), &new), None);
}

#[test]
fn what_no_file_grants_is_told_from_what_one_might() {
    for by_hand in ["*", "ses:*", "mail from *", "arn:aws:ses:*:*:*", "s3:Get*"] {
        assert!(is_beyond_files(by_hand), "{by_hand}");
    }
    for meant in [
        "ses:sendemail",
        "mail from *@b.app",
        "arn:aws:ses:us-east-1:123456789012:identity/b.app",
        "arn:aws:ses:us-east-1:123456789012:identity/*",
        "arn:aws:ses:us-east-1:123456789012:configuration-set/*",
    ] {
        assert!(!is_beyond_files(meant), "{meant}");
    }
}
