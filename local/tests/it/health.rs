//! Production access, quotas and status, as a user asks for them, through every state that AWS has.

mod preflight;
mod watching;

use std::time::{Duration, SystemTime};

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch};
use serde_json::Value;
use sesinfra::health::metrics::{date, day_of};
use sesinfra_local::quotas::{DAILY, QuotaDecision, decide};
use sesinfra_local::ses::Decision;

use crate::it::account::{ACCOUNT, REGION};
use crate::it::program::Ran;
use crate::it::stage::Stage;

const FILE: &str = r#"
[account]
suppress = ["bounce", "complaint"]
quota = { daily = 80000, per_second = 20 }
[account.production_access]
mail_type = "transactional"
website = "https://www.pivot.app/"
contacts = ["ops@pivot.app"]
statement = """
We need {{daily}} a day.
{{domains}}
{{feedback}}
<!-- for the support case -->
More for {{account}}."""
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
dmarc = { policy = "none" }
[configuration_sets.main]
events.feedback = { types = ["bounce", "complaint"], topic = "feedback" }
[topics.feedback]
subscriptions = [{ queue = "inbox" }]
[queues.inbox]
dead_letter = {}
"#;

/// An account in which everything of the file is made and verified.
async fn applied() -> Stage {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.converge(FILE).await;
    stage
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.output).unwrap_or_else(|_| panic!("{}{}", ran.output, ran.errors))
}

fn submissions(stage: &Stage) -> usize {
    stage.cloud.calls().count("ses:PutAccountDetails")
}

