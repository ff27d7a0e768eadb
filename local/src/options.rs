//! How a local cloud behaves. One struct serves as what a cloud is started with and as what can be changed while it
//! runs, from the same process or over `/_local/options`, so the two can never mean different things.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ses::ports::Choices;

/// The account of a caller that names none.
pub const ACCOUNT: &str = "123456789012";
/// The Region of a caller that names none.
pub const REGION: &str = "us-east-1";

/// What a cloud is started with; all but the first four can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where the data is kept between runs; nowhere when absent.
    pub data: Option<PathBuf>,
    /// The loopback port; 0 takes any free one.
    pub port: u16,
    /// The account of callers whose credentials name none.
    pub account: String,
    /// The Region of requests that name none.
    pub region: String,
    /// The rate limits that are enforced.
    pub limits: Limits,
    /// How much later every answer comes.
    #[serde(with = "seconds")]
    pub latency: Duration,
    /// How long reads keep showing what was there before a write.
    #[serde(with = "seconds")]
    pub stale_reads: Duration,
    /// How long the tagging API keeps showing the tags from before a write.
    #[serde(with = "seconds")]
    pub tagging_lag: Duration,
    /// How long the tagging API keeps showing what has been deleted.
    #[serde(with = "seconds")]
    pub ghosts: Duration,
    /// Whether callers need the permissions that AWS would ask for.
    pub enforce_iam: bool,
    /// How long a Route 53 change stays `PENDING`, by the cloud's clock. Meanwhile the zone refuses other changes.
    #[serde(with = "seconds")]
    pub pending_changes: Duration,
    /// How long SES takes to notice records that are right, by the cloud's clock.
    #[serde(with = "seconds")]
    pub verification: Duration,
    /// What SES does where AWS leaves it open.
    pub ses: Choices,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: None,
            port: 0,
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            limits: Limits::None,
            latency: Duration::ZERO,
            stale_reads: Duration::ZERO,
            tagging_lag: Duration::ZERO,
            ghosts: Duration::ZERO,
            enforce_iam: true,
            pending_changes: Duration::ZERO,
            verification: Duration::ZERO,
            ses: Choices::default(),
        }
    }
}

/// The rate limits that are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limits {
    /// None.
    #[default]
    None,
    /// AWS's, a bucket for each operation.
    PerOperation,
    /// AWS's, but SES's one call per second is shared by all of its control plane.
    SharedPerService,
}

/// Durations as a number of seconds, fractions allowed.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_options_is_enough() -> Result<(), serde_json::Error> {
        let options: Options =
            serde_json::from_str(r#"{"latency": 0.04, "limits": "shared-per-service"}"#)?;
        assert_eq!(options.latency, Duration::from_millis(40));
        assert_eq!(options.limits, Limits::SharedPerService);
        assert_eq!(options.account, ACCOUNT);
        Ok(())
    }
}
