//! Plans by tags and lists: how few calls they take, what they see, and that they say what they do not look at.

mod budgets;
mod digests;
mod seen;

use std::collections::BTreeSet;

use sesinfra::engine::{Options, Plan, Refresh, plan};

use super::stage::Stage;

/// One of each root, with children and settings under them.
pub(super) const EVERY_ROOT: &str = concat!(
    r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
dmarc = { policy = "none" }
policies.partner = { principals = ["210987654321"] }
[configuration_sets.main]
events.feedback = { types = ["bounce"], topic = "feedback" }
"#,
    include_str!("../one_of_each.toml")
);

/// The roots of [`EVERY_ROOT`], with a setting of each that the file does not have.
pub(super) const ROOTS: [(&str, &str); 6] = [
    ("identity", "pivot.app"),
    ("configuration_set", "main"),
    ("topic", "feedback"),
    ("queue", "inbox"),
    ("alarm", "pivot-test-bounce-rate"),
    ("send_policy", "pivot-test-api"),
];

/// A stage on which [`EVERY_ROOT`] is applied.
pub(super) async fn applied() -> Stage {
    let stage = Stage::new().await;
    prepare(&stage).await;
    stage.converge(EVERY_ROOT).await;
    stage
}

/// Makes what the file takes for granted.
pub(super) async fn prepare(stage: &Stage) {
    stage.zone("pivot.app").await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    iam.create_user().user_name("Ann").send().await.unwrap();
}

pub(crate) async fn planned(stage: &Stage, body: &str, refresh: Refresh) -> Plan {
    let open = stage.open(body).await;
    let options = Options { refresh, ..Options::default() };
    plan(&open.graph, &open.registry, &options).await.unwrap()
}

/// The plan by tags, which must do what the full one does.
pub(super) async fn same_as_in_full(stage: &Stage, body: &str) -> Plan {
    let whole = planned(stage, body, Refresh::Full).await;
    let plan = planned(stage, body, Refresh::Tags).await;
    assert_eq!(deviation(&plan, &whole), None);
    plan
}

/// In what a plan by tags does something else than the full one.
pub(crate) fn deviation(plan: &Plan, whole: &Plan) -> Option<String> {
    let (pending, in_full): (Vec<_>, Vec<_>) =
        (plan.pending().collect(), whole.pending().collect());
    if pending != in_full {
        return Some(format!("by tags {pending:#?}, in full {in_full:#?}"));
    }
    let of = |plan: &Plan| (plan.steps.clone(), plan.families.clone(), plan.refusals.clone());
    (of(plan) != of(whole)).then(|| format!("by tags {:#?}, in full {:#?}", of(plan), of(whole)))
}

/// The roots that were read in full.
pub(super) fn read(plan: &Plan) -> BTreeSet<String> {
    let is_root = |kind: &str| ROOTS.iter().any(|(root, _)| *root == kind);
    let changes = plan.changes.iter().map(|change| &change.address);
    let roots = changes.filter(|it| is_root(it.kind()) && !plan.unread.contains(*it));
    roots.map(ToString::to_string).collect()
}