#[tokio::test]
async fn a_draft_is_what_is_sent_and_makes_no_call() {
    let stage = Box::pin(applied()).await;
    stage.cloud.calls().clear();
    let draft = stage.run(&["access", "test", "--draft", "--format", "json"]).await;
    assert_eq!((draft.code, stage.cloud.calls().total()), (0, 0));
    let draft = json(&draft);
    let sent = draft["request"]["UseCaseDescription"].as_str().unwrap().to_owned();
    assert!(sent.starts_with("We need 80,000 a day.\n- pivot.app: DKIM (Easy DKIM), MAIL FROM mail.pivot.app (SPF), DMARC"), "{sent}");
    assert!(sent.contains("bounces and complaints go to the SNS topic `feedback`, and from there to the queue `inbox`"), "{sent}");
    assert!(!sent.contains("More for"));
    assert!(draft["statement"].as_str().unwrap().ends_with(&format!("More for {ACCOUNT}.")));

    let ran = stage.run(&["access", "test", "--request", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
    let account = aws_sdk_sesv2::Client::new(&stage.clients).get_account().send().await.unwrap();
    let details = account.details.unwrap();
    assert_eq!(details.use_case_description(), Some(&*sent));
    assert_eq!(details.website_url(), Some("https://www.pivot.app/"));
    assert_eq!(details.additional_contact_email_addresses(), ["ops@pivot.app"]);
    assert_eq!(details.mail_type().unwrap().as_str(), "TRANSACTIONAL");
}

#[tokio::test]
async fn every_state_of_a_review_is_shown_and_the_request_is_made_once() {
    let stage = Box::pin(applied()).await;
    let ran = stage.run(&["access", "test"]).await;
    assert_eq!(ran.code, 5, "{}", ran.output);
    assert!(
        ran.output.contains("in the SES sandbox") && !ran.output.contains("FAIL"),
        "{}",
        ran.output
    );
    // Without a terminal and without `--yes` nothing is sent.
    assert_eq!(stage.run(&["access", "test", "--request"]).await.code, 3);
    assert_eq!(submissions(&stage), 0);
    assert_eq!(stage.run(&["access", "test", "--request", "--yes"]).await.code, 0);
    assert_eq!(submissions(&stage), 1);

    let ran = stage.run(&["access", "test", "--request", "--yes"]).await;
    assert!(ran.code == 3 && ran.errors.contains("reviewing a request already"), "{}", ran.errors);
    let shown = json(&stage.run(&["access", "test", "--format", "json"]).await);
    assert_eq!(shown["standing"]["access"], "pending");
    assert!(shown["standing"]["case"].as_str().unwrap().starts_with("case-"));

    // A request that AWS failed to receive may be made again.
    stage.cloud.ses().decide(ACCOUNT, REGION, Decision::Failed);
    assert_eq!(stage.run(&["access", "test", "--request", "--yes"]).await.code, 0);
    assert_eq!(submissions(&stage), 2);

    stage.cloud.ses().decide(ACCOUNT, REGION, Decision::Granted);
    let ran = stage.run(&["access", "test"]).await;
    assert!(ran.code == 0 && ran.output.contains("production access granted"), "{}", ran.output);
    let ran = stage.run(&["access", "test", "--request", "--yes"]).await;
    assert!(ran.code == 3 && ran.errors.contains("granted already"), "{}", ran.errors);
    assert_eq!(submissions(&stage), 2);
}

#[tokio::test]
async fn after_a_denial_there_are_two_ways_on() {
    let stage = Box::pin(applied()).await;
    stage.run(&["access", "test", "--request", "--yes"]).await;
    stage.cloud.ses().decide(ACCOUNT, REGION, Decision::Denied);
    let ran = stage.run(&["access", "test"]).await;
    assert_eq!(ran.code, 6);
    assert!(
        ran.output.contains("was denied (case case-") && ran.output.contains("two ways on"),
        "{}",
        ran.output
    );
    let ran = stage.run(&["access", "test", "--request", "--yes"]).await;
    assert!(ran.code == 3 && ran.errors.contains("support case"), "{}", ran.errors);
    assert_eq!(submissions(&stage), 1);
    // The other way: a request for quota is taken then.
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert!(
        ran.code == 0 && ran.errors.contains("Asked for 80,000 a day"),
        "{}{}",
        ran.output,
        ran.errors
    );
}

#[tokio::test]
async fn watching_ends_with_the_outcome() {
    let stage = Box::pin(applied()).await;
    stage.run(&["access", "test", "--request", "--yes"]).await;
    let ses = stage.cloud.ses();
    let decides = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        ses.decide(ACCOUNT, REGION, Decision::Granted);
    });
    let ran = stage.run(&["access", "test", "--watch"]).await;
    decides.await.unwrap();
    let lines: Vec<_> = ran.output.lines().collect();
    assert_eq!((ran.code, lines.len()), (0, 2), "{}", ran.output);
    assert!(lines[0].contains("under review") && lines[1].contains("granted"), "{lines:?}");
}

/// An account out of the sandbox, with so many mails on each of the last days.
async fn granted(sent: &[f64]) -> Stage {
    let stage = Box::pin(applied()).await;
    stage.run(&["access", "test", "--request", "--yes"]).await;
    stage.cloud.ses().decide(ACCOUNT, REGION, Decision::Granted);
    let now = chrono_millis();
    for (back, value) in sent.iter().rev().enumerate() {
        let at = now - (i64::try_from(back).unwrap() + 1) * 86_400_000;
        stage.cloud.ses().count(ACCOUNT, REGION, "Send", at, *value);
    }
    stage
}

fn chrono_millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn a_trend_meets_the_quota_on_a_day() {
    let days: Vec<f64> = (1..=14_u32).map(|day| 1_000.0 + f64::from(day) * 500.0).collect();
    let stage = granted(&days).await;
    let ran = stage.run(&["quota", "test", "--format", "json"]).await;
    let report = json(&ran);
    // 8,000 on the last day and 500 more each day: 50,000 are met 84 days after it.
    assert_eq!(report["trend"]["kind"], "growing");
    assert!((report["trend"]["per_day"].as_f64().unwrap() - 500.0).abs() < 1e-6, "{report:#}");
    assert_eq!(report["trend"]["hits_in_days"], 84);
    assert_eq!(report["hits_on"], date(day_of(SystemTime::now()) - 1 + 84));
    // Granted are 50,000, needed 80,000: that wants a look.
    assert_eq!((ran.code, report["level"].as_str()), (5, Some("warning")));
    assert_eq!(report["daily"]["granted"], 50_000.0);
    assert_eq!(report["access"], "granted");
}

