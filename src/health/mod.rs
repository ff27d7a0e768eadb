//! What AWS says of the account and of mail beyond the resources themselves: production access, quotas, reputation, and
//! whether mail works.
//!
//! Invariant: reads, judges and says what to do. Nothing here is part of an apply: the two requests that can be made of
//! AWS, [`access::submit`] and [`quota::ask`], are made by their own commands only.

pub mod access;
pub mod metrics;
pub mod preflight;
pub mod quota;
pub mod sight;
pub mod status;
pub mod trend;

use serde::Serialize;

/// How things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to do.
    #[default]
    Good,
    /// Somebody should look at it soon.
    Warning,
    /// Mail does not work, or not all of it.
    Bad,
}

impl Level {
    /// The word of the level.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// Something that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// Something that somebody should look at soon.
    #[must_use]
    pub fn warning(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, what: what.into(), remedy: remedy.into() }
    }

    /// Something that keeps mail from working.
    #[must_use]
    pub fn bad(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Bad, what: what.into(), remedy: remedy.into() }
    }
}
