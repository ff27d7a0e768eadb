//! One writer for each environment: an SSM parameter that one run at a time holds.
//!
//! `PutParameter` with `Overwrite=false` is atomic, so of two runs that begin together one gets it. SSM has no
//! conditional overwrite or delete, so each holder writes a nonce of its own and looks whether it is still there before
//! each renewal. Invariant: the lock is a courtesy that spares operators from each other. Nothing is wrong when it fails:
//! every write is safe against another writer without it.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ownership::hex;
use super::{AwsError, Class, OrAbsent, Session, failed};

/// How long a lock stands without a sign of its holder, and how often holders give one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// A lock that was not renewed for this long is anybody's.
    pub length: Duration,
    /// How often it is renewed: several times within the length, so that one lost call does not cost the lock.
    pub renewal: Duration,
    /// How often somebody who waits looks again.
    pub look: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(90),
            renewal: Duration::from_secs(30),
            look: Duration::from_secs(3),
        }
    }
}

/// Who holds a lock, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What tells this run from every other.
    pub nonce: String,
    /// The ARN of whoever makes the calls.
    pub holder: String,
    /// The machine that it runs on.
    pub host: String,
    /// What it does: `apply`.
    pub command: String,
    /// When it took the lock, in seconds since 1970 by its own clock.
    pub since: u64,
    /// Counts renewals, so that each writes another value.
    pub renewals: u64,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = i64::try_from(self.since).unwrap_or(i64::MAX);
        let since = aws_smithy_types::DateTime::from_secs(since);
        write!(formatter, "{} of {} on {}, since {since}", self.command, self.holder, self.host)
    }
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it, and gave signs of life all the time.
    #[error("another run holds the lock: {0}")]
    Held(Box<Holder>),
    /// A parameter of that name holds something else.
    #[error("the SSM parameter {0} does not hold a lock of sesinfra")]
    NotALock(String),
    /// It was no longer wanted.
    #[error("the lock is no longer wanted")]
    GivenUp,
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// How a lock that was held ceased to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Somebody else has it.
    TakenOver(Box<Holder>),
    /// It is gone, or something else is in its place.
    BrokenOpen,
    /// It could not be renewed in time, so that by now it may be anybody's.
    NotRenewed,
}

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver(heir) => write!(formatter, "the lock was taken over by {heir}"),
            Self::BrokenOpen => formatter.write_str("somebody broke the lock open"),
            Self::NotRenewed => formatter.write_str(
                "the lock could not be renewed in time, and may be another run's by now",
            ),
        }
    }
}

/// A lock as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Who holds it.
    pub holder: Holder,
    /// How long ago the holder gave the last sign of life, as far as the clocks agree.
    pub age: Duration,
}

impl fmt::Display for Sighting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, age } = self;
        write!(formatter, "{holder}; last sign of life {} seconds ago", age.as_secs())
    }
}

/// The lock of one environment.
#[derive(Debug)]
pub struct Lock<'a> {
    session: &'a Session,
    name: String,
    lease: Lease,
}

/// A lock that this run holds. It must be given back with [`Held::release`]; otherwise it stands until its lease ends.
#[derive(Debug)]
pub struct Held<'a> {
    lock: &'a Lock<'a>,
    holder: Holder,
    renewals: AtomicU64,
}

/// The parameter as it was found.
struct Found {
    holder: Holder,
    version: i64,
    /// Seconds since the parameter was written, by SSM's clock against ours.
    age: Duration,
}

impl Found {
    /// Whether nobody has written it in between. Versions alone do not tell: those of a new parameter begin with 1 again.
    fn is_same(&self, other: &Self) -> bool {
        self.version == other.version && self.holder == other.holder
    }
}

impl<'a> Lock<'a> {
    /// The lock of the environment that `session` is of.
    #[must_use]
    pub fn new(session: &'a Session, lease: Lease) -> Self {
        let owner = &session.owner;
        let name = format!("/sesinfra/{}/{}/lock", owner.project(), owner.environment());
        Self { session, name, lease }
    }

    /// The name of the SSM parameter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who holds it.
    pub async fn holder(&self) -> Result<Option<Sighting>, LockError> {
        Ok(self.find().await?.map(|Found { holder, age, .. }| Sighting { holder, age }))
    }

