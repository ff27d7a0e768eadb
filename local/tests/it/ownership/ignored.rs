//! Settings that others may change: never shown, never written, and the rest of the resource as declared.

use crate::it::account::{ACCOUNT, REGION};
use crate::it::project::Project;

#[tokio::test]
async fn what_others_changed_is_not_shown_and_an_update_of_the_rest_leaves_it() {
    let file = |pool: &str| {
        format!(
            "[configuration_sets.main]\ntls = \"require\"\nmax_delivery = \"{pool}\"\nignore = [\"tls\", \"tags\"]\n"
        )
    };
    let project = Project::with("ignored-set", &file("1h")).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let ses = aws_sdk_sesv2::Client::new(&project.clients());
    let set = || async {
        let call = ses.get_configuration_set().configuration_set_name("main");
        call.send().await.unwrap()
    };
    let tls =
        |found: &aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput| {
            found.delivery_options().unwrap().tls_policy().unwrap().as_str().to_owned()
        };
    assert_eq!(tls(&set().await), "REQUIRE", "a value given is used when it is made");
    let call = ses.put_configuration_set_delivery_options().configuration_set_name("main");
    let call = call.tls_policy("OPTIONAL".into()).max_delivery_seconds(3_600);
    call.send().await.unwrap();
    project.expect_nothing("prod").await;
    // TLS and the time are one group of options, which is written whole.
    project.write("prod", &file("2h"));
    let ran = project.expect(0, &["apply", "prod", "--yes"]).await;
    assert!(!ran.output.contains("tls"), "{}", ran.output);
    let found = set().await;
    assert_eq!(found.delivery_options().unwrap().max_delivery_seconds(), Some(7_200));
    assert_eq!(tls(&found), "OPTIONAL");
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn a_policy_that_others_extend_stays_as_they_left_it() {
    let file = |name: &str| {
        format!("[topics.feedback]\ndisplay_name = \"{name}\"\nignore = [\"policy\"]\n")
    };
    let project = Project::with("ignored-policy", &file("A")).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let topics = aws_sdk_sns::Client::new(&project.clients());
    let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Theirs","Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sns:Publish","Resource":"{arn}"}}]}}"#
    );
    let set = topics.set_topic_attributes().topic_arn(&arn).attribute_name("Policy");
    set.attribute_value(policy).send().await.unwrap();
    project.expect_nothing("prod").await;
    project.write("prod", &file("B"));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let found = topics.get_topic_attributes().topic_arn(&arn).send().await.unwrap();
    let found = found.attributes.unwrap();
    assert!(found["Policy"].contains("Theirs"), "{}", found["Policy"]);
    assert_eq!(found["DisplayName"], "B");
}

#[tokio::test]
async fn a_default_set_that_others_choose_or_take_away_is_theirs() {
    let both = "[configuration_sets.main]\n[configuration_sets.other]\n";
    let declared = "[identities.\"pivot.app\"]\nconfiguration_set = \"main\"\nignore = [\"configuration_set\"]\n";
    let undeclared = "[identities.\"pivot.app\"]\nignore = [\"configuration_set\"]\n";
    for (name, file) in [("declared", declared), ("undeclared", undeclared)] {
        let project = Project::with(&format!("ignored-{name}"), &format!("{both}{file}")).await;
        project.expect(0, &["apply", "prod", "--yes"]).await;
        let ses = aws_sdk_sesv2::Client::new(&project.clients());
        for set in [Some("other"), None] {
            let call = ses.put_email_identity_configuration_set_attributes();
            let call = call.email_identity("pivot.app");
            call.set_configuration_set_name(set.map(str::to_owned)).send().await.unwrap();
            project.expect_nothing("prod").await;
            project.expect(0, &["apply", "prod", "--yes"]).await;
            let found = ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
            assert_eq!(found.configuration_set_name(), set);
        }
    }
}

