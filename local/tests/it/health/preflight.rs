//! What a reviewer looks for: every item by itself, and what Pivot's own request says.

use std::path::Path;

use serde_json::Value;

use super::{FILE, applied, json, lose_a_dkim_record, submissions};
use crate::it::account::ACCOUNT;
use crate::it::program::sesinfra;
use crate::it::stage::Stage;

#[tokio::test]
async fn what_a_reviewer_would_miss_must_be_named() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let weak = FILE
        .replace("\"bounce\", \"complaint\"]\nquota", "\"bounce\"]\nquota")
        .replace("www.pivot.app", "elsewhere.example")
        .replace("types = [\"bounce\", \"complaint\"]", "types = [\"bounce\"]")
        .replace("mail_from = { subdomain = \"mail\" }\n", "");
    stage.converge(&weak).await;
    let shown = json(&stage.run(&["access", "test", "--format", "json"]).await);
    let failing: Vec<&str> = shown["preflight"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["passes"] == false)
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(failing, ["mail-from", "feedback", "suppression", "website"]);
    let mut arguments = vec!["access", "test", "--request", "--yes"];
    for item in &failing[..3] {
        arguments.extend(["--despite", item]);
    }
    let ran = stage.run(&arguments).await;
    assert!(
        ran.code == 3 && ran.errors.contains("a reviewer would miss website"),
        "{}",
        ran.errors
    );
    assert_eq!(submissions(&stage), 0);
    arguments.extend(["--despite", "website"]);
    assert_eq!(stage.run(&arguments).await.code, 0);
    assert_eq!(submissions(&stage), 1);
}

/// Every item that this file fails, with its remedy.
async fn fails(stage: &Stage) -> Vec<(String, String)> {
    let shown = json(&stage.run(&["access", "test", "--format", "json"]).await);
    let items = shown["preflight"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items
        .filter(|item| item["passes"] == false)
        .map(|item| (text(&item["name"]), text(&item["remedy"])))
        .collect()
}

#[tokio::test]
async fn a_domain_that_is_not_verified_fails_by_itself() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    // Nobody publishes the records of the second domain.
    let second = "[identities.\"late.example\"]\ndns = \"manual\"\n";
    stage.converge(&format!("{FILE}{second}")).await;
    let shown = stage.run(&["access", "test"]).await.output;
    let failing: Vec<String> = fails(&stage).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(failing, ["domain", "dkim", "mail-from", "dmarc"], "{shown}");
    assert!(shown.contains("late.example: 3 of 3 records: "), "{shown}");
    assert!(shown.contains("late.example has no MAIL FROM of its own"), "{shown}");
    assert!(!shown.contains("ENV"), "{shown}");
}

#[tokio::test]
async fn a_lost_dkim_record_fails_by_itself() {
    let stage = Box::pin(applied()).await;
    assert_eq!(fails(&stage).await, []);
    let lost = lose_a_dkim_record(&stage).await;
    let failing = fails(&stage).await;
    let remedy = "publish the records that this shows: sesinfra output test";
    assert_eq!(failing, [("dkim".to_owned(), remedy.to_owned())]);
    let shown = stage.run(&["access", "test"]).await.output;
    assert!(shown.contains(&format!("pivot.app: {lost} is missing")), "{shown}");
}

#[tokio::test]
async fn a_domain_without_dmarc_fails_by_itself() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(&FILE.replace("dmarc = { policy = \"none\" }\n", "")).await;
    let failing: Vec<String> = fails(&stage).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(failing, ["dmarc"]);
}

#[tokio::test]
async fn marketing_mail_needs_a_place_to_opt_out() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let marketing = FILE.replace("\"transactional\"", "\"marketing\"");
    stage.converge(&marketing).await;
    let failing: Vec<String> = fails(&stage).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(failing, ["unsubscribe"]);
    let contacts = "contacts = [";
    let with = "unsubscribe = \"https://pivot.app/leave\"\ncontacts = [";
    stage.converge(&marketing.replace(contacts, with)).await;
    assert_eq!(fails(&stage).await, []);
}

#[tokio::test]
async fn what_pivot_sends_to_aws_says_everything_that_a_reviewer_asks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (name, domain) in [("staging", "staging.pivot.app"), ("prod", "pivot.app")] {
        let stage = Stage::new().await;
        let ran =
            sesinfra(&stage.cloud, ACCOUNT, root, &["access", name, "--draft", "--format", "json"])
                .await;
        let draft = json(&ran);
        let sent =
            draft["request"]["UseCaseDescription"].as_str().unwrap_or_else(|| panic!("{draft:#}"));
        let sections: Vec<&str> =
            sent.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(
            sections,
            [
                "Use case",
                "Sending frequency",
                "Recipients",
                "Website",
                "Bounces, complaints and unsubscribes",
                "Content",
                "Compliance",
                "Sample: account verification",
            ]
        );
        for part in [
            "no marketing mail",
            "2 to 5 mails a week",
            "agreed to the privacy policy",
            "kept in our own database",
            "https://pivot.app/",
            "Account verification",
            "Password reset",
            "Important account updates",
            "Transaction confirmations",
            "Usage summaries",
            "verified users only",
            "opt out",
            "honoured promptly",
            "Subject: Confirm your address for Pivot",
            domain,
        ] {
            assert!(sent.replace('\n', " ").contains(part), "{name}: no `{part}` in {sent}");
        }
        assert!(sent.chars().count() <= 5_000);
        assert!(!sent.contains("{{"), "{sent}");
    }
}
