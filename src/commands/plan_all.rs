//! `sesinfra plan --all`: the plans of all environments, in order, and a summary.
//!
//! Invariant: AWS limits calls by account (Route 53 and IAM, for all Regions together), so of the environments of an account
//! one is planned at a time; those of other accounts do not wait for it. One environment that cannot be planned keeps no other from being seen.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;

use super::Run;
use super::arguments::{Only, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::plan::shown;
use super::planned::private_keys;
use crate::engine::{Refresh, chain};
use crate::environment::load;
use crate::environment::names::FileName;
use crate::view::{Document, Flags, Purpose, last_line, plan_json};

/// What became of one environment.
type Planned = Result<Document, Failure>;

impl Run<'_> {
    /// Plans all environments and shows them; gives how each ended, for the exit code.
    pub(super) async fn plan_all(
        &self,
        purpose: Purpose,
        refresh: Refresh,
        format: PlanFormat,
        only: Option<Only>,
    ) -> Result<Vec<Planned>, Failure> {
        let names = self.chosen(&[], true)?;
        let mut together: BTreeMap<String, Vec<(usize, &FileName)>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            // One with faults waits for nobody; planning it will say what they are.
            let of = load(&self.root()?, name)
                .map(|environment| environment.settings.aws.account.to_string());
            let of = of.unwrap_or_else(|_| format!("the file {name}"));
            together.entry(of).or_default().push((index, name));
        }
        let groups = together.into_values().map(async |group| {
            let mut planned = Vec::new();
            for (index, name) in group {
                let one = Box::pin(self.plan_one(name, purpose, refresh)).await;
                planned.push((index, one.map(|document| shown(document, only))));
            }
            planned
        });
        let mut planned: Vec<(usize, Planned)> =
            join_all(groups).await.into_iter().flatten().collect();
        planned.sort_by_key(|(index, _)| *index);
        let planned: Vec<Planned> = planned.into_iter().map(|(_, planned)| planned).collect();
        self.show_all(&names, &planned, format)?;
        Ok(planned)
    }

    async fn plan_one(&self, name: &FileName, purpose: Purpose, refresh: Refresh) -> Planned {
        let opened = self.open(name, private_keys(purpose)).await?;
        self.planned(&opened, purpose, &Flags::default(), refresh).await
    }

    fn show_all(
        &self,
        names: &[FileName],
        planned: &[Planned],
        format: PlanFormat,
    ) -> Result<(), Failure> {
        for (name, planned) in names.iter().zip(planned) {
            if let Err(failure) = planned {
                self.tell(name, failure);
            }
        }
        if format == PlanFormat::Json {
            let all = names.iter().zip(planned).map(|(name, planned)| match planned {
                Ok(document) => plan_json(document),
                Err(failure) => json!({
                    "environment": name.to_string(),
                    "errored": true,
                    "error": chain(failure.source.as_ref()),
                    "hints": failure.hints,
                }),
            });
            return self.answer(&format!("{:#}\n", json!(all.collect::<Vec<_>>())));
        }
        for document in planned.iter().flatten() {
            self.answer_plan(document, format)?;
        }
        if format == PlanFormat::Text {
            self.answer(&summary(names, planned))?;
        }
        Ok(())
    }
}

/// One line for each environment.
fn summary(names: &[FileName], planned: &[Planned]) -> String {
    let width = names.iter().map(|name| name.to_string().len()).max().unwrap_or_default();
    let lines = names.iter().zip(planned).map(|(name, planned)| {
        let name = name.to_string();
        match planned {
            Ok(document) if document.refusals.is_empty() => {
                format!("  {name:<width$}  {}\n", last_line(document))
            }
            Ok(document) => format!("  {name:<width$}  {} Refused.\n", last_line(document)),
            Err(_) => format!("  {name:<width$}  Error: not planned, for the reason given.\n"),
        }
    });
    format!("\nAll environments:\n\n{}", lines.collect::<String>())
}

/// The exit code of several plans: that one failed is said before that one is refused, and that before that one changes
/// something.
pub(super) fn worst(planned: &[Planned], detailed: bool) -> Exit {
    let refused = |planned: &Planned| matches!(planned, Ok(it) if !it.refusals.is_empty());
    let changes = |planned: &Planned| matches!(planned, Ok(it) if it.plan.has_changes_now());
    if planned.iter().any(Result::is_err) {
        Exit::Failed
    } else if planned.iter().any(refused) {
        Exit::Refused
    } else if detailed && planned.iter().any(changes) {
        Exit::Changes
    } else {
        Exit::Done
    }
}