#[tokio::test]
async fn each_setting_that_may_be_ignored_is_ignored() {
    let file = "[identities.\"pivot.app\"]\nignore = [\"feedback_forwarding\", \"signing\", \"tags\"]\n\
        [queues.feedback]\nignore = [\"retention\", \"visibility_timeout\", \"encryption\", \"dead_letter\", \"policy\", \"tags\"]\n\
        [topics.feedback]\nignore = [\"display_name\", \"tags\"]\nsubscriptions = [{ queue = \"feedback\" }]\n\
        [configuration_sets.main]\nignore = [\"sending\", \"reputation_metrics\", \"suppress\", \"vdm\"]\n\
        [configuration_sets.main.events.feedback]\ntypes = [\"bounce\"]\ntopic = \"feedback\"\nignore = [\"types\", \"enabled\"]\n";
    let project = Project::with("ignored-each", file).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let config = project.clients();
    let ses = aws_sdk_sesv2::Client::new(&config);
    let identity = "pivot.app";
    let call = ses.put_email_identity_feedback_attributes().email_identity(identity);
    call.email_forwarding_enabled(false).send().await.unwrap();
    let call = ses.put_email_identity_dkim_attributes().email_identity(identity);
    call.signing_enabled(false).send().await.unwrap();
    let call = ses.put_configuration_set_sending_options().configuration_set_name("main");
    call.sending_enabled(false).send().await.unwrap();
    let call = ses.put_configuration_set_suppression_options().configuration_set_name("main");
    call.suppressed_reasons("BOUNCE".into()).send().await.unwrap();
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback");
    let call = ses.update_configuration_set_event_destination().configuration_set_name("main");
    let sns = aws_sdk_sesv2::types::SnsDestination::builder().topic_arn(&topic).build().unwrap();
    let definition = aws_sdk_sesv2::types::EventDestinationDefinition::builder()
        .enabled(false)
        .matching_event_types("COMPLAINT".into())
        .sns_destination(sns)
        .build();
    let call = call.event_destination_name("feedback").event_destination(definition);
    call.send().await.unwrap();
    let topics = aws_sdk_sns::Client::new(&config);
    let call = topics.set_topic_attributes().topic_arn(&topic).attribute_name("DisplayName");
    call.attribute_value("Theirs").send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&config);
    let url = queues.get_queue_url().queue_name("feedback").send().await.unwrap().queue_url;
    let call = queues.set_queue_attributes().set_queue_url(url);
    let call = call.attributes("MessageRetentionPeriod".into(), "120");
    call.attributes("VisibilityTimeout".into(), "7").send().await.unwrap();
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn who_subscribed_and_who_is_woken_may_be_changed_by_others() {
    let file = |retention: &str, silence: &str| {
        format!(
            "[queues.feedback]\nretention = \"{retention}\"\n[topics.feedback]\n\
            subscriptions = [{{ queue = \"feedback\", ignore = [\"raw\", \"filter\", \"dead_letter\"] }}]\n\
            [alarms]\ntopic = \"feedback\"\nsilence = \"{silence}\"\nignore = [\"enabled\", \"threshold\", \"description\", \"tags\"]\n"
        )
    };
    let project = Project::with("ignored-listeners", &file("1d", "1d")).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let config = project.clients();
    let topics = aws_sdk_sns::Client::new(&config);
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback");
    let listed = topics.list_subscriptions_by_topic().topic_arn(&topic).send().await.unwrap();
    let arn = listed.subscriptions()[0].subscription_arn().unwrap().to_owned();
    let set = topics.set_subscription_attributes().subscription_arn(&arn);
    set.attribute_name("RawMessageDelivery").attribute_value("true").send().await.unwrap();
    let alarms = aws_sdk_cloudwatch::Client::new(&config);
    let silent = "pivot-prod-sending-paused";
    alarms.disable_alarm_actions().alarm_names(silent).send().await.unwrap();
    project.expect_nothing("prod").await;
    project.write("prod", &file("2d", "2d"));
    let ran = project.expect(0, &["apply", "prod", "--yes"]).await;
    assert!(ran.output.contains(&format!("# alarm.{silent} will be updated")), "{}", ran.output);
    let described = alarms.describe_alarms().alarm_names(silent).send().await.unwrap();
    assert_eq!(described.metric_alarms()[0].actions_enabled(), Some(false), "it stays silenced");
    let got = topics.get_subscription_attributes().subscription_arn(&arn).send().await.unwrap();
    assert_eq!(got.attributes().unwrap()["RawMessageDelivery"], "true");
    project.expect_nothing("prod").await;
}

