//! No faster than AWS allows: one bucket for each account, Region and operation, shared by the whole process.
//!
//! # Guarantees
//! Calls of one operation go out in the order in which they asked, none before its time. A caller that gives up
//! while waiting takes nothing. Nothing relies on a burst that AWS does not promise. Where others eat from the same
//! bucket, or AWS counts several operations together, calls become rarer until hardly any is throttled.

mod bucket;
mod rates;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::bucket::{Bucket, Lane};
pub use self::rates::{Rate, Rates};

/// The calls of so long a time show whether the operations of a service share a limit.
const TOGETHER: Duration = Duration::from_secs(5);
/// Of those calls, so many in a hundred are throttled where they do: each operation by itself is called as often as the
/// limit allows, so where there are two, every second call is one too many. Jitter and other programs throttle far fewer.
const THROTTLED_WHERE_SHARED: usize = 40;
/// How long a limit is taken for shared before that is tried anew; each time that it shows again, twice as long.
const SHARED_FOR: Duration = Duration::from_mins(2);

/// What a throttled call led to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slowdown {
    /// Somebody else makes the same calls: this operation goes on at so many calls a second.
    Operation(f64),
    /// AWS counts the operations of this service together: all of them together go on at so many calls a second.
    Service(f64),
}

/// Paces the calls of one account and Region.
#[derive(Debug)]
pub(super) struct Pacer {
    rates: Rates,
    /// Before this no call was made: AWS may count those of the command before for a while.
    born: Instant,
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    by_operation: BTreeMap<(String, String), Arc<Lane>>,
    /// The calls of late, by service.
    of_late: BTreeMap<String, OfLate>,
    /// Services whose operations share one limit, as throttling showed.
    by_service: BTreeMap<String, Shared>,
}

/// The calls of a service of late.
#[derive(Debug, Default)]
struct OfLate {
    passed: VecDeque<Instant>,
    throttled: VecDeque<(Instant, String)>,
}

impl OfLate {
    fn forget_before(&mut self, then: Instant) {
        while self.passed.pop_front_if(|at| *at < then).is_some() {}
        while self.throttled.pop_front_if(|(at, _)| *at < then).is_some() {}
    }

    /// Whether so many calls of several operations were throttled as only a limit that they share explains.
    fn shows_a_shared_limit(&self) -> bool {
        let several = self.throttled.iter().any(|(_, operation)| *operation != self.throttled[0].1);
        several && self.throttled.len() * 100 >= self.passed.len() * THROTTLED_WHERE_SHARED
    }
}

/// One lane for a whole service.
#[derive(Debug)]
struct Shared {
    lane: Arc<Lane>,
    until: Instant,
    length: Duration,
}

impl Lanes {
    fn shared(&self, service: &str, now: Instant) -> Option<&Arc<Lane>> {
        let shared = self.by_service.get(service).filter(|shared| shared.until > now);
        shared.map(|shared| &shared.lane)
    }

    /// What was called of late.
    fn of_late(&mut self, service: &str, now: Instant) -> &mut OfLate {
        let of_late = self.of_late.entry(service.to_owned()).or_default();
        if let Some(then) = now.checked_sub(TOGETHER) {
            of_late.forget_before(then);
        }
        of_late
    }

    fn share(&mut self, service: &str, rate: Rate, now: Instant) -> &Arc<Lane> {
        // None of them was throttled for calls of its own.
        for (_, lane) in self.by_operation.iter().filter(|((of, _), _)| of == service) {
            lane.with_bucket(Bucket::forgive);
        }
        let length = self.by_service.get(service).map_or(SHARED_FOR, |before| before.length * 2);
        let shared = Shared { lane: Arc::new(Lane::new(rate, now)), until: now + length, length };
        let shared = match self.by_service.entry(service.to_owned()) {
            Entry::Vacant(entry) => entry.insert(shared),
            Entry::Occupied(mut entry) => {
                entry.insert(shared);
                entry.into_mut()
            }
        };
        &shared.lane
    }
}

/// Route 53 counts all calls of an account together; elsewhere each operation is counted by itself.
fn counted_as(service: &str, operation: &str) -> (String, String) {
    let operation = if service == "route53" { "" } else { operation };
    (service.to_owned(), operation.to_owned())
}

/// SES's documentation can be read in both ways; of the other services it is known how they count.
fn may_share(service: &str) -> bool {
    service == "ses"
}

impl Pacer {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, born: Instant::now(), lanes: Mutex::default() }
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
            let key = counted_as(service, operation);
            lanes
                .by_operation
                .entry(key)
                .or_insert_with(|| Arc::new(Lane::new(rate, self.born)))
                .clone()
        });
        lane.pass().await;
        let shared = self.with_lanes(|lanes| lanes.shared(service, Instant::now()).cloned());
        if let Some(shared) = shared {
            shared.pass().await;
        }
        if may_share(service) {
            let now = Instant::now();
            self.with_lanes(|lanes| lanes.of_late(service, now).passed.push_back(now));
        }
    }

    /// AWS throttled a call that had passed: somebody else makes the same calls, or AWS counts other operations against
    /// the same limit. Unless much of what several operations ask is throttled, it is the former, and only this one becomes
    /// slower. The first moments tell neither: the command before this one may have made the same calls, so they are only
    /// put off.
    pub(super) fn throttled(&self, service: &str, operation: &str) -> Option<Slowdown> {
        let rate = self.rates.0(service, operation)?;
        let now = Instant::now();
        self.with_lanes(|lanes| {
            if let Some(shared) = lanes.shared(service, now) {
                shared.with_bucket(|bucket| bucket.slow_down(now));
                return Some(Slowdown::Service(shared.with_bucket(|bucket| bucket.per_second())));
            }
            let key = counted_as(service, operation);
            if let Some(lane) = lanes.by_operation.get(&key)
                && lane.with_bucket(|bucket| bucket.inherits(now))
            {
                lane.with_bucket(|bucket| bucket.empty(now));
                // As good as never made.
                lanes.of_late(service, now).passed.pop_back();
                return None;
            }
            let is_shared = may_share(service) && {
                let of_late = lanes.of_late(service, now);
                of_late.throttled.push_back((now, operation.to_owned()));
                of_late.shows_a_shared_limit()
            };
            if is_shared {
                let lane = lanes.share(service, rate, now);
                lane.with_bucket(|bucket| bucket.empty(now));
                return Some(Slowdown::Service(lane.with_bucket(|bucket| bucket.per_second())));
            }
            let lane = lanes.by_operation.get(&key)?;
            Some(Slowdown::Operation(lane.with_bucket(|bucket| {
                bucket.slow_down(now);
                bucket.per_second()
            })))
        })
    }

    fn with_lanes<T>(&self, work: impl FnOnce(&mut Lanes) -> T) -> T {
        work(&mut self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
