//! No faster than AWS allows: one bucket for each account, Region and operation, shared by the whole process.
//!
//! # Guarantees
//! Calls of one operation go out in the order in which they asked, none before its time. A caller that gives up
//! while waiting takes nothing. Nothing relies on a burst that AWS does not promise.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Clocks and networks jitter: calls are spaced this much wider than the limit, or two would meet at the service.
const MARGIN: f64 = 1.01;

/// How fast an operation may be called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls a second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

/// A table of rates by service and operation, `None` meaning as fast as one likes.
#[derive(Clone, Copy)]
pub struct Rates(fn(&str, &str) -> Option<Rate>);

impl Rates {
    /// AWS's limits, as far as they are published, and modest guesses elsewhere.
    #[must_use]
    pub const fn of_aws() -> Self {
        Self(rate_of_aws)
    }

    /// No limits, for a local cloud without any.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(|_, _| None)
    }

    /// Rates given by a function of service and operation, such as `ses` and `GetEmailIdentity`.
    #[must_use]
    pub const fn by(table: fn(&str, &str) -> Option<Rate>) -> Self {
        Self(table)
    }

    /// Whether there is a limit on anything that sesinfra calls all the time.
    #[must_use]
    pub fn are_limited(self) -> bool {
        self.0("ses", "GetEmailIdentity").is_some()
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = if self.are_limited() { "limited" } else { "unlimited" };
        formatter.debug_tuple("Rates").field(&limited).finish()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the table below says `None` where there is no limit")]
const fn rate(per_second: f64, burst: u32) -> Option<Rate> {
    Some(Rate { per_second, burst })
}

#[expect(clippy::match_same_arms, reason = "a table by service, as AWS documents its limits")]
fn rate_of_aws(service: &str, operation: &str) -> Option<Rate> {
    match (service, operation) {
        // SES: 1/s, except for what sends mail (developer guide, "SES API sending quotas") and two operations whose
        // own documentation says otherwise.
        ("ses", sending) if sending.starts_with("Send") => None,
        ("ses", "GetEmailTemplate") => rate(50.0, 10),
        ("ses", "BatchGetMetricData") => rate(16.0, 4),
        ("ses", _) => rate(1.0, 1),
        // The documentation has 5/s in one place and 10/s in another.
        ("route53", _) => rate(5.0, 4),
        ("sns", "TagResource" | "UntagResource" | "ListTagsForResource") => rate(10.0, 5),
        ("sns", _) => rate(30.0, 10),
        ("tag", "GetResources") => rate(15.0, 5),
        ("tag", _) => rate(5.0, 2),
        // IAM publishes none; writes are throttled at low tens a second.
        ("iam", _) => rate(10.0, 5),
        ("ssm", _) => rate(20.0, 10),
        ("cloudwatch", "PutMetricAlarm" | "DeleteAlarms") => rate(3.0, 1),
        ("cloudwatch", _) => rate(9.0, 4),
        ("servicequotas", _) => rate(5.0, 2),
        _ => None,
    }
}

/// When the next call may go out (a "generic cell rate" bucket: one instant instead of a count of tokens).
#[derive(Clone, Copy, Debug)]
struct Bucket {
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again.
    full_at: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let interval = Duration::from_secs_f64(MARGIN / rate.per_second);
        Self { interval, burst: rate.burst.max(1), full_at: now }
    }

    /// When a call may go out.
    fn opens_at(&self) -> Instant {
        let ahead = self.interval * (self.burst - 1);
        self.full_at.checked_sub(ahead).unwrap_or(self.full_at)
    }

    /// A call goes out.
    fn take(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.interval;
    }

    /// AWS's bucket is emptier than this one: somebody else calls too.
    fn drain(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now + self.interval * self.burst);
    }

    /// Whether a call went out within the last interval.
    fn was_used_just_now(&self, now: Instant) -> bool {
        self.full_at > now
    }
}

/// The calls that share one bucket, waiting in line.
#[derive(Debug)]
struct Lane {
    /// Held by the one whose turn it is; tokio gives it out in the order of asking.
    turn: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Lane {
    fn new(rate: Rate) -> Self {
        let bucket = Mutex::new(Bucket::new(rate, Instant::now()));
        Self { turn: tokio::sync::Mutex::default(), bucket }
    }

    async fn pass(&self) {
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
            // It may have been drained meanwhile, so look again.
            sleep_until(opens_at).await;
        }
    }

