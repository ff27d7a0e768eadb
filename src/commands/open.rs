//! Opening an environment: its file, the account that it is of, and what it implies there.

use std::sync::Arc;

use super::Run;
use super::failure::Failure;
use crate::aws::{ConnectError, Facts, PrivateKeys, Session, connect};
use crate::blueprint::{Blueprint, blueprint};
use crate::engine::Registry;
use crate::environment::names::FileName;
use crate::environment::{Environment, Findings, load};
use crate::kinds::registry;
use crate::view::findings::render;

/// An environment, and everything needed to plan and apply it.
pub(super) struct Opened {
    /// The file.
    pub(super) environment: Environment,
    /// The access to AWS.
    pub(super) session: Arc<Session>,
    /// What is true of the account.
    pub(super) facts: Facts,
    /// What the file implies.
    pub(super) blueprint: Blueprint,
    /// The kinds of resources.
    pub(super) registry: Registry,
}

impl Run<'_> {
    /// Opens an environment. Warnings are said; faults are shown and end the run.
    pub(super) async fn open(
        &self,
        name: &FileName,
        private_keys: PrivateKeys,
    ) -> Result<Opened, Failure> {
        let environment = load(&self.root()?, name).map_err(|found| self.faulty(name, &found))?;
        self.show_findings(&environment.warnings);
        let connected = connect(&environment, &self.host.watched_access(), private_keys).await;
        let (session, facts) = connected.map_err(|error| no_session(error, name))?;
        let blueprint = blueprint(&environment, &facts)
            .map_err(|found| self.faulty(name, &found.into_iter().collect()))?;
        self.show_findings(&blueprint.findings.iter().cloned().collect());
        let registry = registry(&session);
        Ok(Opened { environment, session, facts, blueprint, registry })
    }

    /// Shows findings beside the answer.
    pub(super) fn show_findings(&self, findings: &Findings) {
        if !findings.is_empty() {
            self.say(&(render(findings, self.error_style().is_coloured()) + "\n"));
        }
    }

    pub(super) fn faulty(&self, name: &FileName, found: &Findings) -> Failure {
        self.show_findings(found);
        Failure::input(faults(name, found))
    }
}

/// How many faults an environment has, as a sentence.
pub(super) fn faults(name: &FileName, found: &Findings) -> String {
    match found.iter().filter(|it| it.severity == crate::environment::Severity::Error).count() {
        1 => format!("the environment `{name}` has a fault, shown above"),
        count => format!("the environment `{name}` has {count} faults, shown above"),
    }
}

pub(super) fn no_session(error: ConnectError, name: &FileName) -> Failure {
    match error {
        wrong @ ConnectError::WrongAccount { .. } => Failure::input(wrong)
            .hinted("choose the right credentials, for example: export AWS_PROFILE=NAME")
            .hinted(format!("or correct `account` in environments/{name}.toml")),
        ConnectError::Aws(error) => Failure::aws(error),
        other => {
            let hint = other.hint();
            let failure = Failure::input(other);
            match hint {
                Some(hint) => failure.hinted(hint),
                None => failure,
            }
        }
    }
}