#[tokio::test]
async fn what_bears_records_cannot_be_left_to_others_and_the_finding_says_what_can() {
    for field in ["dkim", "mail_from", "dmarc"] {
        let body = format!("[identities.\"pivot.app\"]\nignore = [\"{field}\"]\n");
        let project = Project::with(&format!("ignored-{field}"), &body).await;
        let ran = project.expect(1, &["validate", "prod"]).await;
        assert!(ran.errors.contains("`dns = \"manual\"` leaves"), "{}", ran.errors);
    }
    let project = Project::with("ignored-other", "[queues.a]\nignore = [\"dns\"]\n").await;
    let ran = project.expect(1, &["validate", "prod"]).await;
    assert!(ran.errors.contains("only these can be left to others"), "{}", ran.errors);
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_a_finding() {
    let project =
        Project::with("ignored-unknown", "[topics.feedback]\nignore = [\"display_nme\"]\n").await;
    let ran = project.expect(1, &["validate", "prod"]).await;
    assert!(ran.errors.contains("did you mean `display_name`?"), "{}", ran.errors);
}

/// An environment with something of each kind that carries tags, and these lines above all tables.
fn with_tags(top: &str, tier: &str, path: &str) -> String {
    format!(
        "project = \"pivot\"\n{top}\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n[tags]\ntier = \"{tier}\"\n\
        [identities.\"pivot.app\"]\ndns = \"manual\"\n[configuration_sets.main]\n[queues.feedback]\n\
        [topics.feedback]\nsubscriptions = [{{ queue = \"feedback\" }}]\n\
        [send_policies.api]\npath = \"{path}\"\nfrom = [\"*@pivot.app\"]\n"
    )
}

/// What a tag policy and a tool for cost do to everything.
async fn tagged_by_others(config: &aws_config::SdkConfig) {
    let added = [("cost", "4711"), ("others-plan", "daily")];
    let ses = aws_sdk_sesv2::Client::new(config);
    let arn = |rest: &str| format!("arn:aws:ses:{REGION}:{ACCOUNT}:{rest}");
    for arn in [arn("identity/pivot.app"), arn("configuration-set/main")] {
        let mut call = ses.tag_resource().resource_arn(arn);
        for (key, value) in added {
            let tag = aws_sdk_sesv2::types::Tag::builder().key(key).value(value).build().unwrap();
            call = call.tags(tag);
        }
        call.send().await.unwrap();
    }
    let sns = aws_sdk_sns::Client::new(config);
    let (sqs, iam) = (aws_sdk_sqs::Client::new(config), aws_sdk_iam::Client::new(config));
    let url = sqs.get_queue_url().queue_name("feedback").send().await.unwrap().queue_url.unwrap();
    for (key, value) in added {
        let tag = aws_sdk_sns::types::Tag::builder().key(key).value(value).build().unwrap();
        let call = sns.tag_resource().resource_arn(topic_arn()).tags(tag);
        call.send().await.unwrap();
        sqs.tag_queue().queue_url(&url).tags(key, value).send().await.unwrap();
        let tag = aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/pivot-prod-api");
        iam.tag_policy().policy_arn(arn).tags(tag).send().await.unwrap();
    }
}

fn topic_arn() -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback")
}

/// What the tags of others are on a topic and an IAM policy.
async fn tags_of_others(config: &aws_config::SdkConfig, path: &str) -> Vec<(String, String)> {
    let sns = aws_sdk_sns::Client::new(config);
    let of_topic = sns.list_tags_for_resource().resource_arn(topic_arn()).send().await.unwrap();
    let of_topic = of_topic.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone()));
    let iam = aws_sdk_iam::Client::new(config);
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy{path}pivot-prod-api");
    let of_policy = iam.list_policy_tags().policy_arn(arn).send().await.unwrap();
    let of_policy = of_policy.tags.into_iter().map(|tag| (tag.key, tag.value));
    let mut found: Vec<_> = of_topic.chain(of_policy).collect();
    found.retain(|(key, _)| !key.starts_with("sesinfra:") && key != "tier");
    found.sort();
    found
}

#[tokio::test]
async fn tags_of_others_are_neither_shown_nor_removed_nor_lost() {
    let project = Project::new("ignored-tags").await;
    let ignoring = "ignore_tags = [\"cost\", \"others-*\"]";
    project.write_whole("prod", &with_tags("", "one", "/"));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    tagged_by_others(&project.clients()).await;
    let shown = project.expect(0, &["plan", "prod"]).await;
    assert_eq!(shown.output.matches("cost = \"4711\"").count(), 5, "{}", shown.output);
    project.write_whole("prod", &with_tags(ignoring, "one", "/"));
    project.expect_nothing("prod").await;
    let both =
        [("cost", "4711"), ("cost", "4711"), ("others-plan", "daily"), ("others-plan", "daily")];
    let both = both.map(|(key, value)| (key.to_owned(), value.to_owned()));
    // An update of the tags that are declared, and everything made anew.
    project.write_whole("prod", &with_tags(ignoring, "two", "/"));
    let changed = project.expect(0, &["apply", "prod", "--yes"]).await;
    assert!(!changed.output.contains("cost"), "{}", changed.output);
    assert_eq!(tags_of_others(&project.clients(), "/").await, both);
    project.write_whole("prod", &with_tags(ignoring, "two", "/mail/"));
    let anew = ["apply", "prod", "--yes", "--replace", "topic.feedback"];
    project.expect(0, &anew).await;
    assert_eq!(tags_of_others(&project.clients(), "/mail/").await, both);
    project.expect_nothing("prod").await;
    project.expect(0, &["destroy", "prod", "--yes"]).await;
}
