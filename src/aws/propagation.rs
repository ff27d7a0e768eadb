//! Waiting out the moments in which AWS does not know yet what it was just told: a policy, a role, a permission.

use std::time::Duration;

use super::AwsError;

/// Waits between attempts: half a minute in all, which covers what AWS documents for resource policies.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// Repeats `call` while its error `may_pass`, for about half a minute; then the error stands.
pub async fn until_propagated<T, F>(
    may_pass: impl Fn(&AwsError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    for wait in WAITS {
        match call().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
    }
    call().await
}
