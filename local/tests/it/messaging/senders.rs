//! Send policies and who holds them.

use sesinfra::engine::{Action, Address, Rule, Severity, chain};
use sesinfra_local::{Effect, Fault};

use crate::it::account::ACCOUNT;
use crate::it::stage::Stage;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn arn(rest: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy{rest}")
}

async fn principals(stage: &Stage) -> aws_sdk_iam::Client {
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    for role in ["api", "worker", "theirs"] {
        iam.create_role().role_name(role).assume_role_policy_document(TRUST).send().await.unwrap();
    }
    iam.create_user().user_name("Ann").send().await.unwrap();
    iam.create_group().group_name("ops").send().await.unwrap();
    iam
}

fn policy(from: &str, rest: &str) -> String {
    format!(
        "[send_policies.api]\nfrom = [{from}]\nidentities = [\"arn:aws:ses:us-east-1:{ACCOUNT}:identity/pivot.app\"]\n{rest}"
    )
}

#[tokio::test]
async fn each_setting_is_set_changed_and_unset_without_a_difference_left() {
    let stage = Stage::new().await;
    principals(&stage).await;
    let all = "attach = { roles = [\"api\", \"worker\"], users = [\"Ann\"], groups = [\"ops\"] }";
    stage.converge(&policy("\"*@pivot.app\"", "")).await;
    stage
        .converge(&policy("\"*@pivot.app\"", &format!("{all}\ntags = {{ team = \"mail\" }}")))
        .await;
    stage
        .converge(&policy("\"a@pivot.app\", \"b@pivot.app\"", "attach = { roles = [\"worker\"] }"))
        .await;
    // Another path makes it anew, holders and all.
    let moved = format!("path = \"/mail/\"\n{all}");
    let plan = stage.converge(&policy("\"*@pivot.app\"", &moved)).await;
    assert_eq!(
        plan.change(&address("send_policy.pivot-test-api")).unwrap().action,
        Action::Replace
    );
    stage.converge("").await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let listed = iam.list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).send().await;
    assert!(listed.unwrap().policies().is_empty());
}

#[tokio::test]
async fn a_sixth_version_makes_room_for_itself() {
    let stage = Stage::new().await;
    for number in 0..8 {
        stage.converge(&policy(&format!("\"sender-{number}@pivot.app\""), "")).await;
    }
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let versions =
        iam.list_policy_versions().policy_arn(arn("/pivot-test-api")).send().await.unwrap();
    assert_eq!(versions.versions().len(), 5);
}

#[tokio::test]
async fn a_document_that_means_the_same_is_not_written_again() {
    let stage = Stage::new().await;
    let file = policy("\"*@pivot.app\"", "");
    stage.converge(&file).await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let respelled = format!(
        r#"{{ "Version": "2012-10-17", "Statement": [ {{ "Sid": "Send", "Effect": "Allow",
        "Resource": ["arn:aws:ses:us-east-1:{ACCOUNT}:identity/pivot.app"], "Action": ["SES:sendrawemail", "ses:SendEmail"],
        "Condition": {{ "StringLike": {{ "SES:fromaddress": ["*@pivot.app"] }} }} }} ] }}"#
    );
    let create =
        iam.create_policy_version().policy_arn(arn("/pivot-test-api")).set_as_default(true);
    create.policy_document(respelled).send().await.unwrap();
    stage.expect_nothing(&file).await;
}

#[tokio::test]
async fn what_somebody_else_attached_goes_only_with_a_plan_that_said_so() {
    let stage = Stage::new().await;
    let iam = principals(&stage).await;
    let file = policy("\"*@pivot.app\"", "attach = { roles = [\"api\"] }");
    stage.converge(&file).await;
    let arn = arn("/pivot-test-api");
    iam.attach_role_policy().role_name("theirs").policy_arn(&arn).send().await.unwrap();
    let plan = stage.converge(&file).await;
    assert_eq!(plan.unmanaged[0].address, address("attachment.pivot-test-api/role/theirs"));
    let open = stage.open("").await;
    let plan = open.plan().await.unwrap();
    let change = plan.change(&address("send_policy.pivot-test-api")).unwrap();
    assert_eq!(change.impact.severity, Severity::Irreversible);
    assert!(change.impact.reason.contains("role/theirs"), "{}", change.impact.reason);
    iam.attach_user_policy().user_name("Ann").policy_arn(&arn).send().await.unwrap();
    let report = open.carry_out(&plan).await;
    assert!(format!("{report:?}").contains("since the plan"), "{report:#?}");
    let held = iam.list_entities_for_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!((held.policy_roles().len(), held.policy_users().len()), (1, 1), "{held:?}");
    stage.converge("").await;
    let roles = iam.list_attached_role_policies().role_name("theirs").send().await.unwrap();
    assert!(roles.attached_policies().is_empty(), "{roles:?}");
}

