//! Two runs at once on one environment, with nothing to keep them apart: each may fail at what the other does, but
//! neither harms what the other leaves, so that the next run ends where a lone one does.

use std::time::Duration;

use sesinfra::engine::chain;

use super::dump::{differences, dump};
use super::jobs::{FIRST, JOBS, SECOND, again, scene};
use super::run::{Watched, Weather, clean, undisturbed};
use crate::it::stage::Stage;

/// How long a call takes: long enough for the calls of two runs to mix in every way.
const LATENCY: Duration = Duration::from_millis(2);
/// How much later the second run begins.
const OFFSETS: [u64; 4] = [0, 7, 40, 150];

/// One run as the lock would never let it be: beside another one, with several calls under way at once.
async fn unlocked(stage: &Stage, text: &str, after: Duration) -> Result<bool, String> {
    tokio::time::sleep(after).await;
    let open = stage.connect(text).await.map_err(|error| chain(&error))?;
    let plan = open.plan().await.map_err(|error| chain(&error))?;
    if !plan.refusals.is_empty() {
        return Err(format!("{:?}", plan.refusals));
    }
    let control = Watched { stage, open: &open, parallelism: 4 };
    let report = sesinfra::engine::apply(&plan, &open.registry, &control).await;
    Ok(report.is_complete())
}

/// Runs `one` and `other` together on the account of `scene`, then `other` alone.
async fn together(scene: &Stage, one: &str, other: &str, offset: u64) -> String {
    let stage = again(scene).await;
    stage.cloud.change(|options| options.latency = LATENCY);
    let ended = tokio::join!(
        unlocked(&stage, one, Duration::ZERO),
        unlocked(&stage, other, Duration::from_millis(offset))
    );
    stage.cloud.change(|options| options.latency = Duration::ZERO);
    // SES lets the length of a key be changed once a day.
    stage.cloud.advance(Duration::from_hours(25));
    clean(&stage, other).await.unwrap_or_else(|error| panic!("{ended:?}: {error}"));
    let expected = again(scene).await;
    undisturbed(&expected, other, Weather::Fair).await;
    let different = differences(&dump(&expected.cloud), &dump(&stage.cloud));
    assert!(different.is_empty(), "{ended:?}: {}", different.join("\n"));
    format!("{ended:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_converge_without_a_lock() {
    for job in JOBS {
        let scene = scene(job).await;
        for offset in OFFSETS {
            let ended = together(&scene, job.wanted(), job.wanted(), offset).await;
            println!("{job:?} twice, {offset} ms apart: {ended}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_that_want_different_things_converge_without_a_lock() {
    for job in JOBS {
        let scene = scene(job).await;
        for (one, other) in [(FIRST, SECOND), (SECOND, ""), ("", FIRST)] {
            let ended = together(&scene, one, other, 7).await;
            println!("{job:?}: {ended}");
        }
    }
}

/// What happens to a plan while its reader thinks about it: another run makes the account something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_another_run_overtakes_loses_nothing() {
    for job in JOBS {
        let scene = scene(job).await;
        for (planned, overtaking) in [(SECOND, FIRST), (FIRST, SECOND), ("", SECOND)] {
            let stage = again(&scene).await;
            let open = stage.open(planned).await;
            let plan = open.plan().await.unwrap();
            clean(&stage, overtaking).await.unwrap();
            open.session.forget_reads();
            let control = Watched { stage: &stage, open: &open, parallelism: 1 };
            let report = sesinfra::engine::apply(&plan, &open.registry, &control).await;
            println!("{job:?}: {}", report.is_complete());
            stage.cloud.advance(Duration::from_hours(25));
            clean(&stage, planned).await.unwrap();
            let expected = again(&scene).await;
            undisturbed(&expected, planned, Weather::Fair).await;
            let different = differences(&dump(&expected.cloud), &dump(&stage.cloud));
            assert!(different.is_empty(), "{job:?}: {report:#?}\n{}", different.join("\n"));
        }
    }
}
