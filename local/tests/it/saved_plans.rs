//! Saved plans: what was looked at is carried out, or nothing; and what moved meanwhile is said.

use sesinfra::view::Document;

use super::account::ACCOUNT;
use super::marks::{Tagged, Tags};
use super::program::Ran;
use super::project::Project;

const TOPIC: &str = "[topics.feedback]\ndisplay_name = \"Feedback\"\n";
const PLAN: &str = "plans/prod.json";

/// A project in which a plan was saved, with these flags.
async fn saved(name: &str, body: &str, flags: &[&str]) -> Project {
    let project = Project::with(name, body).await;
    std::fs::create_dir(project.path().join("plans")).unwrap();
    save(&project, flags).await;
    project
}

async fn save(project: &Project, flags: &[&str]) -> Ran {
    let mut arguments = vec!["plan", "prod", "--out", PLAN];
    arguments.extend(flags);
    project.run(&arguments).await
}

fn document(project: &Project) -> Document {
    let text = std::fs::read_to_string(project.path().join(PLAN)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn replace(project: &Project, document: &Document) {
    project.folder.write(PLAN, &serde_json::to_string(document).unwrap());
}

/// It is refused and says these words; nothing but the lock is written, and nothing is left behind.
async fn expect_refused(project: &Project, words: &[&str]) {
    let log = project.cloud.calls();
    log.clear();
    let ran = project.expect(3, &["apply", PLAN]).await;
    for word in words {
        assert!(ran.errors.contains(word), "no `{word}` in:\n{}", ran.errors);
    }
    let mut writes = log.writes();
    writes.retain(|write| !write.starts_with("ssm:"));
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn what_was_looked_at_is_carried_out_without_asking_and_once() {
    let project = saved("saved-once", TOPIC, &[]).await;
    let shown = project.expect(0, &["show", PLAN]).await;
    assert!(shown.output.contains("# topic.feedback will be created"), "{}", shown.output);
    let ran = project.expect(0, &["apply", PLAN]).await;
    assert!(
        ran.output.ends_with("Resources: 1 added, 0 changed, 0 destroyed.\n"),
        "{}",
        ran.output
    );
    project.expect_nothing("prod").await;
    expect_refused(
        &project,
        &[
            "the plan is stale",
            "topic.feedback: stays as it is; when the plan was made, it said: will be created",
            "plan again, and look at it again: sesinfra plan prod --out FILE",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_plan_without_changes_is_carried_out_too() {
    let project = saved("saved-empty", TOPIC, &[]).await;
    project.expect(0, &["apply", PLAN]).await;
    save(&project, &[]).await;
    project.expect(0, &["apply", PLAN]).await;
}

#[tokio::test]
async fn a_plan_to_destroy_destroys() {
    let project = saved("saved-destroy", TOPIC, &[]).await;
    project.expect(0, &["apply", PLAN]).await;
    save(&project, &["--destroy"]).await;
    let ran = project.expect(0, &["apply", PLAN]).await;
    assert!(ran.output.contains("Destroy complete! Resources: 1 destroyed."), "{}", ran.output);
    assert_eq!(Tagged::new(&project.clients(), "topic", "feedback").tags().await, None);
}

#[tokio::test]
async fn the_flags_are_part_of_it() {
    let body = format!("{TOPIC}[queues.feedback]\n");
    let project = Project::with("saved-flags", &body).await;
    std::fs::create_dir(project.path().join("plans")).unwrap();
    let topics = aws_sdk_sns::Client::new(&project.clients());
    topics.create_topic().name("feedback").send().await.unwrap();
    save(&project, &["--target", "topic.feedback", "--adopt", "topic.feedback"]).await;
    let ran = project.expect(0, &["apply", PLAN]).await;
    assert!(ran.output.contains("1 imported, 0 added, 1 changed"), "{}", ran.output);
    let ran = project.expect(1, &["apply", PLAN, "--adopt-all"]).await;
    assert!(ran.errors.contains("takes no others here: --adopt-all"), "{}", ran.errors);
    expect_refused(&project, &["plan prod --target 'topic.feedback' --adopt 'topic.feedback'"])
        .await;
    save(&project, &[]).await;
    project.expect(0, &["apply", PLAN]).await;
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn a_refused_plan_is_refused_again() {
    let project = Project::with("saved-refused", TOPIC).await;
    let topics = aws_sdk_sns::Client::new(&project.clients());
    topics.create_topic().name("feedback").send().await.unwrap();
    std::fs::create_dir(project.path().join("plans")).unwrap();
    assert_eq!(save(&project, &[]).await.code, 3);
    expect_refused(&project, &["the plan is refused for a reason"]).await;
}

#[tokio::test]
async fn another_file_is_refused_whatever_changed_in_it() {
    let project = saved("saved-file", TOPIC, &[]).await;
    project.write("prod", &format!("{TOPIC}# a word of comment\n"));
    expect_refused(&project, &["environments/prod.toml has changed"]).await;
    project.folder.write("environments/base.toml", "[tags]\nteam = \"mail\"\n");
    let extends = |body: &str| {
        project.write_whole(
            "prod",
            &format!("extends = \"base\"\nproject = \"pivot\"\naws = {{ account = \"{ACCOUNT}\", region = \"us-east-1\" }}\n{body}"),
        );
    };
    extends(TOPIC);
    save(&project, &[]).await;
    project.folder.write("environments/base.toml", "[tags]\nteam = \"web\"\n");
    expect_refused(&project, &["environments/base.toml has changed"]).await;
}

#[tokio::test]
async fn another_world_is_refused_with_what_moved() {
    let body = format!("{TOPIC}[queues.feedback]\n");
    let project = saved("saved-world", &body, &[]).await;
    project.expect(0, &["apply", PLAN]).await;
    let body = body.replace("\"Feedback\"", "\"Bounces\"");
    project.write("prod", &body);
    save(&project, &[]).await;
    let topics = aws_sdk_sns::Client::new(&project.clients());
    let arn = format!("arn:aws:sns:us-east-1:{ACCOUNT}:feedback");
    let set = topics.set_topic_attributes().topic_arn(&arn).attribute_name("DisplayName");
    set.attribute_value("by hand").send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&project.clients());
    let url = queues.get_queue_url().queue_name("feedback").send().await.unwrap().queue_url;
    queues.delete_queue().set_queue_url(url).send().await.unwrap();
    expect_refused(
        &project,
        &[
            "topic.feedback: `display_name` in AWS was \"Feedback\" and is \"by hand\"",
            "queue.feedback: will be created; when the plan was made, it said: stays as it is",
        ],
    )
    .await;
}

#[tokio::test]
async fn what_somebody_else_owns_by_now_is_refused() {
    let project = saved("saved-foreign", TOPIC, &[]).await;
    let topics = aws_sdk_sns::Client::new(&project.clients());
    topics.create_topic().name("feedback").send().await.unwrap();
    Tagged::new(&project.clients(), "topic", "feedback")
        .tag(&Tags::from([("team".to_owned(), "web".to_owned())]))
        .await;
    expect_refused(&project, &["topic.feedback: refused now: it exists already"]).await;
}

#[tokio::test]
async fn another_account_is_refused() {
    let project = saved("saved-account", TOPIC, &[]).await;
    let body = format!(
        "project = \"pivot\"\n[aws]\naccount = \"210987654321\"\nregion = \"us-east-1\"\n{TOPIC}"
    );
    project.write_whole("prod", &body);
    expect_refused(&project, &["the plan is for the account 123456789012", "is for 210987654321"])
        .await;
    // Credentials of another account than the file's are refused as everywhere: before any other call.
    project.write("prod", TOPIC);
    let ran = project.run_as("210987654321", &["apply", PLAN]).await;
    assert_eq!(ran.code, 1, "{}", ran.errors);
}

#[tokio::test]
async fn another_version_is_refused() {
    let project = saved("saved-version", TOPIC, &[]).await;
    let other = Document { version: "0.0.1".to_owned(), ..document(&project) };
    replace(&project, &other.sealed());
    expect_refused(&project, &["made by version 0.0.1"]).await;
    let mut text = std::fs::read_to_string(project.path().join(PLAN)).unwrap();
    text = text.replacen("\"format\":2", "\"format\":1", 1);
    project.folder.write(PLAN, &text);
    expect_refused(&project, &["is a plan of another version"]).await;
}

#[tokio::test]
async fn an_edited_plan_is_refused_wherever_it_was_edited() {
    let project = saved("saved-edited", TOPIC, &[]).await;
    let plan = document(&project);
    let mut notes = plan.clone();
    notes.plan.changes[0].notes.push("harmless".to_owned());
    let mut flags = plan.clone();
    flags.flags.adopt_all = true;
    let mut destroys = plan.clone();
    destroys.purpose = sesinfra::view::Purpose::Destroy;
    let mut steps = plan.clone();
    steps.plan.steps.clear();
    for edited in [&notes, &flags, &destroys, &steps] {
        replace(&project, edited);
        expect_refused(&project, &["was changed after it was written"]).await;
    }
    // Whoever makes the checksum fit changes nothing by it: what is carried out is what is planned now.
    replace(&project, &steps.sealed());
    expect_refused(&project, &["the plan is stale"]).await;
}

#[tokio::test]
async fn a_plan_of_something_else_is_refused_by_what_it_is_for() {
    let project = saved("saved-elsewhere", TOPIC, &[]).await;
    let file = |project: &str, region: &str| {
        format!(
            "project = \"{project}\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{region}\"\n{TOPIC}"
        )
    };
    project.write_whole("prod", &file("shop", "us-east-1"));
    expect_refused(&project, &["the plan is for the project pivot", "is for shop"]).await;
    project.write_whole("prod", &file("pivot", "eu-west-1"));
    expect_refused(&project, &["the plan is for the Region us-east-1", "is for eu-west-1"]).await;
    // The same file under another name is another environment, and the plan is of none that is here.
    project.remove("prod");
    project.write("production", TOPIC);
    let ran = project.expect(1, &["apply", PLAN]).await;
    assert!(ran.errors.contains("environments/prod.toml"), "{}", ran.errors);
}

#[tokio::test]
async fn what_is_no_plan_is_said_to_be_none() {
    let project = saved("saved-none", TOPIC, &[]).await;
    let whole = std::fs::read_to_string(project.path().join(PLAN)).unwrap();
    for text in ["", "{}", "[1, 2]", "not JSON", &whole[..whole.len() / 2]] {
        project.folder.write(PLAN, text);
        let log = project.cloud.calls();
        log.clear();
        for command in ["apply", "show"] {
            let ran = project.run(&[command, PLAN]).await;
            assert!(matches!(ran.code, 1 | 3), "{command} {text}: {}{}", ran.output, ran.errors);
            assert!(ran.errors.contains(PLAN), "{command} {text}: {}", ran.errors);
        }
        assert_eq!(log.total(), 0, "{text}: nobody is asked");
    }
    std::fs::remove_file(project.path().join(PLAN)).unwrap();
    let ran = project.expect(1, &["apply", PLAN]).await;
    assert!(ran.errors.contains(PLAN), "{}", ran.errors);
}
