//! Taking over what another tool made: as declared, named one by one or all at once, and nothing of another owner.

use super::{FULL, TAGGED};
use crate::it::marks::{Tagged, Tags, strip_all};
use crate::it::project::Project;

/// A project whose environment exists already, made by another tool: nothing says whose it is.
async fn made_elsewhere(name: &str) -> Project {
    let project = Project::with(name, FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    strip_all(&project.clients()).await;
    project
}

/// The addresses that the plan asks to adopt.
async fn asked(project: &Project) -> Vec<String> {
    let ran = project.expect(3, &["plan", "prod"]).await;
    // What is only used may be adopted too, which a note says.
    let refused = ran.output.lines().filter(|line| line.contains("to take it over"));
    let hints = refused.filter_map(|line| line.split_once("--adopt '"));
    hints.map(|(_, rest)| rest.split('\'').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_that_is_adopted_becomes_as_declared_and_goes_as_ours() {
    let project = made_elsewhere("adopting-all").await;
    let changed = FULL
        .replace("\"require\"", "\"optional\"")
        .replace("\"Feedback\"", "\"Bounces\"")
        .replace("policy = \"none\"", "policy = \"quarantine\"")
        .replace("[\"bounce\", \"complaint\"]", "[\"bounce\"]")
        .replace("[queues.feedback]", "[queues.feedback]\nretention = \"2d\"")
        .replace("\"999999999999\"", "\"210987654321\"");
    project.write("prod", &changed);
    let plan = project.expect(0, &["plan", "prod", "--adopt-all"]).await;
    for line in [
        "# topic.feedback will be imported",
        "~ display_name = \"Feedback\" -> \"Bounces\"",
        "~ retention          = \"4d\" -> \"2d\"",
        "# identity_policy.pivot.app/partner will be imported",
        "# attachment.pivot-prod-api/role/api will be imported",
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&plan.output).contains(&squeezed(line)), "no `{line}` in {}", plan.output);
    }
    project.expect(0, &["apply", "prod", "--adopt-all", "--yes"]).await;
    project.expect_nothing("prod").await;
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    for (kind, name) in TAGGED {
        assert_eq!(Tagged::new(&project.clients(), kind, name).tags().await, None, "{kind}");
    }
}

#[tokio::test]
async fn each_is_adopted_by_its_own_name() {
    let project = made_elsewhere("adopting-each").await;
    let asked = asked(&project).await;
    // Records that are as declared are used as they are; nobody need adopt them.
    let mut expected: Vec<String> =
        TAGGED.iter().map(|(kind, name)| format!("{kind}.{name}")).collect();
    expected.extend(
        [
            "attachment.pivot-prod-api/role/api",
            "event_destination.main/feedback",
            "identity_policy.pivot.app/partner",
            "subscription.feedback/sqs:arn:aws:sqs:us-east-1:123456789012:feedback",
        ]
        .map(str::to_owned),
    );
    expected.sort();
    assert_eq!(asked, expected);
    for left_out in &asked {
        let mut arguments = vec!["apply", "prod", "--yes"];
        let others = asked.iter().filter(|it| *it != left_out);
        arguments.extend(others.flat_map(|it| ["--adopt", it.as_str()]));
        let ran = project.expect(3, &arguments).await;
        assert!(ran.output.contains(&format!("--adopt '{left_out}'")), "{}", ran.output);
        assert!(ran.errors.contains("the plan is refused for a reason"), "{}", ran.errors);
    }
    let mut arguments = vec!["apply", "prod", "--yes"];
    arguments.extend(asked.iter().flat_map(|it| ["--adopt", it.as_str()]));
    project.expect(0, &arguments).await;
    project.expect_nothing("prod").await;
    // The same command again finds nothing to take over, and is no fault.
    project.expect(0, &arguments).await;
}

#[tokio::test]
async fn a_name_that_is_neither_declared_nor_there_is_an_error() {
    let project = Project::with("adopting-unknown", FULL).await;
    let ran = project.expect(1, &["plan", "prod", "--adopt", "topic.feedbak"]).await;
    assert!(ran.errors.contains("topic.feedbak is neither declared nor owned"), "{}", ran.errors);
    assert!(ran.errors.contains("did you mean `topic.feedback`?"), "{}", ran.errors);
}

#[tokio::test]
async fn what_carries_another_owners_seal_is_never_adopted() {
    let project = Project::with("adopting-foreign", FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.remove("prod");
    project.write("other", FULL);
    let ran = project.expect(3, &["plan", "other", "--adopt-all"]).await;
    for (kind, name) in &TAGGED[..5] {
        let line = format!("Error: {kind}.{name} belongs to pivot/prod");
        assert!(ran.output.contains(&line), "no `{line}` in {}", ran.output);
    }
    assert!(!ran.output.contains("will be imported"), "{}", ran.output);
}

#[tokio::test]
async fn what_cannot_be_changed_in_place_is_not_adopted() {
    let project = made_elsewhere("adopting-path").await;
    project.write("prod", &FULL.replace("attach =", "path = \"/mail/\"\nattach ="));
    let ran = project.expect(3, &["plan", "prod", "--adopt-all"]).await;
    let said = "send_policy.pivot-prod-api exists already with another `path`";
    assert!(ran.output.contains(said), "{}", ran.output);
}

/// `CloudFormation` puts tags on what it makes, which nobody but AWS can write: here, the cloud's own state.
#[tokio::test]
async fn what_a_stack_made_is_adopted_and_another_stack_takes_it_away() {
    let topic = "[topics.feedback]\n";
    let project = Project::with("adopting-stack", topic).await;
    let topics = aws_sdk_sns::Client::new(&project.clients());
    topics.create_topic().name("feedback").send().await.unwrap();
    let stack = |id: &str| {
        let mut accounts = project.cloud.world().sns.write();
        let topics = &mut accounts.regional_mut("123456789012", "us-east-1").topics;
        let topic = topics.values_mut().find(|topic| topic.name == "feedback").unwrap();
        topic.tags.retain(|(key, _)| !key.starts_with("aws:"));
        topic.tags.push(("aws:cloudformation:stack-id".to_owned(), format!("arn:{id}")));
        topic.tags.push(("aws:cloudformation:stack-name".to_owned(), id.to_owned()));
    };
    stack("mail");
    let ran = project.expect(3, &["plan", "prod"]).await;
    assert!(ran.output.contains("is in the CloudFormation stack mail"), "{}", ran.output);
    project.expect(0, &["apply", "prod", "--adopt", "topic.feedback", "--yes"]).await;
    let ran = project.expect(0, &["plan", "prod", "--detailed-exitcode"]).await;
    assert!(ran.output.contains("No changes."), "{}", ran.output);
    stack("other");
    let ran = project.expect(3, &["plan", "prod"]).await;
    assert!(ran.output.contains("--adopt 'topic.feedback'"), "{}", ran.output);
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    let left = Tagged::new(&project.clients(), "topic", "feedback").tags().await;
    assert!(left.is_some_and(|tags: Tags| !tags.is_empty()), "it is the other stack's");
}
