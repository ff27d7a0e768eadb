//! Letting go, on the real kinds: everything stays as it is, and is nobody's.

use super::{FULL, TAGGED};
use crate::it::marks::Tagged;
use crate::it::project::Project;

async fn applied(name: &str) -> Project {
    let project = Project::with(name, FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project
}

async fn listed(project: &Project) -> String {
    project.expect(0, &["list", "prod"]).await.output
}

#[tokio::test]
async fn everything_can_be_let_go_of_and_taken_up_again() {
    let project = applied("releasing-all").await;
    let addresses: Vec<String> =
        TAGGED.iter().map(|(kind, name)| format!("{kind}.{name}")).collect();
    let mut arguments = vec!["release", "prod", "--yes"];
    arguments.extend(addresses.iter().map(String::as_str));
    let ran = project.expect(0, &arguments).await;
    assert!(
        ran.output.contains("\nPlan: 0 to add, 0 to change, 0 to destroy, 11 to forget."),
        "{}",
        ran.output
    );
    assert!(ran.output.ends_with("Release complete! Resources: 11 forgotten.\n"), "{}", ran.output);
    for said in ["take out [topics.feedback]", "give its ARN: arn:aws:sns", "[send_policies.api]"] {
        assert!(ran.errors.contains(said), "no `{said}` in {}", ran.errors);
    }
    for (kind, name) in TAGGED {
        let tags = Tagged::new(&project.clients(), kind, name).tags().await.unwrap();
        assert!(!tags.keys().any(|key| key.starts_with("sesinfra:")), "{kind}: {tags:?}");
    }
    assert!(!listed(&project).await.contains("topic.feedback"));
    let again = project.expect(0, &arguments).await;
    assert!(again.output.contains("No changes."), "{}", again.output);
    // Destroying now takes nothing.
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    for (kind, name) in TAGGED {
        assert!(Tagged::new(&project.clients(), kind, name).tags().await.is_some(), "{kind}");
    }
    let plan = project.expect(0, &["plan", "prod", "--adopt-all"]).await;
    assert!(
        plan.output.contains("Plan: 11 to import, 0 to add, 0 to change, 0 to destroy."),
        "{}",
        plan.output
    );
    project.expect(0, &["apply", "prod", "--adopt-all", "--yes"]).await;
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn a_child_can_be_let_go_of_alone_and_the_file_is_kept_in_step() {
    let project = applied("releasing-child").await;
    let subscription = "subscription.feedback/sqs:arn:aws:sqs:us-east-1:123456789012:feedback";
    let ran = project.expect(0, &["release", "prod", subscription, "--yes"]).await;
    assert!(ran.errors.contains("out of `subscriptions` in [topics.feedback]"), "{}", ran.errors);
    assert!(!listed(&project).await.contains("subscription."));
    let asked = project.expect(3, &["plan", "prod"]).await;
    assert!(asked.output.contains(&format!("--adopt '{subscription}'")), "{}", asked.output);
    project.write("prod", &FULL.replace("subscriptions = [{ queue = \"feedback\" }]", ""));
    let kept = project.expect(0, &["plan", "prod"]).await;
    assert!(
        kept.output.contains(&format!("  {subscription} (under topic.feedback)")),
        "{}",
        kept.output
    );
    assert!(!kept.output.contains("destroyed"), "{}", kept.output);
}

#[tokio::test]
async fn records_are_let_go_of_by_their_claim_and_stay() {
    let project = applied("releasing-records").await;
    let ran = project.expect(0, &["release", "prod", "dns.pivot.app", "--yes"]).await;
    assert!(
        ran.errors.contains("set dns = \"manual\" in [identities.\"pivot.app\"]"),
        "{}",
        ran.errors
    );
    project.write("prod", &FULL.replace("mail_from =", "dns = \"manual\"\nmail_from ="));
    let plan = project.expect(0, &["plan", "prod"]).await;
    assert!(!plan.output.contains("dns.pivot.app"), "{}", plan.output);
    assert!(
        plan.output.contains("DNS records that others publish are all there"),
        "{}",
        plan.output
    );
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn what_cannot_be_let_go_of_is_said() {
    let project = applied("releasing-wrong").await;
    let ran = project.expect(1, &["release", "prod", "mail_from.pivot.app", "--yes"]).await;
    assert!(ran.errors.contains("is a setting of identity.pivot.app"), "{}", ran.errors);
    let ran = project.expect(1, &["release", "prod", "topic.nothing", "--yes"]).await;
    assert!(ran.errors.contains("neither declared nor owned"), "{}", ran.errors);
    let ran = project.expect(3, &["release", "prod", "topic.feedback"]).await;
    assert!(ran.errors.contains("no terminal to ask at"), "{}", ran.errors);
}

#[tokio::test]
async fn a_policy_that_others_attached_goes_only_when_that_is_allowed_and_from_them_too() {
    let project = applied("releasing-attached").await;
    let iam = aws_sdk_iam::Client::new(&project.clients());
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name("reports").assume_role_policy_document(trust).send().await.unwrap();
    let arn = "arn:aws:iam::123456789012:policy/pivot-prod-api";
    iam.attach_role_policy().role_name("reports").policy_arn(arn).send().await.unwrap();
    let without = FULL.split("[send_policies.api]").next().unwrap();
    project.write("prod", without);
    let ran = project.expect(3, &["apply", "prod", "--yes"]).await;
    assert!(ran.output.contains("attachment.pivot-prod-api/role/reports"), "{}", ran.output);
    let allowed = ["apply", "prod", "--yes", "--allow", "send_policy.pivot-prod-api"];
    let ran = project.expect(0, &allowed).await;
    let said = "Not made by sesinfra, and lost with what it is under:\n\n  attachment.pivot-prod-api/role/reports";
    assert!(ran.output.contains(said), "{}", ran.output);
    assert_eq!(Tagged::new(&project.clients(), "send_policy", "pivot-prod-api").tags().await, None);
    let left = iam.list_attached_role_policies().role_name("reports").send().await.unwrap();
    assert!(left.attached_policies().is_empty());
}
