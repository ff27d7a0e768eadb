//! One copy of what many resources have alike: a thousand domains of one environment differ in little but their names.

use std::collections::HashSet;
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
