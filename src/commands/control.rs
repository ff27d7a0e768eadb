//! Time, the listener and the wish to stop, for the engine that has none of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::aws::Session;
use crate::engine::{Control, Event};
use crate::view::Progress;

/// The longest pause between two tries of something that waits for the outside.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The first pause before a write is read back again. Services show most writes within a second.
const FIRST_READ_PAUSE: Duration = Duration::from_millis(200);

/// Reads may lag writes for up to a minute (SQS and SNS document it): so long they are repeated.
const READS_WITHIN: Duration = Duration::from_mins(1);

/// Why nothing new may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Somebody wishes it: Ctrl-C, or a job of CI that is cancelled.
    Interrupted,
    /// Another run may be at work by now; the text says how that came about.
    LockLost(String),
}

/// The wish to stop, which is made once: the first reason stands.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    sender: Arc<watch::Sender<Option<Reason>>>,
}

impl Stop {
    /// Nobody wishes to stop yet.
    pub(super) fn new() -> Self {
        Self { sender: Arc::new(watch::Sender::new(None)) }
    }

    /// From now on nothing new may start. `false` if that was so before.
    pub(super) fn stop(&self, reason: Reason) -> bool {
        self.sender.send_if_modified(|wish| {
            let is_first = wish.is_none();
            wish.get_or_insert(reason);
            is_first
        })
    }

    /// Why to stop, if so.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.sender.borrow().clone()
    }

    /// Whether nothing new may start.
    pub(super) fn is_stopped(&self) -> bool {
        self.sender.borrow().is_some()
    }

    /// Waits for the wish to stop.
    pub(super) async fn stopped(&self) -> Reason {
        let mut wish = self.sender.subscribe();
        let known = wish.wait_for(Option::is_some).await;
        match known.ok().and_then(|reason| reason.clone()) {
            Some(reason) => reason,
            // Not before this is gone, and with it everybody who could wish.
            None => std::future::pending().await,
        }
    }

    /// Does `work` up to the wish to stop, which lets go of it. For what changes nothing, and can be cut off anywhere.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, Reason> {
        tokio::select! {
            biased;
            reason = self.stopped() => Err(reason),
            ended = work => Ok(ended),
        }
    }

    /// Sleeps; `false` if it was stopped meanwhile.
    pub(super) async fn sleep(&self, pause: Duration) -> bool {
        self.unless(tokio::time::sleep(pause)).await.is_ok()
    }
}

/// Pauses that grow from the first to a longest, and end after a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The first pause.
    pub(super) first: Duration,
    /// The longest.
    pub(super) most: Duration,
    /// All pauses together.
    pub(super) limit: Duration,
}

impl Schedule {
    /// A schedule for what waits for the outside.
    pub(super) const fn for_waiting(first: Duration, limit: Duration) -> Self {
        Self { first, most: PAUSE_MAX, limit }
    }

    /// The pause before the `attempt`-th repetition (from 1); `None` when the time is up.
    pub(super) fn pause(&self, attempt: u32) -> Option<Duration> {
        let mut passed = Duration::ZERO;
        let mut pause = self.first.min(self.most);
        for _ in 1..attempt {
            passed = passed.saturating_add(pause);
            if passed >= self.limit {
                return None;
            }
            // Half as long again each time: four tries in the first minute, then one a minute.
            pause = (pause + pause / 2).min(self.most);
        }
        let left = self.limit.saturating_sub(passed);
        (!left.is_zero()).then(|| pause.min(left))
    }
}

/// What the engine is given to carry out a plan.
pub(super) struct Conductor<'a> {
    /// Who hears what happens.
    pub(super) progress: &'a Progress<'a>,
    /// Whose memory of reads is emptied.
    pub(super) session: &'a Session,
    /// The wish to stop.
    pub(super) stop: &'a Stop,
    /// How long a step waits for the outside.
    pub(super) waiting: Schedule,
    /// How many steps may be under way at once.
    pub(super) parallelism: usize,
}

#[async_trait]
impl Control for Conductor<'_> {
    fn hear(&self, event: Event) {
        self.progress.hear(event);
    }

    fn is_stopped(&self) -> bool {
        // Without a way to AWS every further step would only wait its time and fail.
        self.stop.is_stopped() || self.session.is_cut_off()
    }

    async fn pause(&self, attempt: u32) -> bool {
        match self.waiting.pause(attempt) {
            Some(pause) => self.stop.sleep(pause).await,
            None => false,
        }
    }

    async fn pause_for_reads(&self, attempt: u32) -> bool {
        let reads = Schedule {
            first: FIRST_READ_PAUSE,
            most: Duration::from_secs(10),
            limit: READS_WITHIN,
        };
        match reads.pause(attempt) {
            Some(pause) => self.stop.sleep(pause).await,
            None => false,
        }
    }

    fn forget_reads(&self) {
        self.session.forget_reads();
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_end_with_the_limit() {
        let schedule = Schedule::for_waiting(Duration::from_secs(10), Duration::from_mins(10));
        let pauses: Vec<f64> = (1..)
            .map_while(|attempt| schedule.pause(attempt))
            .map(|pause| pause.as_secs_f64())
            .collect();
        assert_eq!(pauses[..3], [10.0, 15.0, 22.5]);
        assert!(pauses.iter().all(|pause| *pause <= 60.0));
        assert!((pauses.iter().sum::<f64>() - 600.0).abs() < 0.001);
    }

    #[tokio::test]
    async fn the_first_wish_to_stop_stands_and_everybody_hears_it() {
        let stop = Stop::new();
        assert_eq!(stop.unless(async { 1 }).await, Ok(1));
        let heir = Reason::LockLost("gone".to_owned());
        let (waited, ()) = tokio::join!(stop.unless(std::future::pending::<()>()), async {
            assert!(stop.stop(heir.clone()));
            assert!(!stop.stop(Reason::Interrupted));
        });
        assert_eq!(waited, Err(heir.clone()));
        assert_eq!(stop.reason(), Some(heir));
        assert!(!stop.sleep(Duration::from_mins(10)).await);
        assert!(stop.unless(async { 1 }).await.is_err());
    }

    #[test]
    fn without_a_limit_there_is_no_pause() {
        assert!(Schedule::for_waiting(Duration::from_secs(10), Duration::ZERO).pause(1).is_none());
    }
}
