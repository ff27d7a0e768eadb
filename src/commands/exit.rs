//! How a run ends, as its exit code says it.

use crate::health::Level;

/// The exit codes: all of them, and each with one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed: wrong usage, a faulty file, the wrong account, an error of AWS.
    Failed,
    /// A plan has changes; only with `--detailed-exitcode`.
    Changes,
    /// Refused: protection, ownership, staleness, or no consent.
    Refused,
    /// Applied in part, or waiting: the same command goes on from there.
    Partial,
    /// Looked, and something needs attention soon: a quota that is nearly used up, the sandbox.
    Attention,
    /// Looked, and mail does not work, or not all of it.
    Trouble,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Partial => 4,
            Self::Attention => 5,
            Self::Trouble => 6,
        }
    }
}

impl From<Level> for Exit {
    fn from(level: Level) -> Self {
        match level {
            Level::Good => Self::Done,
            Level::Warning => Self::Attention,
            Level::Bad => Self::Trouble,
        }
    }
}

/// The codes, as every help page lists them.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  failed: wrong usage, a faulty file, the wrong account, an error of AWS
  2  the plan has changes (only with --detailed-exitcode)
  3  refused: protection, ownership, a plan that is stale, or no consent
  4  applied in part, or waiting: run it again to go on
  5  looked, and something needs attention soon (only access, quota and status)
  6  looked, and mail does not work, or not all of it (only access, quota and status)";
