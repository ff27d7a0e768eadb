//! Remembers what was read, so that several kinds that ask the same thing at once cost one call.
//!
//! # Guarantees
//! Those who ask for one key while it is being read wait for that one read and share its answer, an error included.
//! Errors are not remembered. Nothing read before [`Reads::forget`] is given out after it, not even by a read that
//! was under way then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::AwsError;

/// The age of everything remembered in one session: forgetting is one step, however many memories there are.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<AtomicU64>);

impl Reads {
    /// From now on all memories of the session read afresh.
    pub fn forget(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers by key, each read once.
#[derive(Debug)]
pub struct Memo<K, V> {
    reads: Reads,
    entries: Mutex<BTreeMap<K, Entry<V>>>,
}

type Cell<V> = Arc<OnceCell<Result<V, AwsError>>>;

#[derive(Debug)]
struct Entry<V> {
    read_at: u64,
    cell: Cell<V>,
}

impl<K: Ord + Clone, V: Clone> Memo<K, V> {
    /// A memory that forgets when `reads` does.
    #[must_use]
    pub fn new(reads: &Reads) -> Self {
        Self { reads: reads.clone(), entries: Mutex::new(BTreeMap::new()) }
    }

    /// What is remembered of `key`, or what `read` gives.
    pub async fn get<F>(&self, key: K, read: impl FnOnce() -> F) -> Result<V, AwsError>
    where
        F: Future<Output = Result<V, AwsError>>,
    {
        let cell = self.cell(&key);
        let answer = cell.get_or_init(read).await.clone();
        if answer.is_err() {
            self.forget_cell(&key, &cell);
        }
        answer
    }

    /// The next one who asks for `key` reads it afresh.
    pub fn forget_key(&self, key: &K) {
        self.locked(|entries| entries.remove(key));
    }

    /// The next one who asks for anything reads it afresh.
    pub fn forget_all(&self) {
        self.locked(BTreeMap::clear);
    }

    fn cell(&self, key: &K) -> Cell<V> {
        let now = self.reads.now();
        self.locked(|entries| {
            let fresh = || Entry { read_at: now, cell: Cell::default() };
            let entry = entries.entry(key.clone()).or_insert_with(fresh);
            if entry.read_at != now {
                *entry = fresh();
            }
            entry.cell.clone()
        })
    }

    /// Forgets an answer, unless somebody began another read meanwhile.
    fn forget_cell(&self, key: &K, cell: &Cell<V>) {
        self.locked(|entries| {
            if entries.get(key).is_some_and(|entry| Arc::ptr_eq(&entry.cell, cell)) {
                entries.remove(key);
            }
        });
    }

    fn locked<T>(&self, work: impl FnOnce(&mut BTreeMap<K, Entry<V>>) -> T) -> T {
        // A panic while the lock was held cannot leave the map half changed: each use is one operation on it.
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::aws::Class;

    #[derive(Default)]
    struct Counted(AtomicU32);

    impl Counted {
        async fn read(&self) -> Result<u32, AwsError> {
            tokio::task::yield_now().await;
            Ok(self.0.fetch_add(1, Ordering::SeqCst))
        }

        async fn fail(&self) -> Result<u32, AwsError> {
            self.read().await?;
            Err(AwsError {
                action: "ses:GetAccount".to_owned(),
                resource: String::new(),
                code: "InternalFailure".to_owned(),
                message: String::new(),
                request_id: None,
                class: Class::Other,
            })
        }
    }

    #[tokio::test]
    async fn five_who_ask_at_once_cost_one_read() {
        let (memo, counted) = (Memo::new(&Reads::default()), Counted::default());
        let asked = (0..5).map(|_| memo.get("a", || counted.read()));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(|answer| *answer == Ok(0)));
        assert_eq!(memo.get("b", || counted.read()).await, Ok(1));
    }

    #[tokio::test]
    async fn an_error_is_shared_but_not_remembered() {
        let (memo, counted) = (Memo::new(&Reads::default()), Counted::default());
        let asked = (0..3).map(|_| memo.get("a", || counted.fail()));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(memo.get("a", || counted.read()).await, Ok(1));
    }

    #[tokio::test]
    async fn nothing_read_before_forgetting_is_given_out_after_it() {
        let (reads, counted) = (Reads::default(), Counted::default());
        let memo = Memo::new(&reads);
        let slow = memo.get("a", || async {
            let answer = counted.read().await;
            reads.forget();
            answer
        });
        assert_eq!(slow.await, Ok(0));
        assert_eq!(memo.get("a", || counted.read()).await, Ok(1));
        assert_eq!(memo.get("a", || counted.read()).await, Ok(1));
        memo.forget_key(&"a");
        assert_eq!(memo.get("a", || counted.read()).await, Ok(2));
    }
}
