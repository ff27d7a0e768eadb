//! AWS's rate limits: a token bucket per account, Region and operation (or per service). The numbers are AWS's
//! published ones; an operation without a published limit has none here. Route 53 counts all requests of an account
//! together, whatever the Region (its developer guide, "Maximum requests per second").

use std::collections::BTreeMap;
use std::time::Instant;

use parking_lot::Mutex;

use crate::options::Limits;

/// Network jitter may bring a client that keeps exactly to the rate this much of a call too early.
const GRACE: f64 = 0.05;

/// Calls a second, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate {
    per_second: f64,
    burst: f64,
}

/// As many at once as there may be in a second.
const fn rate(per_second: f64) -> Rate {
    Rate { per_second, burst: per_second }
}

/// The published limit of an operation.
fn published(action: &str) -> Option<Rate> {
    let (service, operation) = action.split_once(':')?;
    let per_second = match (service, operation) {
        ("ses", operation) if operation.starts_with("Send") => return None,
        ("ses", "GetEmailTemplate") => 50.0,
        ("ses", "BatchGetMetricData") => 16.0,
        ("ses", _) => 1.0,
        ("sns", "ListTopics" | "ListSubscriptions" | "ListSubscriptionsByTopic") => 30.0,
        ("sns", "Subscribe" | "Unsubscribe") => 100.0,
        ("sns" | "cloudwatch", "ListTagsForResource")
        | ("sns", "TagResource" | "UntagResource") => 10.0,
        ("tag", "GetResources") => 15.0,
        ("route53" | "tag", _) => 5.0,
        ("cloudwatch", "PutMetricAlarm" | "DeleteAlarms") => 3.0,
        ("cloudwatch", "DescribeAlarms") => 9.0,
        ("cloudwatch", "TagResource" | "UntagResource") => 20.0,
        ("cloudwatch", "ListMetrics") => 25.0,
        ("sts", _) => 600.0,
        _ => return None,
    };
    Some(rate(per_second))
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// All buckets of one cloud.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<BTreeMap<(String, String, String), Bucket>>);

impl Buckets {
    /// Takes a token for a call, or says that it is throttled.
    pub(crate) fn admit(
        &self,
        limits: Limits,
        account: &str,
        region: &str,
        action: &str,
        now: Instant,
    ) -> bool {
        if limits == Limits::None {
            return true;
        }
        let Some(rate) = published(action) else { return true };
        let (region, name) = match limits {
            _ if action.starts_with("route53:") => ("", "route53:"),
            Limits::SharedPerService if action.starts_with("ses:") && rate.burst <= 1.0 => {
                (region, "ses:")
            }
            _ => (region, action),
        };
        let mut buckets = self.0.lock();
        let bucket = buckets
            .entry((account.to_owned(), region.to_owned(), name.to_owned()))
            .or_insert(Bucket { tokens: rate.burst, filled: now });
        let refilled = now.saturating_duration_since(bucket.filled).as_secs_f64() * rate.per_second;
        bucket.tokens = (bucket.tokens + refilled).min(rate.burst);
        bucket.filled = now;
        if bucket.tokens + GRACE < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_call_a_second_for_each_operation() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let admit = |action, millis| {
            buckets.admit(
                Limits::PerOperation,
                "1",
                "r",
                action,
                start + Duration::from_millis(millis),
            )
        };
        assert!(admit("ses:GetEmailIdentity", 0));
        assert!(!admit("ses:GetEmailIdentity", 500));
        assert!(admit("ses:GetAccount", 500));
        assert!(admit("ses:GetEmailIdentity", 1000));
        assert!(admit("ses:SendEmail", 1000) && admit("ses:SendEmail", 1000));
    }

    #[test]
    fn or_one_for_the_whole_control_plane() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let admit = |action| buckets.admit(Limits::SharedPerService, "1", "r", action, start);
        assert!(admit("ses:GetEmailIdentity"));
        assert!(!admit("ses:GetAccount"));
        assert!(admit("route53:ListHostedZones"));
    }

    #[test]
    fn route_53_counts_all_requests_of_an_account() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        let admit = |region, action| buckets.admit(Limits::PerOperation, "1", region, action, now);
        let operations = ["route53:ListHostedZones", "route53:ChangeResourceRecordSets"];
        let admitted = (0..10).filter(|index| admit(["r", "s"][index % 2], operations[index % 2]));
        assert_eq!(admitted.count(), 5);
    }

    #[test]
    fn accounts_do_not_share() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        assert!(buckets.admit(Limits::PerOperation, "1", "r", "ses:GetAccount", now));
        assert!(buckets.admit(Limits::PerOperation, "2", "r", "ses:GetAccount", now));
        assert!(buckets.admit(Limits::None, "1", "r", "ses:GetAccount", now));
    }
}
