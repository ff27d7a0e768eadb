//! What goes wrong on request: the n-th call that matches is refused, done with its answer lost, left hanging, or
//! answered with an error of AWS's. A fault strikes once unless it is told to go on.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What happens to the call that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The connection closes before anything is done.
    Refuse,
    /// It is done, then the connection closes without an answer.
    LoseResponse,
    /// Nothing is done and no answer comes.
    Hang,
    /// It is done, then no answer comes.
    HangAfter,
    /// A rate limit refuses it.
    Throttle,
    /// An internal error, nothing done.
    ServerError,
    /// The caller lacks the permission.
    Deny,
    /// The caller's session is over.
    ExpireToken,
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The operation, as `ses:GetEmailIdentity`; `*` at the end stands for any rest. `*` alone is every call.
    pub action: String,
    /// Which matching call is struck, counted from 1 and from when the fault was armed.
    #[serde(default = "first")]
    pub nth: u64,
    /// What happens to it.
    pub effect: Effect,
    /// Whether every matching call after it is struck as well.
    #[serde(default)]
    pub on: bool,
}

fn first() -> u64 {
    1
}

impl Fault {
    /// The `nth` call of `action` meets `effect`.
    #[must_use]
    pub fn nth(action: &str, nth: u64, effect: Effect) -> Self {
        Self { action: action.to_owned(), nth, effect, on: false }
    }

    /// All calls of `action` from the `nth` meet `effect`.
    #[must_use]
    pub fn from_nth(action: &str, nth: u64, effect: Effect) -> Self {
        Self { on: true, ..Self::nth(action, nth, effect) }
    }

    fn matches(&self, action: &str) -> bool {
        match self.action.strip_suffix('*') {
            Some(start) => action.starts_with(start),
            None => self.action == action,
        }
    }
}

/// The faults that are armed. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    armed: Mutex<Vec<(Fault, u64)>>,
    struck: Notify,
}

impl Faults {
    /// Arms one more fault.
    pub fn arm(&self, fault: Fault) {
        self.0.armed.lock().push((fault, 0));
    }

    /// Disarms all faults.
    pub fn clear(&self) {
        self.0.armed.lock().clear();
    }

    /// What is still armed.
    #[must_use]
    pub fn armed(&self) -> Vec<Fault> {
        self.0.armed.lock().iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// Waits until a fault has struck. For `HangAfter` that is after the effect, so whoever drops its client then has
    /// been cut off at exactly that point. A fault that struck before anybody waited is not missed.
    pub async fn struck(&self) {
        self.0.struck.notified().await;
    }

    /// What strikes this call, which counts for every fault it matches.
    pub(crate) fn strike(&self, action: &str) -> Option<Effect> {
        let mut effect = None;
        self.0.armed.lock().retain_mut(|(fault, seen)| {
            if !fault.matches(action) {
                return true;
            }
            *seen += 1;
            if *seen < fault.nth {
                return true;
            }
            effect.get_or_insert(fault.effect);
            fault.on
        });
        effect
    }

    pub(crate) fn has_struck(&self) {
        self.0.struck.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_matching_call_is_struck_once() {
        let faults = Faults::default();
        faults.arm(Fault::nth("ses:*", 2, Effect::Refuse));
        assert_eq!(faults.strike("ses:GetAccount"), None);
        assert_eq!(faults.strike("sns:CreateTopic"), None);
        assert_eq!(faults.strike("ses:CreateEmailIdentity"), Some(Effect::Refuse));
        assert_eq!(faults.strike("ses:CreateEmailIdentity"), None);
    }

    #[test]
    fn a_lasting_fault_goes_on() {
        let faults = Faults::default();
        faults.arm(Fault::from_nth("*", 2, Effect::Throttle));
        let struck: Vec<_> =
            (0..3).map(|_| faults.strike("sts:GetCallerIdentity").is_some()).collect();
        assert_eq!(struck, [false, true, true]);
        faults.clear();
        assert_eq!(faults.strike("sts:GetCallerIdentity"), None);
    }
}
