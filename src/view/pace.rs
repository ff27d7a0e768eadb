//! How far something long is, and how long it may still take.
//!
//! Invariant: no clock. An estimate is made from what was done so far and from nothing else: none in the first seconds, none
//! before anything is done.

use std::time::Duration;

/// How often a line is said where there is no bar.
pub const SAID_EVERY: Duration = Duration::from_secs(10);

/// Before that no estimate is made: the first steps say little of the others.
const NO_ESTIMATE_BEFORE: Duration = Duration::from_secs(10);

/// How much of something is done, after some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many are done.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// How long that took.
    pub after: Duration,
}

impl Pace {
    /// How long the rest takes if it goes on like this; `None` where nothing can be said of that.
    fn left(self) -> Option<Duration> {
        let rest = u32::try_from(self.all.checked_sub(self.done)?).ok()?;
        let done = u32::try_from(self.done).ok().filter(|done| *done > 0)?;
        if self.after < NO_ESTIMATE_BEFORE || rest == 0 {
            return None;
        }
        Some(self.after.checked_mul(rest)? / done)
    }

    /// `about 12 min left`, or nothing.
    pub(super) fn estimate(self) -> Option<String> {
        const MINUTE: u64 = 60;
        let seconds = self.left()?.as_secs();
        Some(match seconds {
            0..MINUTE => "less than a minute left".to_owned(),
            _ if seconds < 120 * MINUTE => format!("about {} min left", seconds.div_ceil(MINUTE)),
            _ => format!("about {} h left", seconds.div_ceil(60 * MINUTE)),
        })
    }

    /// `120 of 1000`, with an estimate if there is one.
    fn sentence(self, what: &str) -> String {
        let Self { done, all, .. } = self;
        let estimate = self.estimate().map(|left| format!(", {left}")).unwrap_or_default();
        format!("{done} of {all} {what}{estimate}")
    }
}

/// How far reading for an environment is, as a line; nothing where there is nothing left to wait for.
#[must_use]
pub fn reading_text(environment: &str, pace: Pace) -> Option<String> {
    let text = || format!("Reading {environment}: {}\n", pace.sentence("identities"));
    (pace.done < pace.all).then(text)
}

/// How far carrying out is, with what is waited for, as a line.
pub(super) fn steps_text(pace: Pace, waits: &[String]) -> String {
    let waits = match waits {
        [] => String::new(),
        [one] => format!("; waiting for {one}"),
        [one, others @ ..] => format!("; waiting for {one} and {} more", others.len()),
    };
    format!("{}{waits}\n", pace.sentence("steps done"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(done: usize, all: usize, seconds: u64) -> Pace {
        Pace { done, all, after: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        let left = |done, all, seconds| pace(done, all, seconds).estimate();
        assert_eq!(left(100, 1_000, 100).as_deref(), Some("about 15 min left"));
        assert_eq!(left(990, 1_000, 990).as_deref(), Some("less than a minute left"));
        assert_eq!(left(100, 10_000, 100).as_deref(), Some("about 3 h left"));
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        assert_eq!(pace(5, 1_000, 9).estimate(), None, "too early");
        assert_eq!(pace(0, 1_000, 60).estimate(), None, "nothing done");
        assert_eq!(pace(1_000, 1_000, 60).estimate(), None, "nothing left");
    }

    #[test]
    fn a_line_says_how_far_it_is_and_what_is_waited_for() {
        assert_eq!(
            reading_text("prod", pace(120, 1_000, 120)).as_deref(),
            Some("Reading prod: 120 of 1000 identities, about 15 min left\n")
        );
        assert_eq!(reading_text("prod", pace(1_000, 1_000, 1_000)), None);
        assert_eq!(reading_text("prod", pace(0, 0, 30)), None);
        assert_eq!(steps_text(pace(3, 400, 5), &[]), "3 of 400 steps done\n");
        let waits = ["identity.a.app".to_owned(), "identity.b.app".to_owned()];
        assert_eq!(
            steps_text(pace(40, 400, 40), &waits),
            "40 of 400 steps done, about 6 min left; waiting for identity.a.app and 1 more\n"
        );
    }
}