    /// Takes the lock, waiting at most `patience` for another holder, and no longer than until `given_up`. `waiting` is
    /// told who that is, once.
    ///
    /// A holder that gives no sign for the length of a lease is dead, and its lock is taken over. Whether it gives one is
    /// seen by the parameter's version, on our own clock, so that clocks need not agree.
    pub async fn take(
        &self,
        command: &str,
        host: &str,
        patience: Duration,
        mut waiting: impl FnMut(&Holder),
        given_up: impl Future<Output = ()>,
    ) -> Result<Held<'_>, LockError> {
        let holder = self.new_holder(command, host);
        let began = Instant::now();
        let mut seen: Option<(Found, Instant)> = None;
        let mut given_up = pin!(given_up);
        loop {
            if self.put(&holder, false).await? {
                return Ok(Held { lock: self, holder, renewals: AtomicU64::new(0) });
            }
            if let Some(found) = self.find().await? {
                let since = match &seen {
                    Some((before, since)) if before.is_same(&found) => *since,
                    Some(_) => Instant::now(),
                    None => {
                        waiting(&found.holder);
                        Instant::now()
                    }
                };
                if self.is_dead(&found, since.elapsed()) && self.take_over(&found, &holder).await? {
                    return Ok(Held { lock: self, holder, renewals: AtomicU64::new(0) });
                }
                if began.elapsed() >= patience {
                    return Err(LockError::Held(Box::new(found.holder)));
                }
                seen = Some((found, since));
            }
            tokio::select! {
                () = tokio::time::sleep(self.lease.look) => {}
                () = &mut given_up => return Err(LockError::GivenUp),
            }
        }
    }

    /// Whether a lock that was watched so long without a sign of its holder is left over from a run that died.
    fn is_dead(&self, found: &Found, watched: Duration) -> bool {
        let Lease { length, renewal, look } = self.lease;
        // One that is ten leases old by the clocks need only be watched for as long as a living holder would take to
        // give a sign: clocks may be wrong.
        watched >= length || (found.age >= length * 10 && watched >= renewal + look * 2)
    }

    /// Puts `holder` in the place of a dead one, and looks a while later whether it is still there: of several who do
    /// this at the same moment, the last one has it.
    async fn take_over(&self, dead: &Found, holder: &Holder) -> Result<bool, LockError> {
        if !self.find().await?.is_some_and(|now| now.is_same(dead)) {
            return Ok(false);
        }
        self.put(holder, true).await?;
        tokio::time::sleep(self.lease.look).await;
        Ok(self.find().await?.is_some_and(|now| now.holder.nonce == holder.nonce))
    }

    /// Removes the lock, whoever holds it; gives who did.
    pub async fn break_open(&self) -> Result<Option<Sighting>, LockError> {
        let holder = self.holder().await?;
        if holder.is_some() {
            self.remove().await?;
        }
        Ok(holder)
    }

    fn new_holder(&self, command: &str, host: &str) -> Holder {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let caller = self.session.caller().unwrap_or("somebody").to_owned();
        // Two runs differ in process, moment or machine; the nonce only has to be no other run's.
        let unique = format!("{caller} {host} {} {}", std::process::id(), since.as_nanos());
        let nonce = Sha256::digest(unique.as_bytes());
        Holder {
            nonce: hex(nonce.into_iter().take(12)),
            holder: caller,
            host: host.to_owned(),
            command: command.to_owned(),
            since: since.as_secs(),
            renewals: 0,
        }
    }

    /// Writes the parameter; `false` if there is one and it may not be overwritten.
    async fn put(&self, holder: &Holder, overwrite: bool) -> Result<bool, AwsError> {
        // Plain data with text keys always has a JSON form.
        let value = serde_json::to_string(holder).unwrap_or_default();
        let call = self.session.ssm().put_parameter().name(&self.name).value(value);
        let call = call.r#type(aws_sdk_ssm::types::ParameterType::String).overwrite(overwrite);
        match call.send().await.map_err(failed("ssm:PutParameter", &self.name)) {
            Ok(_) => Ok(true),
            // The answer to our own put may have been lost and the call repeated: then the lock is ours after all.
            Err(error) if error.is(Class::Exists) && !overwrite => {
                let found = self.find().await.ok().flatten();
                Ok(found.is_some_and(|found| found.holder.nonce == holder.nonce))
            }
            Err(error) => Err(error),
        }
    }

    async fn find(&self) -> Result<Option<Found>, LockError> {
        let call = self.session.ssm().get_parameter().name(&self.name).send().await;
        let answer = call.map_err(failed("ssm:GetParameter", &self.name)).or_absent()?;
        let Some(parameter) = answer.and_then(|answer| answer.parameter) else { return Ok(None) };
        let holder = parameter.value.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let Some(holder) = holder else { return Err(LockError::NotALock(self.name.clone())) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = parameter.last_modified_date.and_then(|date| u64::try_from(date.secs()).ok());
        let age = now.saturating_sub(written.map_or(now, Duration::from_secs));
        Ok(Some(Found { holder, version: parameter.version, age }))
    }

    async fn remove(&self) -> Result<(), AwsError> {
        let call = self.session.ssm().delete_parameter().name(&self.name).send().await;
        call.map_err(failed("ssm:DeleteParameter", &self.name)).or_absent().map(drop)
    }
}

