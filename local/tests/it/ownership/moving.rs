//! An environment with another name: everything it owns stays its own, and mail flows on.

use std::collections::BTreeSet;

use sesinfra_local::{Effect, Fault};

use super::FULL;
use crate::it::project::Project;

/// A project whose environment was applied as `prod` and whose file is called `production` by now.
async fn renamed(name: &str) -> Project {
    let project = Project::with(name, FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.remove("prod");
    project.write("production", FULL);
    project
}

async fn listed(project: &Project) -> BTreeSet<String> {
    let ran = project.expect(0, &["list", "production", "--format", "json"]).await;
    let list: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    let addresses = list.as_array().unwrap().iter();
    addresses.map(|it| it["address"].as_str().unwrap().to_owned()).collect()
}

async fn expect_moved(project: &Project) {
    let plan = project.expect(0, &["plan", "production"]).await;
    for word in ["will be created", "will be destroyed", "will be imported", "must be replaced"] {
        assert!(!plan.output.contains(word), "`{word}` in {}", plan.output);
    }
    project.expect(0, &["apply", "production", "--yes"]).await;
    project.expect_nothing("production").await;
    let owned = listed(project).await;
    for address in ["identity.pivot.app", "dns.pivot.app", "send_policy.pivot-production-api"] {
        assert!(owned.contains(address), "{owned:?}");
    }
    assert!(!owned.contains("send_policy.pivot-prod-api"), "{owned:?}");
}

#[tokio::test]
async fn a_renamed_environment_takes_everything_along() {
    let project = renamed("moving").await;
    let refused = project.expect(3, &["plan", "production"]).await;
    assert!(
        refused.output.contains("identity.pivot.app belongs to pivot/prod"),
        "{}",
        refused.output
    );
    let asks = project.expect(3, &["mv", "prod", "production"]).await;
    assert!(asks.errors.contains("no terminal to ask at"), "{}", asks.errors);
    let log = project.cloud.calls();
    log.clear();
    let ran = project.expect(0, &["mv", "prod", "production", "--yes"]).await;
    for said in [
        "pivot/prod is called pivot/production now",
        "# identity.pivot.app is marked anew, and stays as it is",
        "# send_policy.pivot-prod-api has moved to send_policy.pivot-production-api",
        "Move complete! Resources: 7 moved.",
    ] {
        assert!(ran.output.contains(said), "no `{said}` in {}", ran.output);
    }
    // Whoever may send may send at every moment: the new policy is there before the old one goes.
    let writes = log.writes();
    let at = |action: &str| writes.iter().position(|write| write == action).unwrap();
    assert!(at("iam:AttachRolePolicy") < at("iam:DetachRolePolicy"), "{writes:?}");
    let touched: Vec<_> = writes
        .iter()
        .filter(|it| it.starts_with("ses:") || it.starts_with("sns:") || it.starts_with("sqs:"))
        .filter(|it| !it.contains("Tag"))
        .collect();
    assert!(touched.is_empty(), "nothing but tags: {touched:?}");
    expect_moved(&project).await;
    let again = project.expect(0, &["mv", "prod", "production", "--yes"]).await;
    assert!(again.output.contains("No changes."), "{}", again.output);
}

#[tokio::test]
async fn a_renamed_project_too() {
    let project = Project::new("moving-project").await;
    let file = |project: &str| {
        format!(
            "project = \"{project}\"\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n{FULL}"
        )
    };
    project.write_whole("prod", &file("shop"));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.write_whole("prod", &file("pivot"));
    project.expect(0, &["mv", "shop/prod", "prod", "--yes"]).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.expect_nothing("prod").await;
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    let shop = project.folder.path().join("environments/prod.toml");
    std::fs::write(shop, file("shop")).unwrap();
    let left = project.expect(0, &["list", "prod"]).await;
    assert!(!left.output.contains('.'), "nothing is left under the old name: {}", left.output);
}

#[tokio::test]
async fn a_move_is_gone_on_with_wherever_it_failed() {
    let whole = renamed("moving-whole").await;
    let log = whole.cloud.calls();
    log.clear();
    whole.expect(0, &["mv", "prod", "production", "--yes"]).await;
    let mut writes: Vec<String> = log.writes();
    writes.retain(|write| !write.starts_with("ssm:"));
    let actions: BTreeSet<&String> = writes.iter().collect();
    assert!(actions.len() > 6, "{actions:?}");
    for (number, action) in actions.into_iter().enumerate() {
        let project = renamed(&format!("moving-cut-{number}")).await;
        project.cloud.faults().arm(Fault::nth(action, 1, Effect::Deny));
        let ran = project.run(&["mv", "prod", "production", "--yes"]).await;
        assert_ne!(ran.code, 0, "{action}: {}", ran.output);
        project.cloud.faults().clear();
        project.expect(0, &["mv", "prod", "production", "--yes"]).await;
        expect_moved(&project).await;
    }
}

#[tokio::test]
async fn what_is_no_rename_is_said() {
    let project = Project::with("moving-wrong", FULL).await;
    project.write("staging", "");
    let ran = project.expect(1, &["mv", "staging", "prod", "--yes"]).await;
    assert!(ran.errors.contains("environments/staging.toml is still there"), "{}", ran.errors);
    let ran = project.expect(1, &["mv", "prod", "prod", "--yes"]).await;
    assert!(ran.errors.contains("is called prod as it is"), "{}", ran.errors);
    let ran = project.expect(1, &["mv", "topic.a", "topic.b", "--yes"]).await;
    assert!(ran.errors.contains("AWS renames nothing"), "{}", ran.errors);
}
