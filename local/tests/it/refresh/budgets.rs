//! Calls do not depend on the machine, so how few there are is what a test can hold.

use std::time::{Duration, Instant};

use sesinfra::aws::{Rates, ses_tags};
use sesinfra::engine::{Marks, Refresh, digest_of_family};
use sesinfra_local::{Limits, Options};

use super::planned;
use crate::it::account::ACCOUNT;
use crate::it::bench_job::bench;
use crate::it::marks::{Tagged, arn};
use crate::it::program::sesinfra_on;
use crate::it::stage::Stage;

const BY_TAGS: [&str; 3] = ["plan", "test", "--refresh=tags"];

/// A stage on which *bench* with so many domains is applied.
async fn applied(domains: usize) -> (Stage, String) {
    let stage = Stage::new().await;
    stage.zone("bench.example").await;
    let environment = bench(domains);
    let (_, report) = stage.open(&environment).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    (stage, environment)
}

/// The same with many domains. Making them all takes longer than a test may, so all but the first are made bare, with the
/// tags that an apply would leave on them, and all the rest is applied by a plan by tags.
async fn many(domains: usize) -> (Stage, String) {
    let (stage, _) = applied(1).await;
    let environment = bench(domains);
    let open = stage.open(&environment).await;
    let families = open.graph.families();
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    for root in families.keys().filter(|it| it.kind() == "identity") {
        let members = &families[root];
        let digest = digest_of_family(&open.graph, &open.registry, root, members);
        let declared = members.iter().filter_map(|member| open.graph.get(member));
        let children = declared.flat_map(|it| it.tokens.clone()).collect();
        let marks = Marks { children, digest: Some(digest) };
        let tags = open.session.owner.tags(&arn("identity", root.name()), &marks);
        if root.name() == "d1.bench.example" {
            // What is written here is what an apply writes.
            let real = Tagged::new(&stage.clients, "identity", root.name()).tags().await;
            assert_eq!(real.unwrap(), tags);
            continue;
        }
        let call = ses.create_email_identity().email_identity(root.name());
        call.set_tags(Some(ses_tags::to_ses(&tags))).send().await.unwrap();
    }
    let plan = planned(&stage, &environment, Refresh::Tags).await;
    let pending: Vec<String> = plan.pending().map(|it| it.address.to_string()).collect();
    assert_eq!(pending, ["send_policy.pivot-test-api"]);
    let report = stage.open(&environment).await.carry_out(&plan).await;
    assert!(report.is_complete(), "{report:#?}");
    (stage, environment)
}

/// From now on the cloud is as slow and as strict as AWS is.
fn slow_down(stage: &Stage) {
    stage.cloud.change(|options: &mut Options| {
        options.limits = Limits::PerOperation;
        options.latency = Duration::from_millis(40);
    });
    stage.cloud.calls().clear();
}

/// Plans as the command line does, no faster than AWS allows; how long it took.
async fn plan_as_a_user(stage: &Stage) -> Duration {
    let begin = Instant::now();
    let ran = sesinfra_on(&stage.cloud, ACCOUNT, &stage.root, &BY_TAGS, |host| {
        host.access.rates = Some(Rates::of_aws());
    })
    .await;
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
    assert!(
        ran.output.ends_with("\nNo changes. Tags and lists match the configuration.\n"),
        "{}",
        ran.output
    );
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_domains_take_at_most_eight_calls() {
    let (stage, _) = applied(10).await;
    slow_down(&stage);
    let taken = plan_as_a_user(&stage).await;
    let log = stage.cloud.calls();
    println!("{} calls in {taken:?}: {:#?}", log.total(), log.counts());
    assert!(log.total() <= 8, "{} calls: {:#?}", log.total(), log.counts());
    assert_eq!(log.throttled(), 0);
    assert!(log.writes().is_empty(), "a plan writes nothing: {:?}", log.writes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_and_one_domains_take_at_most_twenty_calls() {
    let (stage, environment) = Box::pin(many(1_001)).await;
    slow_down(&stage);
    let taken = plan_as_a_user(&stage).await;
    let log = stage.cloud.calls();
    println!("{} calls in {taken:?}: {:#?}", log.total(), log.counts());
    assert!(log.total() <= 20, "{} calls: {:#?}", log.total(), log.counts());
    assert_eq!(log.throttled(), 0);

    // One domain that is declared otherwise costs what reading that one costs.
    stage.cloud.change(|options| options.limits = Limits::None);
    log.clear();
    let changed =
        environment.replacen("feedback_forwarding = false", "feedback_forwarding = true", 1);
    let plan = planned(&stage, &changed, Refresh::Tags).await;
    let pending: Vec<String> = plan.pending().map(|it| it.address.to_string()).collect();
    assert_eq!(pending, ["identity.d1.bench.example"]);
    assert_eq!(log.count("ses:GetEmailIdentity"), 1);
}
