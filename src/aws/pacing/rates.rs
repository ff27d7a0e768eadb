//! How fast AWS lets each operation be called.

use std::fmt;

/// How fast an operation may be called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls a second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

/// A table of rates by service and operation, `None` meaning as fast as one likes.
#[derive(Clone, Copy)]
pub struct Rates(pub(super) fn(&str, &str) -> Option<Rate>);

impl Rates {
    /// AWS's limits, as far as they are published, and modest guesses elsewhere.
    #[must_use]
    pub const fn of_aws() -> Self {
        Self(rate_of_aws)
    }

    /// No limits, for a local cloud without any.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(|_, _| None)
    }

    /// Rates given by a function of service and operation, such as `ses` and `GetEmailIdentity`.
    #[must_use]
    pub const fn by(table: fn(&str, &str) -> Option<Rate>) -> Self {
        Self(table)
    }

    /// Whether there is a limit on anything that sesinfra calls all the time.
    #[must_use]
    pub fn are_limited(self) -> bool {
        self.0("ses", "GetEmailIdentity").is_some()
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = if self.are_limited() { "limited" } else { "unlimited" };
        formatter.debug_tuple("Rates").field(&limited).finish()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the table below says `None` where there is no limit")]
pub(super) const fn rate(per_second: f64, burst: u32) -> Option<Rate> {
    Some(Rate { per_second, burst })
}

#[expect(clippy::match_same_arms, reason = "a table by service, as AWS documents its limits")]
fn rate_of_aws(service: &str, operation: &str) -> Option<Rate> {
    match (service, operation) {
        // SES: 1/s, except for what sends mail (developer guide, "SES API sending quotas") and two operations whose
        // own documentation says otherwise.
        ("ses", sending) if sending.starts_with("Send") => None,
        ("ses", "GetEmailTemplate") => rate(50.0, 10),
        ("ses", "BatchGetMetricData") => rate(16.0, 4),
        ("ses", _) => rate(1.0, 1),
        // The documentation has 5/s in one place and 10/s in another.
        ("route53", _) => rate(5.0, 4),
        ("sns", "TagResource" | "UntagResource" | "ListTagsForResource") => rate(10.0, 5),
        ("sns", _) => rate(30.0, 10),
        ("tag", "GetResources") => rate(15.0, 5),
        ("tag", _) => rate(5.0, 2),
        // IAM publishes none; writes are throttled at low tens a second.
        ("iam", _) => rate(10.0, 5),
        ("ssm", _) => rate(20.0, 10),
        ("cloudwatch", "PutMetricAlarm" | "DeleteAlarms") => rate(3.0, 1),
        ("cloudwatch", _) => rate(9.0, 4),
        ("servicequotas", _) => rate(5.0, 2),
        _ => None,
    }
}
