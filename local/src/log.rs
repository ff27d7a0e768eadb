//! Which calls were made. Entries are numbered in the order of arrival and completed when answered, so a call that is
//! refused, throttled or cut off is there as well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The operation, as `ses:GetEmailIdentity`.
    pub action: String,
    /// The caller's account.
    pub account: String,
    /// The Region the request was signed for.
    pub region: String,
    /// What a call that only reads asks for: path, query and body. Empty for every other.
    #[serde(default)]
    pub asked: String,
    /// The HTTP status; `None` while there is no answer, and for ever if the connection was cut.
    pub status: Option<u16>,
    /// AWS's error code, if the answer is an error.
    pub error: Option<String>,
    /// Whether a rate limit refused it.
    pub throttled: bool,
}

/// All calls so far. Clones share one log.
#[derive(Debug, Clone, Default)]
pub struct CallLog(Arc<Mutex<Vec<Entry>>>);

impl CallLog {
    /// All entries in order of arrival.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().clone()
    }

    /// The operations in order of arrival.
    #[must_use]
    pub fn actions(&self) -> Vec<String> {
        self.0.lock().iter().map(|entry| entry.action.clone()).collect()
    }

    /// How often each operation was called, throttled calls included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.0.lock().iter() {
            *counts.entry(entry.action.clone()).or_default() += 1;
        }
        counts
    }

    /// How many calls there were, throttled ones included.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.lock().len()
    }

    /// How often `action` was called.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.0.lock().iter().filter(|entry| entry.action == action).count()
    }

    /// How many calls a rate limit refused.
    #[must_use]
    pub fn throttled(&self) -> usize {
        self.0.lock().iter().filter(|entry| entry.throttled).count()
    }

    /// The calls that change something, in order of arrival.
    #[must_use]
    pub fn writes(&self) -> Vec<String> {
        self.0
            .lock()
            .iter()
            .filter(|entry| {
                entry.action.split_once(':').is_some_and(|(_, operation)| !reads(operation))
            })
            .map(|entry| entry.action.clone())
            .collect()
    }

    /// What was asked more than once in the same words, each as often as it was more than once.
    #[must_use]
    pub fn repeated(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let entries = self.0.lock();
        let asked = entries.iter().filter(|entry| !entry.asked.is_empty() && !entry.throttled);
        let again =
            asked.filter(|it| !seen.insert((&it.action, &it.account, &it.region, &it.asked)));
        again.map(|entry| format!("{} {}", entry.action, entry.asked)).collect()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    pub(crate) fn begin(&self, action: &str, account: &str, region: &str, asked: String) -> usize {
        let mut entries = self.0.lock();
        entries.push(Entry {
            action: action.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            asked,
            status: None,
            error: None,
            throttled: false,
        });
        entries.len() - 1
    }

    /// Completes an entry; the log may have been cleared meanwhile.
    pub(crate) fn finish(
        &self,
        number: usize,
        status: u16,
        error: Option<String>,
        throttled: bool,
    ) {
        if let Some(entry) = self.0.lock().get_mut(number) {
            entry.status = Some(status);
            entry.error = error;
            entry.throttled = throttled;
        }
    }
}

/// Whether an operation only reads, by AWS's naming.
pub(crate) fn reads(operation: &str) -> bool {
    const READING: [&str; 12] = [
        "Get", "List", "Describe", "Batch", "Lookup", "Query", "Simulate", "Search", "Test",
        "Assume", "Decode", "Check",
    ];
    READING.iter().any(|prefix| operation.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order_and_outcome() {
        let log = CallLog::default();
        let first = log.begin("ses:GetEmailIdentity", "1", "r", "/a".to_owned());
        let second = log.begin("ses:CreateEmailIdentity", "1", "r", String::new());
        log.finish(second, 200, None, false);
        log.finish(first, 429, Some("TooManyRequestsException".to_owned()), true);
        assert_eq!(log.actions(), ["ses:GetEmailIdentity", "ses:CreateEmailIdentity"]);
        assert_eq!(log.throttled(), 1);
        assert_eq!(log.writes(), ["ses:CreateEmailIdentity"]);
        assert_eq!(log.counts()["ses:GetEmailIdentity"], 1);
        log.begin("ses:GetEmailIdentity", "1", "r", "/b".to_owned());
        log.begin("ses:GetEmailIdentity", "2", "r", "/b".to_owned());
        log.begin("ses:CreateEmailIdentity", "1", "r", String::new());
        assert!(log.repeated().is_empty());
        log.begin("ses:GetEmailIdentity", "1", "r", "/b".to_owned());
        assert_eq!(log.repeated(), ["ses:GetEmailIdentity /b"]);
    }
}