impl Held<'_> {
    /// Renews the lock again and again until `end`; ends before that if it is no longer ours, with how that came about.
    ///
    /// A renewal under way is finished first, so that none arrives after the lock was given back. One that fails is no
    /// loss as long as the next comes before the lease ends.
    pub async fn keep(&self, end: impl Future<Output = ()>) -> Option<Lost> {
        let Lease { length, renewal, .. } = self.lock.lease;
        let mut renewed = Instant::now();
        let mut end = pin!(end);
        loop {
            tokio::select! {
                () = tokio::time::sleep(renewal) => {}
                () = &mut end => return None,
            }
            let began = Instant::now();
            let left = length.saturating_sub(renewed.elapsed());
            match tokio::time::timeout(left, self.renew()).await {
                Ok(Ok(None)) => renewed = began,
                Ok(Ok(Some(lost))) => return Some(lost),
                Ok(Err(error)) => tracing::warn!(%error, "the lock was not renewed this time"),
                Err(_) => return Some(Lost::NotRenewed),
            }
            if renewed.elapsed() >= length {
                return Some(Lost::NotRenewed);
            }
        }
    }

    /// Renews the lock, or finds out that it is lost.
    async fn renew(&self) -> Result<Option<Lost>, AwsError> {
        match self.lock.find().await {
            Ok(Some(found)) if found.holder.nonce == self.holder.nonce => {
                let mut renewed = self.holder.clone();
                renewed.renewals = self.renewals.fetch_add(1, Ordering::Relaxed) + 1;
                self.lock.put(&renewed, true).await.map(|_| None)
            }
            Ok(Some(found)) => Ok(Some(Lost::TakenOver(Box::new(found.holder)))),
            Err(LockError::Aws(error)) => Err(error),
            Ok(None) | Err(_) => Ok(Some(Lost::BrokenOpen)),
        }
    }

    /// Gives the lock back, if it is still ours.
    pub async fn release(self) -> Result<(), LockError> {
        match self.lock.find().await? {
            Some(found) if found.holder.nonce == self.holder.nonce => {
                Ok(self.lock.remove().await?)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(nonce: &str, version: i64) -> Found {
        let holder = Holder {
            nonce: nonce.to_owned(),
            holder: "arn:aws:sts::123456789012:assumed-role/ci/1".to_owned(),
            host: "runner".to_owned(),
            command: "apply".to_owned(),
            since: 1_790_000_000,
            renewals: 0,
        };
        Found { holder, version, age: Duration::from_secs(14) }
    }

    #[test]
    fn the_next_of_many_short_runs_is_not_the_one_before() {
        assert!(found("a", 1).is_same(&found("a", 1)));
        assert!(!found("a", 1).is_same(&found("a", 2)));
        assert!(!found("a", 1).is_same(&found("b", 1)));
    }

    #[test]
    fn a_lock_says_who_has_it_since_when_and_whether_they_live() {
        let Found { holder, age, .. } = found("a", 1);
        assert_eq!(
            Sighting { holder, age }.to_string(),
            "apply of arn:aws:sts::123456789012:assumed-role/ci/1 on runner, since 2026-09-21T14:13:20Z; \
             last sign of life 14 seconds ago"
        );
    }
}
