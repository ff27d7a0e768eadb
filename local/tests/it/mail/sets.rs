//! Configuration sets that are somebody's default.

use sesinfra::engine::Action;

use super::{Stage, address, errors, ses};

const PLAIN: &str = "[configuration_sets.main]\n";

#[tokio::test]
async fn a_set_that_is_the_default_of_somebody_elses_identity_stays() {
    let stage = Stage::new().await;
    stage.converge(PLAIN).await;
    let client = ses(&stage);
    let create = client.create_email_identity().email_identity("theirs.example");
    create.configuration_set_name("main").send().await.unwrap();
    let (_, report) = stage.open("").await.apply().await;
    assert!(errors(&report).contains("theirs.example"), "{}", errors(&report));
    client.get_configuration_set().configuration_set_name("main").send().await.unwrap();
    let put = client.put_email_identity_configuration_set_attributes();
    put.email_identity("theirs.example").send().await.unwrap();
    stage.converge("").await;
}

#[tokio::test]
async fn identities_let_go_of_a_set_before_it_goes() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let file = "[identities.\"pivot.app\"]\nconfiguration_set = \"main\"\n";
    stage.converge(&format!("{file}{PLAIN}")).await;
    let plan = stage.converge("[identities.\"pivot.app\"]\n").await;
    assert_eq!(plan.change(&address("default_set.pivot.app")).unwrap().action, Action::Delete);
    stage.converge(&format!("{file}{PLAIN}")).await;
    stage.converge("").await;
}
