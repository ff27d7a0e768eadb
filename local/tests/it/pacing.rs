//! AWS's rate limits are kept to: nothing is throttled that could have been foreseen, and what is slows the rest down.

use std::time::{Duration, Instant};

use sesinfra::aws::Rates;
use sesinfra_local::{Limits, Options};

use super::bench_job::bench;
use super::stage::Stage;

async fn stage(limits: Limits) -> Stage {
    let latency = Duration::from_millis(40);
    let options = Options { limits, latency, ..Options::default() };
    let stage = Stage::with(options, Some(Rates::of_aws())).await;
    stage.zone("bench.example").await;
    stage.cloud.calls().clear();
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_throttled_under_limits_that_are_known() {
    let stage = stage(Limits::PerOperation).await;
    let (_, report) = stage.open(&bench(3)).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    stage.expect_nothing(&bench(3)).await;
    assert_eq!(stage.cloud.calls().throttled(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_turns_out_to_be_shared_slows_the_whole_service() {
    let stage = stage(Limits::SharedPerService).await;
    let start = Instant::now();
    let (_, report) = stage.open(&bench(1)).await.apply().await;
    let taken = start.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{report:#?}");
    let log = stage.cloud.calls();
    let of_ses = log.actions().iter().filter(|action| action.starts_with("ses:")).count();
    // Until the first one is throttled nobody can know, and then each call under way may be, once.
    assert!(log.throttled() <= 4, "{} of {of_ses} calls throttled", log.throttled());
    let at_one_a_second = f64::from(u32::try_from(of_ses).unwrap());
    assert!(taken <= at_one_a_second * 1.1 + 1.0, "{of_ses} calls took {taken} s");
}