#[tokio::test]
async fn a_holder_that_does_not_exist_is_named_before_anything_is_made() {
    let stage = Stage::new().await;
    principals(&stage).await;
    let file =
        policy("\"*@pivot.app\"", "attach = { roles = [\"apii\", \"api\"], users = [\"bob\"] }");
    let error = stage.open(&file).await.plan().await.unwrap_err();
    let text = chain(&error);
    assert!(
        text.contains("role `apii`") && text.contains("user `bob`") && !text.contains("`api`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_path_and_case() {
    let stage = Stage::new().await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    iam.create_policy()
        .policy_name("Pivot-Test-API")
        .path("/other/")
        .policy_document(document)
        .send()
        .await
        .unwrap();
    let plan = stage.open(&policy("\"*@pivot.app\"", "")).await.plan().await.unwrap();
    let [refusal] = &plan.refusals[..] else { panic!("{:?}", plan.refusals) };
    assert_eq!(refusal.rule, Rule::Unadoptable, "it would keep its own name");
    assert!(refusal.message.contains("Pivot-Test-API"), "{refusal:?}");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_settled_by_the_next_run() {
    let stage = Stage::new().await;
    principals(&stage).await;
    let file = policy("\"*@pivot.app\"", "attach = { roles = [\"api\"] }");
    for action in ["iam:CreatePolicy", "iam:AttachRolePolicy", "iam:TagPolicy"] {
        stage.cloud.faults().arm(Fault::nth(action, 1, Effect::LoseResponse));
        let _ = stage.open(&file).await.apply().await;
        stage.cloud.faults().clear();
        stage.converge(&file).await;
        stage.converge("").await;
    }
}

#[tokio::test]
async fn a_plan_without_changes_takes_one_list_and_a_few_calls_for_each_policy() {
    let stage = Stage::new().await;
    principals(&stage).await;
    let file = policy("\"*@pivot.app\"", "attach = { roles = [\"api\", \"worker\"] }");
    stage.converge(&file).await;
    stage.cloud.calls().clear();
    stage.expect_nothing(&file).await;
    let counts = stage.cloud.calls().counts();
    let iam: Vec<_> = counts.iter().filter(|(action, _)| action.starts_with("iam:")).collect();
    let expected = [
        ("iam:GetPolicy", 1),
        ("iam:GetPolicyVersion", 1),
        ("iam:ListEntitiesForPolicy", 1),
        ("iam:ListPolicies", 1),
    ];
    assert!(iam.iter().map(|(action, count)| (action.as_str(), **count)).eq(expected), "{iam:?}");
}

/// As somebody who has to mend things at once writes another document.
async fn by_hand(iam: &aws_sdk_iam::Client, document: &str) {
    let made = iam.create_policy_version().policy_arn(arn("/pivot-test-api")).set_as_default(true);
    made.policy_document(document).send().await.unwrap();
}

#[tokio::test]
async fn closing_what_was_opened_by_hand_is_no_loss_of_mail_but_an_address_is() {
    let stage = Stage::new().await;
    let iam = principals(&stage).await;
    let file = policy("\"*@pivot.app\"", "attach = { roles = [\"api\"] }");
    stage.converge(&file).await;
    let impact = async |file: &str| {
        let plan = stage.open(file).await.plan().await.unwrap();
        let change = plan.change(&address("send_policy.pivot-test-api")).unwrap();
        (change.impact.severity, change.impact.reason.clone())
    };
    let open = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Send","Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#;
    by_hand(&iam, open).await;
    let (severity, reason) = impact(&file).await;
    assert_eq!(severity, Severity::Safe, "{reason}");
    assert!(reason.contains("put in by hand: *, mail from *, ses:*"), "{reason}");
    // With another file it cannot be told who granted what.
    let narrower = policy("\"a@pivot.app\"", "attach = { roles = [\"api\"] }");
    assert_eq!(impact(&narrower).await.0, Severity::StopsMail);
    stage.converge(&file).await;
    // An address that was let in by hand may be one that somebody needs.
    let resource = format!("arn:aws:ses:us-east-1:{ACCOUNT}:identity/pivot.app");
    let wider = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Send","Effect":"Allow","Action":["ses:SendEmail","ses:SendRawEmail"],"Resource":"{resource}","Condition":{{"StringLike":{{"ses:FromAddress":["*@pivot.app","*@other.app"]}}}}}}]}}"#
    );
    by_hand(&iam, &wider).await;
    let (severity, reason) = impact(&file).await;
    assert_eq!(severity, Severity::StopsMail);
    assert!(reason.contains("mail from *@other.app"), "{reason}");
}
