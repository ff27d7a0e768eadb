//! Quotas on sending: what Service Quotas says of them follows what SES grants, and an increase waits for somebody to
//! decide, as it does at AWS.

use std::sync::Arc;

use chrono::Utc;
use fakecloud_core::service::{AwsRequest, AwsServiceError};
use fakecloud_servicequotas::state::applied_key;
use serde::Deserialize;

use crate::ses::SesCloud;
use crate::strict::{Check, Then};
use crate::world::World;

/// The quota on recipients in 24 hours (general reference, "Amazon SES endpoints and quotas").
pub const DAILY: &str = "L-804C8AE8";
/// The quota on recipients a second.
pub const PER_SECOND: &str = "L-CDEF9B6B";

/// What AWS decides on a request for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaDecision {
    /// A support case was opened; the request stays open.
    CaseOpened,
    /// More is granted.
    Approved,
    /// Nothing more is granted.
    Denied,
    /// The case ended without a grant.
    CaseClosed,
    /// No case was opened, and nothing is granted.
    NotApproved,
}

impl QuotaDecision {
    const fn status(self) -> &'static str {
        match self {
            Self::CaseOpened => "CASE_OPENED",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::CaseClosed => "CASE_CLOSED",
            Self::NotApproved => "NOT_APPROVED",
        }
    }
}

/// Decides on the open request about a sending quota; false if there is none.
#[must_use]
pub fn decide(
    world: &Arc<World>,
    account: &str,
    region: &str,
    code: &str,
    decision: QuotaDecision,
) -> bool {
    let wanted = {
        let mut accounts = world.quotas.write();
        let requests = accounts.get_or_create(account).requests.values_mut();
        let mut open = requests.filter(|request| {
            request.quota_code == code
                && request.region == region
                && matches!(request.status.as_str(), "PENDING" | "CASE_OPENED")
        });
        let Some(request) = open.next() else { return false };
        decision.status().clone_into(&mut request.status);
        request.case_id = request.case_id.take().or_else(|| Some("1234567890".to_owned()));
        request.last_updated = Utc::now();
        request.desired_value
    };
    if decision == QuotaDecision::Approved {
        let (daily, rate) = SesCloud::over(world).quota(account, region);
        let (daily, rate) = if code == DAILY { (wanted, rate) } else { (daily, wanted) };
        SesCloud::over(world).grant(account, region, daily, rate);
    }
    true
}

/// Keeps the values that Service Quotas shows at what SES grants.
pub(crate) struct FollowSes(pub(crate) Arc<World>);

impl Check for FollowSes {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        let (account, region) = (&request.account_id, &request.region);
        let (daily, rate) = SesCloud::over(&self.0).quota(account, region);
        let mut accounts = self.0.quotas.write();
        let applied = &mut accounts.get_or_create(account).applied;
        applied.insert(applied_key(region, false, "ses", DAILY), daily);
        applied.insert(applied_key(region, false, "ses", PER_SECOND), rate);
        Ok(None)
    }
}
