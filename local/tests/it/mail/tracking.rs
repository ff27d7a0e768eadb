//! Links through a domain that relies on its set in turn: everything goes in an order that has no end to it otherwise.

use sesinfra::engine::Verb;

use super::{Stage, position, ses};

/// A set that tracks through the domain whose default it is.
const OWN: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
[configuration_sets.main]
tracking = { domain = "links.pivot.app" }
[configuration_sets.main.events.clicks]
types = ["click"]
event_bus = "default"
"#;

async fn redirect(stage: &Stage) -> Option<String> {
    let set = ses(stage).get_configuration_set().configuration_set_name("main").send().await;
    Some(set.unwrap().tracking_options?.custom_redirect_domain)
}

#[tokio::test]
async fn a_set_tracks_through_the_domain_whose_default_it_is_and_goes_with_it() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(OWN).await;
    assert_eq!(redirect(&stage).await.as_deref(), Some("links.pivot.app"));
    let plan = stage.open("").await.plan().await.unwrap();
    let identity = position(&plan, Verb::Delete, "identity.pivot.app");
    assert!(identity < position(&plan, Verb::Delete, "configuration_set.main"));
    stage.converge("").await;
}
