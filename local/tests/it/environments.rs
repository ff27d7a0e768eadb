//! All environments of a project at once: planned together, listed for a CI matrix.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::it::account::{ACCOUNT, REGION};
use crate::it::program::{Ran, sesinfra_on};
use crate::it::stage::{Stage, access};

const OTHER: &str = "210987654321";

fn file(account: &str, region: &str, topic: &str) -> String {
    format!(
        "project = \"pivot\"\n[aws]\naccount = \"{account}\"\nregion = \"{region}\"\n[topics.{topic}]\n"
    )
}

/// A project with environments in two accounts, two of them in one account and Region.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    for (name, account, topic) in
        [("blue", ACCOUNT, "a"), ("green", ACCOUNT, "b"), ("red", OTHER, "c")]
    {
        stage.write(&format!("environments/{name}.toml"), &file(account, REGION, topic));
    }
    stage
}

/// With the credentials of both accounts.
async fn run(stage: &Stage, arguments: &[&str]) -> Ran {
    let credentials = [ACCOUNT, OTHER].map(|account| {
        let of = access(&stage.cloud, account, &stage.root).credentials;
        (account.to_owned(), of.unwrap())
    });
    let accounts = BTreeMap::from(credentials);
    sesinfra_on(&stage.cloud, ACCOUNT, &stage.root, arguments, |host| {
        host.access.accounts = accounts;
    })
    .await
}

#[tokio::test]
async fn all_are_planned_in_order_with_one_summary() {
    let stage = stage().await;
    assert_eq!(run(&stage, &["apply", "green", "--yes"]).await.code, 0);
    let ran = run(&stage, &["plan", "--all", "--detailed-exitcode"]).await;
    assert_eq!(ran.code, 2, "{}{}", ran.output, ran.errors);
    let titles: Vec<&str> =
        ran.output.lines().filter(|line| line.starts_with("Environment ")).collect();
    let title = |name: &str, account: &str| {
        format!("Environment {name} (project pivot, account {account}, {REGION})")
    };
    assert_eq!(titles, [title("blue", ACCOUNT), title("green", ACCOUNT), title("red", OTHER)]);
    let summary = "\nAll environments:\n\n  \
        blue   Plan: 1 to add, 0 to change, 0 to destroy.\n  \
        green  No changes. Your infrastructure matches the configuration.\n  \
        red    Plan: 1 to add, 0 to change, 0 to destroy.\n";
    assert!(ran.output.ends_with(summary), "{}", ran.output);
    for name in ["blue", "red"] {
        assert_eq!(run(&stage, &["apply", name, "--yes"]).await.code, 0);
    }
    assert_eq!(run(&stage, &["plan", "--all", "--detailed-exitcode"]).await.code, 0);
}

#[tokio::test]
async fn one_that_cannot_be_planned_keeps_no_other_from_being_seen() {
    let stage = stage().await;
    stage.write("environments/broken.toml", &file(ACCOUNT, "eu-west-1", "x\"y"));
    stage.write("environments/elsewhere.toml", &file("333333333333", REGION, "d"));
    let ran = run(&stage, &["plan", "--all"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.output, ran.errors);
    assert!(ran.output.contains("Environment red "), "{}", ran.output);
    assert!(ran.output.contains("  broken     Error: not planned"), "{}", ran.output);
    assert!(
        ran.errors.contains("but the environment is of account 333333333333"),
        "{}",
        ran.errors
    );
    let ran = run(&stage, &["plan", "--all", "--format", "json"]).await;
    let all: Value = serde_json::from_str(&ran.output).unwrap();
    let told = all.as_array().unwrap().iter();
    let told: Vec<(&str, bool)> = told
        .map(|one| (one["environment"].as_str().unwrap(), one["errored"].as_bool().unwrap()))
        .collect();
    let expected =
        [("blue", false), ("broken", true), ("elsewhere", true), ("green", false), ("red", false)];
    assert_eq!((ran.code, &told[..]), (1, &expected[..]));
}

#[tokio::test]
async fn flags_for_one_environment_do_not_go_with_all() {
    let stage = stage().await;
    for flags in
        [&["blue", "--all"][..], &["--all", "--target", "topic.a"], &["--all", "--out", "x"], &[]]
    {
        let ran = run(&stage, &[&["plan"], flags].concat()).await;
        assert_eq!(ran.code, 1, "{flags:?}: {}{}", ran.output, ran.errors);
        assert!(ran.output.is_empty(), "{}", ran.output);
    }
}

#[tokio::test]
async fn a_list_feeds_a_matrix_and_lacks_none() {
    let stage = stage().await;
    let ran = run(&stage, &["environments", "--format", "json"]).await;
    let all: Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(
        all[2],
        serde_json::json!({
            "environment": "red", "file": "environments/red.toml", "project": "pivot",
            "account": OTHER, "region": REGION, "role": null, "protect": false,
        })
    );
    let text = run(&stage, &["environments"]).await.output;
    assert!(text.contains(&format!("red    account {OTHER}  {REGION}\n")), "{text}");
    assert_eq!(stage.cloud.calls().total(), 0, "nothing of AWS is needed");
    stage.write("environments/broken.toml", "project = 1");
    let ran = run(&stage, &["environments", "--format", "json"]).await;
    assert_eq!((ran.code, &ran.output[..]), (1, ""), "{}", ran.errors);
}

#[tokio::test]
async fn validate_all_is_validate() {
    let stage = stage().await;
    let all = run(&stage, &["validate", "--all"]).await;
    assert_eq!(all.output, run(&stage, &["validate"]).await.output);
    assert_eq!(all.output.lines().count(), 3);
}
