//! What tags tell of roots: which ones may be ours, which of those need not be read, and what is on them.
//!
//! Invariant: tags prove nothing here. The service that gives them lags behind the others and remembers what is gone, so
//! whoever asks holds them against the list of the service that has the resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::{AwsError, Class, Session};
use crate::engine::Glance;

/// Names to be passed over, by what their ARNs start with.
type Names = BTreeMap<String, BTreeSet<String>>;

/// Roots that reading everything passes over, with what hangs on them.
#[derive(Debug, Default)]
pub(super) struct PassedOver(Mutex<Names>);

impl PassedOver {
    fn names(&self) -> MutexGuard<'_, Names> {
        // Each use is one operation, so a panic elsewhere cannot leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// From now on reading everything passes over these: their ARNs are `prefix` and their name.
    pub fn pass_over(&self, prefix: &str, names: &BTreeSet<String>) {
        self.passed_over.names().insert(prefix.to_owned(), names.clone());
    }

    /// Whether reading everything passes over the one called `name`.
    #[must_use]
    pub fn passes_over(&self, prefix: &str, name: &str) -> bool {
        self.passed_over.names().get(prefix).is_some_and(|names| names.contains(name))
    }

    /// From now on what may be ours is looked for in the lists of the services too: what was made just now and is declared
    /// no more is not known to the tagging API yet.
    pub fn look_everywhere(&self) {
        // Said once, by the one who plans.
        let _ = self.everywhere.set(());
    }

    /// The names of those that carry this environment's tags, as the tagging API knows them, and are not passed over.
    ///
    /// Where [everything is looked for](Session::look_everywhere) also those that their service lists, with `list`, and of
    /// which the tagging API knows no tags of anybody's: whoever asks then reads those. It shows whatever was ever tagged
    /// (Resource Groups Tagging API, `GetResources`), so only what is new or was never tagged is left.
    pub async fn names_of_ours<F>(
        &self,
        prefix: &str,
        list: impl FnOnce() -> F,
    ) -> Result<BTreeSet<String>, AwsError>
    where
        F: Future<Output = Result<BTreeSet<String>, AwsError>>,
    {
        let tagged = self.tagged().await?;
        let named_by = |arn: &String| arn.strip_prefix(prefix).map(ToOwned::to_owned);
        let mut names: BTreeSet<String> = tagged.keys().filter_map(named_by).collect();
        if self.everywhere.get().is_some()
            && let Some(listed) = if_allowed(list().await)?
        {
            let known = self.tagged_by_anybody().await?;
            let is_new = |name: &String| !known.contains_key(&format!("{prefix}{name}"));
            names.extend(listed.into_iter().filter(is_new));
        }
        names.retain(|name| !self.passes_over(prefix, name));
        Ok(names)
    }

    /// What tags tell of those of `declared` that their service lists, and that the tagging API shows to carry this
    /// environment's tags.
    pub async fn glance(
        &self,
        prefix: &str,
        declared: &BTreeSet<String>,
        listed: &BTreeSet<String>,
    ) -> Result<Vec<Glance>, AwsError> {
        let tagged = self.tagged().await?;
        let seen = declared.intersection(listed).filter_map(|name| {
            let arn = format!("{prefix}{name}");
            tagged.get(&arn).map(|tags| self.glance_at(name, &arn, tags))
        });
        Ok(seen.collect())
    }

    /// What the tags of the one called `name` tell.
    #[must_use]
    pub fn glance_at(&self, name: &str, arn: &str, tags: &BTreeMap<String, String>) -> Glance {
        let (ownership, marks, tags) = self.owner.read(arn, tags);
        let told = BTreeMap::from([("tags", json!(tags))]);
        Glance { name: name.to_owned(), ownership, marks, told }
    }
}

/// A list, or `None` where the credentials may read one by one but not list.
pub fn if_allowed<T>(listed: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match listed {
        Ok(listed) => Ok(Some(listed)),
        Err(error) if error.is(Class::Denied) => Ok(None),
        Err(error) => Err(error),
    }
}
