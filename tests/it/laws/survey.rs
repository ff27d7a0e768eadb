//! What is looked at in the town, where not everything is: what tags tell of roots, and reads that pass over some of them.

use std::collections::{BTreeMap, BTreeSet};

use sesinfra::engine::{BoxError, Glance, Reading};

use super::town::{State, Tags, Town};

/// Roots by their addresses: `house.h1`.
#[derive(Default)]
pub struct Survey {
    /// Those that are passed over when everything is read.
    passed_over: BTreeSet<String>,
    /// Those that were seen when everything was read.
    pub surveyed: BTreeSet<String>,
    /// Those that tags do not tell of.
    untold: BTreeSet<String>,
}

impl Town {
    /// From now on surveys pass over these roots of a kind, and no others of it.
    pub fn pass_over(&self, kind: &str, names: &BTreeSet<String>) {
        let mut survey = self.survey.lock().unwrap();
        let start = format!("{kind}.");
        survey.passed_over.retain(|root| !root.starts_with(&start));
        survey.passed_over.extend(names.iter().map(|name| format!("{start}{name}")));
    }

    /// The roots that were seen by surveys since the process began.
    pub fn surveyed(&self) -> BTreeSet<String> {
        self.survey.lock().unwrap().surveyed.clone()
    }

    /// From now on tags do not tell of these roots.
    pub fn keep_untold(&self, roots: &[&str]) {
        self.survey.lock().unwrap().untold = roots.iter().map(ToString::to_string).collect();
    }

    /// What tags tell of roots: those of one kind out of `all`, with their tags.
    pub async fn glance(
        &self,
        kind: &str,
        all: impl FnOnce(&State) -> BTreeMap<String, Tags>,
    ) -> Result<Vec<Glance>, BoxError> {
        let all = self.read(all).await?;
        let untold = self.survey.lock().unwrap().untold.clone();
        let told = all.into_iter().filter(|(name, _)| !untold.contains(&format!("{kind}.{name}")));
        let glance = |(name, tags): (String, Tags)| Glance {
            name,
            ownership: tags.ownership(),
            marks: tags.marks,
            told: BTreeMap::new(),
        };
        Ok(told.map(glance).collect())
    }

    /// A read for which everything of ours is looked at, beside what is passed over, or only what is named.
    pub async fn survey<R>(
        &self,
        reading: Reading,
        look: impl FnOnce(&State) -> R,
    ) -> Result<R, BoxError> {
        if reading == Reading::Named {
            return self.read(look).await;
        }
        let mut state = self.read(State::clone).await?;
        let mut survey = self.survey.lock().unwrap();
        state.houses.retain(|name, _| !survey.passed_over.contains(&format!("house.{name}")));
        state.bells.retain(|name, _| !survey.passed_over.contains(&format!("bell.{name}")));
        survey.surveyed.extend(state.houses.keys().map(|name| format!("house.{name}")));
        survey.surveyed.extend(state.bells.keys().map(|name| format!("bell.{name}")));
        drop(survey);
        Ok(look(&state))
    }
}
