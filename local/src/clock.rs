//! The cloud's own time: real time, plus whatever a test has skipped. Everything of ours that takes time at AWS
//! (verification, DNS propagation, a deleted queue's name) asks this clock, so that a test need not wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::RwLock;

/// Real time plus an offset that only grows.
#[derive(Debug, Default)]
pub struct Clock {
    ahead: RwLock<Duration>,
}

impl Clock {
    /// What time it is in the cloud.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + *self.ahead.read()
    }

    /// Another clock that shows the same time.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { ahead: RwLock::new(*self.ahead.read()) }
    }

    /// Lets `by` pass at once.
    pub fn advance(&self, by: Duration) {
        *self.ahead.write() += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_when_told() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() - before >= chrono::Duration::seconds(3600));
    }
}
