//! What hangs on a declared resource is found through it, however late the service that finds by tags is.

use std::time::Duration;

use sesinfra::engine::Action;
use sesinfra_local::Options;

use super::{Stage, address};

const DOMAIN: &str = "[identities.\"pivot.app\"]\n";

const FULL: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
policies.partner = { principals = ["210987654321"] }
[configuration_sets.main]
tracking = { domain = "click.pivot.app" }
events.feedback = { types = ["bounce"], topic = "feedback" }
[topics.feedback]
subscriptions = [{ https = "https://api.pivot.app/hooks/ses" }]
"#;

const BARE: &str = r#"
[identities."pivot.app"]
[configuration_sets.main]
[topics.feedback]
"#;

/// A stage on which nothing is found by its tags as long as a test lasts.
async fn late() -> Stage {
    let options = Options { tagging_lag: Duration::from_hours(24), ..Options::default() };
    let stage = Stage::with(options, None).await;
    stage.zone("pivot.app").await;
    stage
}

#[tokio::test]
async fn a_mail_from_that_is_dropped_shows_at_once() {
    let stage = late().await;
    let file = "[identities.\"pivot.app\"]\nmail_from = { subdomain = \"mail\" }\n";
    stage.converge(file).await;
    let plan = stage.open(DOMAIN).await.plan().await.unwrap();
    let change = plan.change(&address("mail_from.pivot.app"));
    assert_eq!(change.map(|change| change.action), Some(Action::Delete), "{:#?}", plan.changes);
    stage.converge(DOMAIN).await;
}

#[tokio::test]
async fn all_that_is_dropped_from_what_stays_shows_at_once() {
    let stage = late().await;
    let (_, report) = stage.open(FULL).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    let plan = stage.open(BARE).await.plan().await.unwrap();
    // An unconfirmed subscription cannot be deleted, only forgotten.
    let goes = |action| matches!(action, Action::Delete | Action::Forget);
    let gone = plan.changes.iter().filter(|change| goes(change.action));
    let gone: Vec<String> = gone.map(|change| change.address.to_string()).collect();
    assert_eq!(
        gone,
        [
            "default_set.pivot.app",
            "dns.click.pivot.app",
            "event_destination.main/feedback",
            "identity_policy.pivot.app/partner",
            "mail_from.pivot.app",
            "subscription.feedback/https:https://api.pivot.app/hooks/ses",
            "tracking.main",
        ]
    );
    stage.converge(BARE).await;
}
