//! One copy of what many resources have alike: a thousand domains of one environment differ in little but their names.

#![expect(
    clippy::disallowed_types,
    reason = "JSON values have a hash and no order, and nothing here is ever iterated over"
)]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

/// Values, each held once.
#[derive(Debug, Default)]
pub struct Pool(HashSet<Arc<Value>>);

impl Pool {
    /// `value`, or the equal one that is held already.
    pub fn share(&mut self, value: Value) -> Arc<Value> {
        if let Some(held) = self.0.get(&value) {
            return Arc::clone(held);
        }
        let held = Arc::new(value);
        self.0.insert(Arc::clone(&held));
        held
    }
}

/// Answers to a question about a kind and a spec, each given once.
#[derive(Debug)]
pub(super) struct Answers<T>(HashMap<(&'static str, Arc<Value>), T>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Answers<T> {
    /// The answer for `spec` of `kind`, which `answer` gives the first time.
    pub(super) fn of(
        &mut self,
        kind: &'static str,
        spec: &Arc<Value>,
        answer: impl FnOnce() -> T,
    ) -> T {
        self.0.entry((kind, Arc::clone(spec))).or_insert_with(answer).clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_equal_is_held_once() {
        let mut pool = Pool::default();
        let [first, second, other] =
            [json!({"a": [1.5]}), json!({"a": [1.5]}), json!({"a": [2]})].map(|it| pool.share(it));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
    }
}
