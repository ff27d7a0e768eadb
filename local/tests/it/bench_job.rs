//! How many calls the job called *bench* takes: N domains in one zone, one set, two SNS destinations, two topics, one send
//! policy. Calls do not depend on the machine, so they are budgets that a test can hold.

use std::collections::BTreeMap;

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

/// How often each operation was called in one step.
type Taken = BTreeMap<String, usize>;

fn all(taken: &Taken) -> usize {
    taken.values().sum()
}

/// Makes the job, plans it again, changes one field, and takes it all away: what each of these takes.
async fn life(domains: usize) -> [Taken; 4] {
    let stage = Stage::new().await;
    stage.zone("bench.example").await;
    let log = stage.cloud.calls();
    let environment = bench(domains);
    let changed = environment.replace("tls = \"require\"", "tls = \"optional\"");
    let taken = || {
        let taken = log.counts();
        log.clear();
        taken
    };
    let apply = async |environment: &str| {
        let (_, report) = stage.open(environment).await.apply().await;
        assert!(report.is_complete(), "{report:#?}");
    };

    log.clear();
    apply(&environment).await;
    let made = taken();

    stage.expect_nothing(&environment).await;
    assert!(log.writes().is_empty(), "a plan writes nothing: {:?}", log.writes());
    assert_eq!(log.repeated(), [""; 0], "a plan asks nothing twice");
    let planned = taken();

    apply(&changed).await;
    let changed = taken();

    apply("").await;
    [made, planned, changed, taken()]
}

#[tokio::test]
async fn ten_domains_take_no_more_calls_than_they_did() {
    let [made, planned, changed, gone] = life(10).await;
    println!("{made:?} {planned:?} {changed:?} {gone:?}");
    assert!(all(&made) <= 100, "making: {made:#?}");
    assert!(all(&planned) <= 28, "planning again: {planned:#?}");
    assert!(all(&changed) <= all(&planned) + 9, "changing one field: {changed:#?}");
    assert!(all(&gone) <= 105, "destroying: {gone:#?}");
}

#[tokio::test]
async fn a_hundred_domains_take_one_call_each_to_plan_again() {
    let [made, planned, changed, gone] = life(100).await;
    println!("{made:?} {planned:?} {changed:?} {gone:?}");
    // How many families are read back together depends on how fast they are made: at worst the zone is asked for each.
    assert!(all(&made) <= 740, "making: {made:#?}");
    assert!(all(&planned) <= 120, "planning again: {planned:#?}");
    assert!(all(&changed) <= all(&planned) + 9, "changing one field: {changed:#?}");
    assert!(all(&gone) <= 840, "destroying: {gone:#?}");
}
