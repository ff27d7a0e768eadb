//! How SES looks for DNS records: pending, found, lost and forgiven for a while, failed for good.
//!
//! DKIM and MAIL FROM follow the same rules; time only moves when something is read.

use serde::{Deserialize, Serialize};

use super::input::choices;
use super::ports::Settings;

choices! {
    /// The state of a verification.
    Status {
        Failed = "FAILED",
        NotStarted = "NOT_STARTED",
        Pending = "PENDING",
        Success = "SUCCESS",
        TemporaryFailure = "TEMPORARY_FAILURE",
    }
}

choices! {
    /// Why a verification did not succeed when it was last looked at.
    Problem {
        HostNotFound = "HOST_NOT_FOUND",
        TypeNotFound = "TYPE_NOT_FOUND",
        InvalidValue = "INVALID_VALUE",
        ParentNotFound = "REPLICATION_PRIMARY_NOT_FOUND",
        ParentBringsItsKey = "REPLICATION_PRIMARY_BYO_DKIM_NOT_SUPPORTED",
        ParentIsReplica = "REPLICATION_REPLICA_AS_PRIMARY_NOT_SUPPORTED",
        ParentRegion = "REPLICATION_PRIMARY_INVALID_REGION",
    }
}

/// A search for records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) status: Status,
    since: i64,
    right_since: Option<i64>,
    lost_since: Option<i64>,
    pub(super) checked: Option<i64>,
    pub(super) succeeded: Option<i64>,
    pub(super) problem: Option<Problem>,
}

impl Search {
    /// A search that begins now.
    pub(super) fn begin(now: i64) -> Self {
        Self {
            status: Status::Pending,
            since: now,
            right_since: None,
            lost_since: None,
            checked: None,
            succeeded: None,
            problem: None,
        }
    }

    /// Whether there is anything left to look for: a failed search is over until it is begun again.
    pub(super) fn is_over(&self) -> bool {
        self.status == Status::Failed
    }

    /// Takes note of what was found now.
    pub(super) fn note(&mut self, found: Result<(), Problem>, now: i64, settings: &Settings) {
        if self.is_over() {
            return;
        }
        self.checked = Some(now);
        self.problem = found.err();
        if found.is_ok() {
            let right_since = *self.right_since.get_or_insert(now);
            self.lost_since = None;
            if now - right_since >= settings.verification_delay {
                self.status = Status::Success;
                self.succeeded = Some(now);
            }
            return;
        }
        self.right_since = None;
        let was_right = matches!(self.status, Status::Success | Status::TemporaryFailure);
        let wrong_since = if was_right { *self.lost_since.get_or_insert(now) } else { self.since };
        self.status = match now - wrong_since >= settings.verification_patience {
            true => Status::Failed,
            false if was_right => Status::TemporaryFailure,
            false => Status::Pending,
        };
    }
}
