//! What would be lost with a resource is looked for before it goes, wherever it goes from.

use sesinfra::engine::{Options as PlanOptions, Plan, Severity, plan};

use super::{Stage, address, ses};

const QUEUE: &str = "[queues.inbox]\n";

async fn with_a_message() -> Stage {
    let stage = Stage::new().await;
    stage.converge(QUEUE).await;
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let url = queues.get_queue_url().queue_name("inbox").send().await.unwrap().queue_url.unwrap();
    queues.send_message().queue_url(url).message_body("a bounce").send().await.unwrap();
    stage
}

async fn planned(stage: &Stage, file: &str, options: &PlanOptions) -> Plan {
    let open = stage.open(file).await;
    plan(&open.graph, &open.registry, options).await.unwrap()
}

fn severity(plan: &Plan, at: &str) -> Severity {
    plan.change(&address(at)).unwrap().impact.severity
}

#[tokio::test]
async fn messages_are_seen_in_a_queue_that_is_dropped_made_anew_or_destroyed() {
    let stage = with_a_message().await;
    let dropped = planned(&stage, "", &PlanOptions::default()).await;
    let replace = [address("queue.inbox")].into();
    let replaced = PlanOptions { replace, ..PlanOptions::default() };
    let replaced = planned(&stage, QUEUE, &replaced).await;
    let destroyed = PlanOptions { destroy: true, ..PlanOptions::default() };
    let destroyed = planned(&stage, QUEUE, &destroyed).await;
    for plan in [dropped, replaced, destroyed] {
        assert_eq!(severity(&plan, "queue.inbox"), Severity::Irreversible, "{plan:#?}");
    }
}

#[tokio::test]
async fn what_is_made_anew_is_gone_meanwhile() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let file = "[identities.\"pivot.app\"]\n";
    stage.converge(file).await;
    let replace = [address("identity.pivot.app")].into();
    let options = PlanOptions { replace, ..PlanOptions::default() };
    let plan = planned(&stage, file, &options).await;
    let impact = &plan.change(&address("identity.pivot.app")).unwrap().impact;
    assert_eq!(impact.severity, Severity::StopsMail);
    assert!(impact.reason.starts_with("until it is made anew, mail from this"), "{impact:?}");
}

#[tokio::test]
async fn a_plan_names_whose_default_a_set_is_and_asks_each_once() {
    let stage = Stage::new().await;
    let sets = "[configuration_sets.main]\n[configuration_sets.other]\n";
    stage.converge(sets).await;
    let client = ses(&stage);
    for (name, set) in [("a.example", "main"), ("b.example", "other"), ("c.example", "main")] {
        let create = client.create_email_identity().email_identity(name);
        create.configuration_set_name(set).send().await.unwrap();
    }
    let before = stage.cloud.calls().count("ses:GetEmailIdentity");
    let plan = planned(&stage, "", &PlanOptions::default()).await;
    let main = plan.change(&address("configuration_set.main")).unwrap();
    assert!(main.impact.reason.contains("a.example, c.example"), "{:?}", main.impact);
    let other = plan.change(&address("configuration_set.other")).unwrap();
    assert!(other.impact.reason.contains("that is b.example"), "{:?}", other.impact);
    assert_eq!(stage.cloud.calls().count("ses:GetEmailIdentity") - before, 3);
    // Nobody is asked as long as the sets stay.
    planned(&stage, sets, &PlanOptions::default()).await;
    assert_eq!(stage.cloud.calls().count("ses:GetEmailIdentity") - before, 3);
}
