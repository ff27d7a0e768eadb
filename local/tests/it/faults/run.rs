//! One disturbed run, and the clean one after it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sesinfra::engine::{Control, Event, Plan, Report, apply, chain};
use sesinfra_local::{Effect, Fault};

use super::dump::{differences, dump};
use super::jobs::{Job, SECRET};
use super::marks;
use super::named::unnamed;
use crate::it::stage::{Open, Stage};

/// What is done to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Blow {
    KilledBefore,
    KilledAfter,
    AnswerLost,
    Throttled,
    Failed,
    Expired,
    Denied,
}

pub(super) const BLOWS: [Blow; 7] = [
    Blow::KilledBefore,
    Blow::KilledAfter,
    Blow::AnswerLost,
    Blow::Throttled,
    Blow::Failed,
    Blow::Expired,
    Blow::Denied,
];

impl Blow {
    pub(super) const fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }

    fn at(self, call: u64) -> Fault {
        let effect = match self {
            Self::KilledBefore => Effect::Hang,
            Self::KilledAfter => Effect::HangAfter,
            Self::AnswerLost => Effect::LoseResponse,
            Self::Throttled => Effect::Throttle,
            Self::Failed => Effect::ServerError,
            Self::Denied => Effect::Deny,
            // A session that is over stays so.
            Self::Expired => return Fault::from_nth("*", call, Effect::ExpireToken),
        };
        Fault::nth("*", call, effect)
    }
}

/// What the cloud is like meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weather {
    Fair,
    /// Reads show what was there before a write for three seconds; the tagging API lags longer and shows ghosts.
    Stale,
}

impl Weather {
    fn come(self, stage: &Stage) {
        if self == Self::Stale {
            stage.cloud.change(|options| {
                options.stale_reads = Duration::from_secs(3);
                options.tagging_lag = Duration::from_secs(5);
                options.ghosts = Duration::from_secs(9);
            });
        }
    }

    /// Lets what is stale become current.
    fn pass(self, stage: &Stage) {
        if self == Self::Stale {
            stage.cloud.advance(Duration::from_secs(10));
        }
    }
}

/// One run of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) job: Job,
    pub(super) call: u64,
    pub(super) blow: Blow,
    /// Whether another environment is wanted afterwards.
    pub(super) instead: bool,
    pub(super) weather: Weather,
}

/// Runs with time that passes only when somebody waits.
pub(crate) struct Watched<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) open: &'a Open,
    pub(crate) parallelism: usize,
}

#[async_trait]
impl Control for Watched<'_> {
    fn hear(&self, _event: Event) {}

    fn is_stopped(&self) -> bool {
        false
    }

    async fn pause(&self, attempt: u32) -> bool {
        self.stage.cloud.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
        attempt < 40
    }

    async fn pause_for_reads(&self, attempt: u32) -> bool {
        self.pause(attempt).await
    }

    fn forget_reads(&self) {
        self.open.session.forget_reads();
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }
}

async fn attempt(stage: &Stage, text: &str) -> Result<(Plan, Report), String> {
    let open = stage.connect(text).await.map_err(|error| chain(&error))?;
    let plan = open.plan().await.map_err(|error| chain(&error))?;
    if !plan.refusals.is_empty() {
        return Err(format!("refused: {:#?}", plan.refusals));
    }
    let report =
        apply(&plan, &open.registry, &Watched { stage, open: &open, parallelism: 1 }).await;
    Ok((plan, report))
}

/// A run that must succeed.
pub(super) async fn clean(stage: &Stage, text: &str) -> Result<String, String> {
    let (plan, report) = attempt(stage, text).await?;
    if report.is_complete() {
        return Ok(format!("{plan:?}"));
    }
    let bad =
        report.steps.iter().filter(|step| !matches!(step.outcome, sesinfra::engine::Outcome::Done));
    let bad: Vec<String> = bad.map(|step| format!("{step:?}")).collect();
    Err(format!("not complete: {}\nunsettled: {:?}", bad.join("\n"), report.unsettled))
}

/// What an undisturbed run makes of `scene`, and in how many calls.
pub(super) async fn undisturbed(stage: &Stage, text: &str, weather: Weather) -> (Value, u64) {
    let log = stage.cloud.calls();
    log.clear();
    weather.come(stage);
    clean(stage, text).await.unwrap();
    let calls = log.total() as u64;
    weather.pass(stage);
    let open = stage.open(text).await;
    let left = open.plan().await.unwrap();
    assert!(left.is_empty(), "{:#?}", left.pending().collect::<Vec<_>>());
    marks::check(stage, text, true).await.unwrap();
    (dump(&stage.cloud), calls)
}

impl Case {
    /// Runs it in `stage`; what is wrong afterwards, if anything is.
    pub(super) async fn run(self, stage: &Stage, expected: &Value) -> Result<(), String> {
        self.weather.come(stage);
        let wanted = self.job.wanted();
        stage.cloud.faults().arm(self.blow.at(self.call));
        let said = tokio::select! {
            biased;
            () = struck(stage, self.blow.kills()) => String::new(),
            ended = attempt(stage, wanted) => format!("{ended:?}"),
        };
        stage.cloud.faults().clear();
        let wrote = !stage.cloud.calls().writes().is_empty();
        expect_no_secret(&said)?;
        if let Some(lost) = unnamed(&stage.cloud).first() {
            return Err(format!("no marks name {lost}"));
        }
        // Where nothing was written a clean run is an undisturbed one, and where everything was it has nothing to do.
        if !wrote {
            return Ok(());
        }
        let left = dump(&stage.cloud);
        expect_no_secret(&left.to_string())?;
        if self.instead || left != *expected {
            expect_no_secret(&self.mend(stage).await?)?;
        }
        let losses = self.losses(stage, expected).await?;
        if losses.is_empty() { Ok(()) } else { Err(losses.join("\n")) }
    }

    /// The clean run, by somebody who comes a while after.
    async fn mend(self, stage: &Stage) -> Result<String, String> {
        self.weather.pass(stage);
        // Every state that a call leaves behind is seen by the two kills around it.
        if self.blow.kills() && self.weather == Weather::Fair {
            marks::check(stage, self.job.wanted(), false).await?;
        }
        if self.instead {
            // SES lets the length of a key be changed once a day.
            stage.cloud.advance(Duration::from_hours(25));
        }
        let said = clean(stage, self.then()).await?;
        self.weather.pass(stage);
        Ok(said)
    }

    /// The environment that is wanted after the disturbed run.
    const fn then(self) -> &'static str {
        if self.instead { self.job.instead() } else { self.job.wanted() }
    }

    /// How the world differs from what it should be. SES looks at records when it is asked for an identity, so it is
    /// asked, which must show nothing left to do.
    async fn losses(self, stage: &Stage, expected: &Value) -> Result<Vec<String>, String> {
        let different = differences(expected, &dump(&stage.cloud));
        if different.is_empty() {
            return Ok(different);
        }
        let left = stage.open(self.then()).await.plan().await.map_err(|error| chain(&error))?;
        if !left.is_empty() {
            return Err(format!("left: {:#?}", left.pending().collect::<Vec<_>>()));
        }
        Ok(differences(expected, &dump(&stage.cloud)))
    }
}

async fn struck(stage: &Stage, kills: bool) {
    if kills {
        stage.cloud.faults().struck().await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Whatever was said or left, no part of the private key may be in it.
fn expect_no_secret(text: &str) -> Result<(), String> {
    let part = &SECRET.trim()[60..120];
    if text.contains(part) { Err("the private key is out".to_owned()) } else { Ok(()) }
}
