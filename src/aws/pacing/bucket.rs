//! Calls that share one limit, and go out one after the other as it allows.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Rate;

/// Clocks and networks jitter: calls are spaced this much wider than the limit, or two would meet at the service.
const MARGIN: f64 = 1.02;

/// After throttled calls that follow each other closely the next ones are so much wider apart: somebody else calls too.
const SLOW_DOWN: f64 = 1.5;
/// After a single one they are hardly wider apart: on a busy machine or network a call is late at times, and the next one too
/// early for it.
const GIVE_WAY: f64 = 1.05;
/// One in so many calls, or more, is throttled where somebody else calls too.
const OFTEN: u32 = 5;
/// How many calls that pass it takes to be faster by one more of the intervals that AWS's limit implies.
const CALLS_TO_RECOVER: u32 = 40;
/// However much is throttled, calls are at most so many times as wide apart as AWS's limit implies.
const SLOWEST: u32 = 16;

/// Answers that come later than so are rare, and count as if somebody else called too.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// When the next call may go out (a "generic cell rate" bucket: one instant instead of a count of tokens).
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// How far apart AWS's limit lets calls be.
    shortest: Duration,
    /// How far apart they are now.
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again.
    full_at: Instant,
    slowed_at: Option<Instant>,
    /// Until when what is throttled may be so for calls of the command before.
    inherits_until: Instant,
}

impl Bucket {
    /// A full one, of a process that made no call before it was `born`.
    pub(super) fn new(rate: Rate, now: Instant, born: Instant) -> Self {
        let shortest = Duration::from_secs_f64(MARGIN / rate.per_second);
        let burst = rate.burst.max(1);
        let inherits_until = born + shortest * burst + ANSWERED_WITHIN;
        Self { shortest, interval: shortest, burst, full_at: now, slowed_at: None, inherits_until }
    }

    /// When a call may go out.
    fn opens_at(&self) -> Instant {
        let ahead = self.interval * (self.burst - 1);
        self.full_at.checked_sub(ahead).unwrap_or(self.full_at)
    }

    /// A call goes out.
    fn take(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.interval;
        let faster = self.interval.saturating_sub(self.shortest / CALLS_TO_RECOVER);
        self.interval = faster.max(self.shortest);
    }

    /// AWS's bucket is emptier than this one: somebody else calls too.
    pub(super) fn slow_down(&mut self, now: Instant) {
        // Calls that went out together are throttled together, and say it only once.
        if self.slowed_at.is_none_or(|at| now >= at + self.interval) {
            let is_often = self.slowed_at.is_some_and(|at| now < at + self.interval * OFTEN);
            let wider = if is_often { SLOW_DOWN } else { GIVE_WAY };
            self.slowed_at = Some(now);
            self.interval = self.interval.mul_f64(wider).min(self.shortest * SLOWEST);
        }
        self.full_at = self.full_at.max(now + self.interval * self.burst);
    }

    /// What AWS counted so far is not known, but it is not more than a full bucket.
    pub(super) fn empty(&mut self, now: Instant) {
        self.full_at = now + self.interval * self.burst;
        self.slowed_at = Some(now);
        // What went out together is throttled together; what goes out from now on was waited for.
        self.inherits_until = self.inherits_until.min(now + self.interval);
    }

    /// Calls were throttled for another reason than that these were too many.
    pub(super) fn forgive(&mut self) {
        self.interval = self.shortest;
        self.slowed_at = None;
    }

    /// Whether what is throttled by now may be throttled for calls that were made before this process was there.
    pub(super) fn inherits(&self, now: Instant) -> bool {
        now < self.inherits_until
    }

    pub(super) fn per_second(&self) -> f64 {
        MARGIN / self.interval.as_secs_f64()
    }
}

/// The calls that share one bucket, waiting in line.
#[derive(Debug)]
pub(super) struct Lane {
    /// Held by the one whose turn it is; tokio gives it out in the order of asking.
    turn: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Lane {
    pub(super) fn new(rate: Rate, born: Instant) -> Self {
        let bucket = Mutex::new(Bucket::new(rate, Instant::now(), born));
        Self { turn: tokio::sync::Mutex::default(), bucket }
    }

    pub(super) async fn pass(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let opens_at = self.with_bucket(|bucket| {
                let opens_at = bucket.opens_at();
                if opens_at <= now {
                    bucket.take(now);
                }
                opens_at
            });
            if opens_at <= now {
                return;
            }
            // It may have been slowed down meanwhile, so look again.
            sleep_until(opens_at).await;
        }
    }

    pub(super) fn with_bucket<T>(&self, work: impl FnOnce(&mut Bucket) -> T) -> T {
        work(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
