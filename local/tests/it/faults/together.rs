//! Two runs at once on one environment, with nothing to keep them apart: each may fail at what the other does, but
//! neither harms what the other leaves, so that the next run ends where a lone one does.
//!
//! That is a law for two runs of one file. What two runs of different files announce may overwrite each other, since tags
//! know no compare-and-swap: then a child can end up unmanaged, which the next plan shows. The lock is there for that.

use std::time::Duration;

use sesinfra::engine::chain;

use super::dump::{differences, dump, owned};
use super::jobs::{FIRST, JOBS, Job, SECOND, again, scene};
use super::named::unnamed;
use super::run::{Watched, Weather, clean, undisturbed};
use crate::it::stage::Stage;

/// How long a call takes: long enough for the calls of two runs to mix in every way.
const LATENCY: Duration = Duration::from_millis(2);
/// How much later the second run begins.
const OFFSETS: [u64; 3] = [0, 7, 40];

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

/// Runs `text` twice at once on the account of `scene`, then once more.
async fn together(scene: &Stage, text: &str, offset: u64) {
    let stage = again(scene).await;
    stage.cloud.change(|options| options.latency = LATENCY);
    let ended = tokio::join!(
        unlocked(&stage, text, Duration::ZERO),
        unlocked(&stage, text, Duration::from_millis(offset))
    );
    stage.cloud.change(|options| options.latency = Duration::ZERO);
    assert_eq!(unnamed(&stage.cloud), Vec::<String>::new(), "{ended:?}");
    expect_alone(scene, &stage, text, &format!("{offset} ms apart: {ended:?}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_converge_without_a_lock() {
    for job in JOBS {
        let scene = scene(job).await;
        for offset in OFFSETS {
            Box::pin(together(&scene, job.wanted(), offset)).await;
        }
    }
}

/// What can happen to a plan while its reader thinks about it: another run makes what it wants to make, and more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_another_run_overtakes_loses_nothing() {
    let scene = scene(Job::Make).await;
    for (planned, overtaking) in [(SECOND, FIRST), (FIRST, SECOND), ("", SECOND)] {
        let stage = again(&scene).await;
        let open = stage.open(planned).await;
        let plan = open.plan().await.unwrap();
        clean(&stage, overtaking).await.unwrap();
        open.session.forget_reads();
        let control = Watched { stage: &stage, open: &open, parallelism: 1 };
        let report = sesinfra::engine::apply(&plan, &open.registry, &control).await;
        assert_eq!(unnamed(&stage.cloud), Vec::<String>::new());
        expect_alone(&scene, &stage, planned, &format!("{report:#?}")).await;
    }
}

/// The next run of `text` ends where one does that was alone all the time.
async fn expect_alone(scene: &Stage, stage: &Stage, text: &str, context: &str) {
    // SES lets the length of a key be changed once a day.
    stage.cloud.advance(Duration::from_hours(25));
    clean(stage, text).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    let expected = again(scene).await;
    undisturbed(&expected, text, Weather::Fair).await;
    // Without a file nobody says how the account is to be.
    let world = if text.is_empty() { owned } else { dump };
    let different = differences(&world(&expected.cloud), &world(&stage.cloud));
    assert!(different.is_empty(), "{context}: {}", different.join("\n"));
}
