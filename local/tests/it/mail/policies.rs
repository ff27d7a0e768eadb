//! Sending authorization: policies of ours, and those of others on the same identity.

use std::time::Duration;

use sesinfra::engine::Action;

use super::{Stage, address, ses, waiting};
use crate::it::account::{ACCOUNT, REGION};

const FILE: &str = r#"
[identities."pivot.app"]
[identities."pivot.app".policies.partner]
principals = ["210987654321"]
from = ["*@pivot.app"]
[identities."pivot.app".policies.other]
principals = ["arn:aws:iam::210987654321:role/sender"]
actions = ["send-raw-email"]
"#;

fn by_hand() -> String {
    format!(
        r#"{{ "Version": "2008-10-17", "Statement": {{ "Effect": "Allow", "Principal": "*", "Action": "SES:SendEmail",
              "Resource": "arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app" }} }}"#
    )
}

#[tokio::test]
async fn what_was_changed_or_deleted_by_hand_is_put_right() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(FILE).await;
    let client = ses(&stage);
    let update = client.update_email_identity_policy().email_identity("pivot.app");
    update.policy_name("partner").policy(by_hand()).send().await.unwrap();
    let delete = client.delete_email_identity_policy().email_identity("pivot.app");
    delete.policy_name("other").send().await.unwrap();
    let plan = stage.converge(FILE).await;
    let action = |name: &str| plan.change(&address(name)).unwrap().action;
    assert_eq!(action("identity_policy.pivot.app/partner"), Action::Update);
    assert_eq!(action("identity_policy.pivot.app/other"), Action::Create);
}

#[tokio::test]
async fn a_policy_waits_where_ses_wants_a_verified_identity() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.cloud.change(|options| {
        options.verification = Duration::from_hours(1);
        options.ses.policies_need_verification = true;
    });
    let (_, report) = stage.open(FILE).await.apply().await;
    assert_eq!(waiting(&report).len(), 2, "{report:#?}");
    let plan = stage.open(FILE).await.plan().await.unwrap();
    let change = plan.change(&address("identity_policy.pivot.app/partner")).unwrap();
    assert_eq!(change.deferred.as_deref(), Some("pivot.app is not verified yet"));
    stage.cloud.advance(Duration::from_hours(2));
    stage.converge(FILE).await;
}
