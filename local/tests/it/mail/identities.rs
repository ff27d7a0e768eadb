//! Identities that are there already when they are to be made: by an answer that was lost, or by another hand.

use sesinfra_local::{Effect, Fault};

use super::{Stage, errors, ses};

const FILE: &str = r#"
[identities."pivot.app"]
configuration_set = "transactional"
mail_from = { subdomain = "mail" }
feedback_forwarding = false
[configuration_sets.transactional]
"#;
const PLAIN: &str = "[identities.\"pivot.app\"]\n";

#[tokio::test]
async fn a_lost_answer_to_a_create_is_settled_by_the_seal() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    for action in ["ses:CreateEmailIdentity", "ses:CreateConfigurationSet"] {
        stage.cloud.faults().arm(Fault::nth(action, 1, Effect::LoseResponse));
    }
    stage.converge(FILE).await;
    stage.converge("").await;
}

#[tokio::test]
async fn an_identity_that_somebody_made_meanwhile_is_left_alone() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let open = stage.open(PLAIN).await;
    let plan = open.plan().await.unwrap();
    ses(&stage).create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let report = open.carry_out(&plan).await;
    assert!(
        errors(&report).contains("somebody else made an identity of this name"),
        "{}",
        errors(&report)
    );
    let refused = stage.open(PLAIN).await.plan().await.unwrap();
    assert_eq!(refused.refusals.len(), 1, "{:#?}", refused.refusals);
}
