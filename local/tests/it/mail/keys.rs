//! Keys: one change of length a day, and a run cut off around a new key of one's own.

use std::time::Duration;

use aws_sdk_sesv2::types::{DkimAttributes, DkimStatus};
use sesinfra_local::{Effect, Fault};

use super::{Stage, errors, paths, ses};

const EASY: &str = "[identities.\"pivot.app\"]\ndkim = { key = \"rsa-2048\" }\n";
const SHORT: &str = "[identities.\"pivot.app\"]\ndkim = { key = \"rsa-1024\" }\n";
const DAY: Duration = Duration::from_hours(24);
const FIRST: &str = include_str!("../ses/keys/rsa1024.private");
const SECOND: &str = include_str!("../ses/keys/second1024.private");

fn own(key: &str) -> String {
    format!(
        "[identities.\"pivot.app\"]\ndkim = {{ selector = \"s1\", private_key = {{ file = \"{key}\" }} }}\n"
    )
}

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.write("first.key", FIRST);
    stage.write("second.key", SECOND);
    stage
}

async fn dkim(stage: &Stage) -> DkimAttributes {
    let read = ses(stage).get_email_identity().email_identity("pivot.app").send().await.unwrap();
    read.dkim_attributes.unwrap()
}

#[tokio::test]
async fn the_length_of_a_key_changes_once_a_day() {
    let stage = stage().await;
    stage.converge(EASY).await;
    let before = dkim(&stage).await;
    let plan = stage.converge(SHORT).await;
    assert_eq!(paths(&plan, "identity.pivot.app"), ["easy_key"]);
    assert_ne!(dkim(&stage).await.tokens, before.tokens);
    let (_, report) = stage.open(EASY).await.apply().await;
    assert!(errors(&report).contains("once in 24 hours: not before"), "{}", errors(&report));
    stage.cloud.advance(2 * DAY);
    stage.converge(EASY).await;
}

/// The tag that names the key must never name another than SES has, wherever a run is cut off.
#[tokio::test]
async fn a_run_cut_off_around_a_new_key_leaves_no_doubt_about_which_it_is() {
    let stage = stage().await;
    stage.converge(&own("first.key")).await;
    stage.cloud.faults().arm(Fault::from_nth("ses:TagResource", 1, Effect::Deny));
    let (_, report) = stage.open(&own("second.key")).await.apply().await;
    assert!(!report.is_complete());
    stage.cloud.faults().clear();
    let log = stage.cloud.calls();
    let puts = log.count("ses:PutEmailIdentityDkimSigningAttributes");
    stage.converge(&own("first.key")).await;
    assert_eq!(log.count("ses:PutEmailIdentityDkimSigningAttributes"), puts + 1);
    assert_eq!(dkim(&stage).await.status, Some(DkimStatus::Success));
}