    fn with_bucket<T>(&self, work: impl FnOnce(&mut Bucket) -> T) -> T {
        work(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Paces the calls of one account and Region.
#[derive(Debug)]
pub(super) struct Pacer {
    rates: Rates,
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    by_operation: BTreeMap<(String, String), Arc<Lane>>,
    /// Lanes for whole services, once throttling showed that their operations share one limit.
    by_service: BTreeMap<String, Arc<Lane>>,
}

impl Pacer {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, lanes: Mutex::default() }
    }

    /// The one for `place`, an account and Region at an endpoint, in this process.
    pub(super) fn shared(place: &str, rates: Rates) -> Arc<Self> {
        static PACERS: OnceLock<Mutex<BTreeMap<String, Arc<Pacer>>>> = OnceLock::new();
        if !rates.are_limited() {
            return Arc::new(Self::new(rates));
        }
        let mut pacers =
            PACERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        pacers.entry(place.to_owned()).or_insert_with(|| Arc::new(Self::new(rates))).clone()
    }

    /// Waits until `operation` of `service` may be called.
    pub(super) async fn pass(&self, service: &str, operation: &str) {
        let Some(rate) = self.rates.0(service, operation) else { return };
        let lane = self.with_lanes(|lanes| {
            let key = (service.to_owned(), operation.to_owned());
            lanes.by_operation.entry(key).or_insert_with(|| Arc::new(Lane::new(rate))).clone()
        });
        lane.pass().await;
        let shared = self.with_lanes(|lanes| lanes.by_service.get(service).cloned());
        if let Some(shared) = shared {
            shared.pass().await;
        }
    }

    /// AWS throttled a call that had passed. Either somebody else makes the same calls, or AWS counts other
    /// operations against the same limit: if one of those was called just now, the whole service is slowed down.
    pub(super) fn throttled(&self, service: &str, operation: &str) {
        let Some(rate) = self.rates.0(service, operation) else { return };
        let now = Instant::now();
        self.with_lanes(|lanes| {
            let mut others_called = false;
            for ((of, called), lane) in &lanes.by_operation {
                if of != service {
                    continue;
                }
                if called == operation {
                    lane.with_bucket(|bucket| bucket.drain(now));
                } else {
                    others_called |= lane.with_bucket(|bucket| bucket.was_used_just_now(now));
                }
            }
            if others_called && service == "ses" {
                let slow = || Arc::new(Lane::new(rate));
                let lane = lanes.by_service.entry(service.to_owned()).or_insert_with(slow);
                lane.with_bucket(|bucket| bucket.drain(now));
            }
        });
    }

    fn with_lanes<T>(&self, work: impl FnOnce(&mut Lanes) -> T) -> T {
        work(&mut self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_slowed(pacer: &Pacer, service: &str) -> bool {
        pacer.with_lanes(|lanes| lanes.by_service.contains_key(service))
    }

    async fn seconds_for(pacer: &Pacer, operations: &[&str]) -> f64 {
        let start = Instant::now();
        let calls = operations.iter().map(|operation| pacer.pass("ses", operation));
        futures_util::future::join_all(calls).await;
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn one_operation_is_called_once_a_second() {
        let pacer = Pacer::new(Rates::of_aws());
        let taken = seconds_for(&pacer, &["GetEmailIdentity"; 10]).await;
        assert!((9.0..9.2).contains(&taken), "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn operations_do_not_wait_for_each_other() {
        let pacer = Pacer::new(Rates::of_aws());
        let taken = seconds_for(&pacer, &["GetEmailIdentity", "GetAccount", "SendEmail"]).await;
        assert!(taken < 0.01, "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_used_up_and_then_refilled() {
        let pacer = Pacer::new(Rates::by(|_, _| rate(10.0, 5)));
        let taken = seconds_for(&pacer, &["A"; 5]).await;
        assert!(taken < 0.01, "{taken}");
        let taken = seconds_for(&pacer, &["A"; 10]).await;
        assert!((0.99..1.05).contains(&taken), "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_of_one_operation_alone_slows_only_that_one() {
        let pacer = Pacer::new(Rates::of_aws());
        pacer.pass("ses", "GetEmailIdentity").await;
        pacer.throttled("ses", "GetEmailIdentity");
        assert!(!is_slowed(&pacer, "ses"));
        assert!(seconds_for(&pacer, &["GetAccount"]).await < 0.01);
        assert!(seconds_for(&pacer, &["GetEmailIdentity"]).await > 0.9);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_beside_other_operations_slows_the_whole_service() {
        let pacer = Pacer::new(Rates::of_aws());
        seconds_for(&pacer, &["CreateEmailIdentity", "GetEmailIdentity"]).await;
        pacer.throttled("ses", "GetEmailIdentity");
        assert!(is_slowed(&pacer, "ses"));
        let taken =
            seconds_for(&pacer, &["GetAccount", "GetEmailIdentity", "CreateEmailIdentity"]).await;
        assert!((2.9..3.2).contains(&taken), "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_takes_nothing() {
        let pacer = Pacer::new(Rates::of_aws());
        pacer.pass("ses", "GetAccount").await;
        let gave_up =
            tokio::time::timeout(Duration::from_millis(100), pacer.pass("ses", "GetAccount")).await;
        assert!(gave_up.is_err());
        let taken = seconds_for(&pacer, &["GetAccount"]).await;
        assert!(taken < 1.0, "{taken}");
    }

    #[test]
    fn unlimited_rates_limit_nothing() {
        assert!(!Rates::unlimited().are_limited());
        assert!(Rates::of_aws().are_limited());
    }
}
