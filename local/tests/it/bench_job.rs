//! How many calls the job called *bench* takes: N domains in one zone, one set, two SNS destinations, two topics, one send
//! policy. Calls do not depend on the machine, so they are budgets that a test can hold.

use crate::it::stage::Stage;

/// The environment of *bench* with `domains` domains.
pub(crate) fn bench(domains: usize) -> String {
    let domain = |index| {
        include_str!("../../bench/domain.toml")
            .replace("@DOMAIN@", &format!("d{index}.bench.example"))
    };
    let domains = (1..=domains).map(domain);
    [include_str!("../../bench/account.toml").to_owned()].into_iter().chain(domains).collect()
}

#[tokio::test]
async fn ten_domains_take_at_most_a_hundred_calls_to_make_and_28_to_plan_again() {
    let stage = Stage::new().await;
    stage.zone("bench.example").await;
    let log = stage.cloud.calls();
    let environment = bench(10);

    log.clear();
    let (_, report) = stage.open(&environment).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    let making = log.total();
    assert!(making <= 100, "{making} calls: {:#?}", log.counts());

    log.clear();
    stage.expect_nothing(&environment).await;
    let planning = log.total();
    assert!(planning <= 28, "{planning} calls: {:#?}", log.counts());
    assert!(log.writes().is_empty(), "a plan writes nothing: {:?}", log.writes());
}