#[tokio::test]
async fn under_seven_days_there_is_no_trend() {
    let stage = granted(&[10.0, 20.0, 30.0, 40.0, 50.0, 60.0]).await;
    let ran = stage.run(&["quota", "test"]).await;
    assert!(ran.output.contains("not enough data: 6 days with mail"), "{}", ran.output);
}

#[tokio::test]
async fn an_increase_is_asked_for_once_and_again_only_when_told() {
    let stage = granted(&[]).await;
    let asked = || stage.cloud.calls().count("servicequotas:RequestServiceQuotaIncrease");
    assert_eq!(stage.run(&["quota", "test", "--request"]).await.code, 3);
    assert_eq!(asked(), 0);
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert_eq!((ran.code, asked()), (0, 2), "{}{}", ran.output, ran.errors);
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert!(ran.errors.contains("AWS has yet to answer"), "{}", ran.errors);
    assert_eq!(asked(), 2);

    let world = stage.cloud.world();
    assert!(decide(world, ACCOUNT, REGION, DAILY, QuotaDecision::CaseOpened));
    let report = json(&stage.run(&["quota", "test", "--format", "json"]).await);
    assert_eq!(report["requests"][0]["open"], true);
    assert!(decide(world, ACCOUNT, REGION, DAILY, QuotaDecision::Denied));
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert!(ran.code == 3 && ran.errors.contains("--again"), "{}", ran.errors);
    assert_eq!(asked(), 2);
    assert_eq!(stage.run(&["quota", "test", "--request", "--again", "--yes"]).await.code, 0);
    assert_eq!(asked(), 3);

    assert!(decide(world, ACCOUNT, REGION, DAILY, QuotaDecision::Approved));
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert!(ran.errors.contains("Nothing to ask for a day"), "{}", ran.errors);
}

#[tokio::test]
async fn the_sandbox_gets_no_larger_quota() {
    let stage = Box::pin(applied()).await;
    let ran = stage.run(&["quota", "test", "--request", "--yes"]).await;
    assert!(ran.code == 3 && ran.errors.contains("in the SES sandbox"), "{}", ran.errors);
    assert_eq!(stage.cloud.calls().count("servicequotas:RequestServiceQuotaIncrease"), 0);
}

#[tokio::test]
async fn a_healthy_account_is_good_and_each_trouble_shows() {
    let stage = granted(&[]).await;
    let ran = stage.run(&["status", "test"]).await;
    assert!(ran.code == 0 && ran.output.contains("mail works ("), "{}", ran.output);
    assert!(
        ran.output.contains(
            "pivot.app: verified, DKIM 3 of 3 records, MAIL FROM mail.pivot.app, DMARC p=none"
        ),
        "{}",
        ran.output
    );

    stage.cloud.ses().review_sending(ACCOUNT, REGION, true);
    let ran = stage.run(&["status", "test"]).await;
    assert!(ran.code == 5 && ran.output.contains("under review"), "{}", ran.output);
    let plan = stage.run(&["plan", "test"]).await;
    assert!(
        plan.output.contains("Account: AWS has put the account under review"),
        "{}",
        plan.output
    );
    stage.cloud.ses().enforce(ACCOUNT, REGION, true);
    let ran = stage.run(&["status", "test"]).await;
    assert!(ran.code == 6 && ran.output.contains("paused by AWS"), "{}", ran.output);
    stage.cloud.ses().enforce(ACCOUNT, REGION, false);

    // Rates: a review begins at 5 %, a pause may come from 10 % on.
    stage.cloud.ses().count(ACCOUNT, REGION, "Reputation.BounceRate", chrono_millis(), 0.06);
    let shown = json(&stage.run(&["status", "test", "--format", "json"]).await);
    assert_eq!(
        (&shown["level"], &shown["bounces"]["now"]),
        (&Value::from("warning"), &Value::from(0.06))
    );
    stage.cloud.ses().count(ACCOUNT, REGION, "Reputation.ComplaintRate", chrono_millis(), 0.006);
    let shown = json(&stage.run(&["status", "test", "--format", "json"]).await);
    assert_eq!(shown["complaints"]["level"], "bad");
}

