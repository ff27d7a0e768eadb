//! Every blow at every call of every job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::dump::differences;
use super::jobs::{JOBS, Job, again, scene};
use super::run::{BLOWS, Blow, Case, Weather, undisturbed};
use crate::it::stage::Stage;

/// How many runs of the matrix a plain `cargo test` makes.
const SAMPLE: usize = 60;

/// What the runs of one job start from and must end in.
struct Ground {
    scene: Stage,
    /// How many calls an undisturbed run takes, in each weather.
    calls: BTreeMap<Weather, u64>,
    /// After the same environment was applied again.
    wanted: Value,
    /// After another one was applied instead.
    instead: Value,
}

async fn ground(job: Job) -> Ground {
    let scene = scene(job).await;
    expect_every_kind(&scene, job).await;
    let (wanted, calls) = undisturbed(&again(&scene).await, job.wanted(), Weather::Fair).await;
    let (stale, stale_calls) =
        undisturbed(&again(&scene).await, job.wanted(), Weather::Stale).await;
    let different = differences(&wanted, &stale);
    assert!(different.is_empty(), "stale reads alone make a difference: {different:#?}");
    let (instead, _) = undisturbed(&again(&scene).await, job.instead(), Weather::Fair).await;
    let calls = BTreeMap::from([(Weather::Fair, calls), (Weather::Stale, stale_calls)]);
    Ground { scene, calls, wanted, instead }
}

/// The job changes something of every kind that there is.
async fn expect_every_kind(scene: &Stage, job: Job) {
    let stage = again(scene).await;
    let open = stage.open(job.wanted()).await;
    let plan = open.plan().await.unwrap();
    let touched: BTreeSet<&str> = plan.pending().map(|change| change.address.kind()).collect();
    let all = open.registry.kinds().map(|kind| kind.name());
    // Nobody owns the settings of an account, so nobody destroys them.
    let all: BTreeSet<&str> =
        all.filter(|kind| job != Job::Destroy || *kind != "account").collect();
    assert_eq!(touched, all, "{job:?}");
}

fn cases(calls: &BTreeMap<Job, BTreeMap<Weather, u64>>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (job, calls) in calls {
        for (weather, calls) in calls {
            for call in 1..=*calls {
                let blows = BLOWS.into_iter().filter(|blow| {
                    // Stale reads matter to what is read back, so they meet kills, and the answer that is lost.
                    *weather == Weather::Fair || blow.kills() || *blow == Blow::AnswerLost
                });
                for blow in blows {
                    // What is wanted afterwards matters to what was left half done.
                    let instead = blow == Blow::KilledAfter && *weather == Weather::Fair;
                    for instead in BTreeSet::from([false, instead]) {
                        cases.push(Case { job: *job, call, blow, instead, weather: *weather });
                    }
                }
            }
        }
    }
    cases
}

/// The part of the runs that `SESINFRA_FAULTS_PART=2/3` asks for, so that several machines can share them, and of those
/// the ones whose description contains `SESINFRA_FAULTS_ONLY`, to look at a loss again.
fn part(cases: Vec<Case>) -> Vec<Case> {
    let share = std::env::var("SESINFRA_FAULTS_PART").unwrap_or_else(|_| "1/1".to_owned());
    let (mine, of) = share.split_once('/').unwrap();
    let (mine, of): (usize, usize) = (mine.parse().unwrap(), of.parse().unwrap());
    let only = std::env::var("SESINFRA_FAULTS_ONLY").unwrap_or_default();
    let numbered = cases.into_iter().enumerate();
    let mine = numbered.filter(|(index, _)| index % of == mine - 1).map(|(_, case)| case);
    mine.filter(|case| format!("{case:?}").contains(&only)).collect()
}

/// A fixed choice of `size` cases, spread over all of them.
fn sample(cases: &[Case], size: usize) -> Vec<Case> {
    let (all, step) = (cases.len(), 7_919);
    // 7,919 is prime and divides no number of cases here, so multiples of it meet every case once.
    assert!(all % step != 0 || all == 0);
    (0..size.min(all)).map(|index| cases[index * step % all]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_run_after_any_fault_ends_where_an_undisturbed_one_does() {
    let mut grounds = BTreeMap::new();
    for job in JOBS {
        grounds.insert(job, Box::pin(ground(job)).await);
    }
    let calls: BTreeMap<Job, BTreeMap<Weather, u64>> =
        grounds.iter().map(|(job, ground)| (*job, ground.calls.clone())).collect();
    let all = cases(&calls);
    let whole = all.len();
    let chosen = match std::env::var("SESINFRA_FAULTS").as_deref() {
        Ok("all") => all,
        Ok(size) => sample(&all, size.parse().unwrap()),
        Err(_) => sample(&all, SAMPLE),
    };
    let chosen = part(chosen);
    let (began, count) = (Instant::now(), chosen.len());
    let (grounds, chosen) = (Arc::new(grounds), Arc::new(chosen));
    let next = Arc::new(AtomicUsize::new(0));
    let workers = (0..4).map(|_| {
        let (grounds, chosen, next) =
            (Arc::clone(&grounds), Arc::clone(&chosen), Arc::clone(&next));
        tokio::spawn(async move {
            let mut losses = Vec::new();
            while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                let ground = &grounds[&case.job];
                let expected = if case.instead { &ground.instead } else { &ground.wanted };
                let stage = again(&ground.scene).await;
                if let Err(loss) = case.run(&stage, expected).await {
                    let loss = format!("{case:?} ({:?})\n{loss}", called(&stage, case.call));
                    println!("{loss}");
                    losses.push(loss);
                }
            }
            losses
        })
    });
    let mut losses = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        losses.extend(worker.await.unwrap());
    }
    println!(
        "{count} interrupted runs of {whole} (calls: {calls:?}), {} losses, {:?}",
        losses.len(),
        began.elapsed()
    );
    assert!(losses.is_empty(), "{} losses, the first: {}", losses.len(), losses[0]);
}

fn called(stage: &Stage, call: u64) -> String {
    let actions = stage.cloud.calls().actions();
    usize::try_from(call).ok().and_then(|call| actions.get(call - 1).cloned()).unwrap_or_default()
}
