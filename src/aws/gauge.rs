//! How far a long read is, for whoever waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is to be read one by one, and what of that was read.
#[derive(Debug, Default)]
pub struct Gauge {
    all: AtomicUsize,
    done: AtomicUsize,
}

impl Gauge {
    /// So many more are to be read.
    pub fn expect(&self, more: usize) {
        self.all.fetch_add(more, Ordering::Relaxed);
    }

    /// One more was read.
    pub fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were read, of how many.
    #[must_use]
    pub fn standing(&self) -> (usize, usize) {
        let all = self.all.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(all), all)
    }
}