#[tokio::test]
async fn a_dead_letter_and_a_lost_record_show() {
    let stage = granted(&[]).await;
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let url = queues.get_queue_url().queue_name("inbox-dead-letter").send().await.unwrap();
    let url = url.queue_url.unwrap();
    queues.send_message().queue_url(url).message_body("x").send().await.unwrap();
    let ran = stage.run(&["status", "test"]).await;
    assert!(
        ran.code == 5
            && ran.output.contains("1 message in the dead-letter queue inbox-dead-letter"),
        "{}",
        ran.output
    );

    assert_eq!(
        json(&stage.run(&["status", "test", "--format", "json"]).await)["identities"][0]["level"],
        "good"
    );
    let lost = lose_a_dkim_record(&stage).await;
    let shown = json(&stage.run(&["status", "test", "--format", "json"]).await);
    assert_ne!(shown["identities"][0]["level"], "good", "{shown:#}");
    let says = shown["identities"][0]["says"].as_str().unwrap();
    assert!(says.contains("DKIM 2 of 3 records"), "{says}");
    let problems = shown["problems"].as_array().unwrap();
    let told = problems.iter().any(|it| it["what"].as_str().unwrap().contains(&lost));
    assert!(told, "{lost}: {shown:#}");
}

/// Deletes one DKIM record of the only zone, as somebody would by hand, and gives its name.
async fn lose_a_dkim_record(stage: &Stage) -> String {
    let client = aws_sdk_route53::Client::new(&stage.clients);
    let zone = client.list_hosted_zones().send().await.unwrap().hosted_zones()[0].id().to_owned();
    let sets = client.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let set = sets.resource_record_sets().iter().find(|it| it.name().contains("._domainkey."));
    let set = set.unwrap().clone();
    let name = set.name().trim_end_matches('.').to_owned();
    let change = Change::builder().action(ChangeAction::Delete).resource_record_set(set);
    let batch = ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
    let call = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.unwrap();
    name
}

#[tokio::test]
async fn the_quotas_of_all_environments_are_seen() {
    let stage = granted(&[]).await;
    let other = FILE
        .replace("daily = 80000", "daily = 500")
        .replace("subdomain = \"mail\"", "subdomain = \"mail-eu\"");
    let header =
        format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"eu-west-1\"\n");
    stage.write("environments/other.toml", &format!("{header}{other}"));
    let ran = stage.run(&["quota", "--all", "--format", "json"]).await;
    let all = json(&ran);
    let wanted: Vec<(&str, f64)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one["environment"].as_str().unwrap();
            (name, one["daily"]["wanted"].as_f64().unwrap())
        })
        .collect();
    assert!(ran.errors.is_empty(), "{}", ran.errors);
    assert_eq!(wanted, [("other", 500.0), ("test", 80_000.0)]);
    // What `test` needs is more than is granted: the worst decides.
    assert_eq!(ran.code, 5, "{}", ran.errors);
    let text = stage.run(&["quota", "--all"]).await.output;
    assert!(text.contains("Environment other") && text.contains("Environment test"), "{text}");
}

#[tokio::test]
async fn all_environments_are_seen_and_the_worst_decides() {
    let stage = granted(&[]).await;
    stage.write(
        "environments/other.toml",
        &format!("project = \"pivot\"\n[aws]\naccount = \"210987654321\"\nregion = \"{REGION}\"\n"),
    );
    // The credentials are of one account, so the other environment cannot be seen.
    let ran = stage.run(&["status", "--all"]).await;
    assert!(
        ran.code == 5 && ran.output.contains("Environment test"),
        "{}{}",
        ran.output,
        ran.errors
    );
    assert!(
        ran.errors.contains("other: ") && ran.errors.contains("210987654321"),
        "{}",
        ran.errors
    );
}
