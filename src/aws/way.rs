//! Whether AWS can still be reached, and whether it may be: every client of a session asks before a call, and tells after.
//!
//! Invariant: one answer of any kind, an error of AWS included, means that AWS can be reached.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The way from this process to AWS, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Way {
    failures_in_a_row: AtomicU32,
    is_cut_off: AtomicBool,
    is_shut: AtomicBool,
}

impl Way {
    /// There was an answer.
    pub(super) fn answered(&self) {
        self.failures_in_a_row.store(0, Ordering::Relaxed);
        self.is_cut_off.store(false, Ordering::Relaxed);
    }

    /// An attempt, the `attempt`-th of at most `attempts_max` of its call, got no answer; whether that was its last.
    ///
    /// A call that failed to the end, with no answer to any other call meanwhile, means that there is no way. From then
    /// on one failed attempt is enough, so that a run ends within the time of one call.
    pub(super) fn failed(&self, attempt: u32, attempts_max: u32) -> bool {
        let failures = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let was_cut_off = self.is_cut_off.load(Ordering::Relaxed);
        if attempt >= attempts_max && failures >= attempts_max {
            self.is_cut_off.store(true, Ordering::Relaxed);
        }
        was_cut_off || attempt >= attempts_max
    }

    /// Whether AWS is out of reach.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    /// From now on no call is made.
    pub(super) fn shut(&self) {
        self.is_shut.store(true, Ordering::Relaxed);
    }

    /// Whether no call may be made.
    pub(super) fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_failed_to_the_end_amid_silence_means_no_way() {
        let way = Way::default();
        for attempt in 1..5 {
            assert!(!way.failed(attempt, 5) && !way.is_cut_off());
        }
        assert!(way.failed(5, 5) && way.is_cut_off());
        assert!(way.failed(1, 5), "one attempt is enough by now");
        way.answered();
        assert!(!way.is_cut_off() && !way.failed(1, 5));
    }

    #[test]
    fn a_call_that_failed_while_others_got_answers_says_nothing_of_the_way() {
        let way = Way::default();
        for attempt in 1..=4 {
            way.failed(attempt, 5);
        }
        way.answered();
        assert!(way.failed(5, 5), "it was the last attempt of this call");
        assert!(!way.is_cut_off());
    }
}
