//! One writer for each environment: an SSM parameter that one run at a time holds.
//!
//! `PutParameter` with `Overwrite=false` is atomic, so of two runs that begin together one gets it. SSM has no
//! conditional overwrite or delete, so each holder writes a nonce of its own and looks whether it is still there before
//! each renewal. Invariant: the lock is a courtesy that spares operators from each other. Nothing is wrong when it fails:
//! every write is safe against another writer without it.

use std::fmt;
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
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
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
    pub async fn holder(&self) -> Result<Option<Holder>, LockError> {
        Ok(self.find().await?.map(|found| found.holder))
    }

    /// Takes the lock, waiting at most `patience` for another holder. `waiting` is told who that is, once.
    ///
    /// A holder that gives no sign for the length of a lease is dead, and its lock is taken over. Whether it gives one is
    /// seen by the parameter's version, on our own clock, so that clocks need not agree.
    pub async fn take(
        &self,
        command: &str,
        host: &str,
        patience: Duration,
        mut waiting: impl FnMut(&Holder),
    ) -> Result<Held<'_>, LockError> {
        let holder = self.new_holder(command, host);
        let began = Instant::now();
        let mut seen: Option<(i64, Instant)> = None;
        loop {
            if self.put(&holder, false).await? {
                return Ok(Held { lock: self, holder, renewals: AtomicU64::new(0) });
            }
            let Some(found) = self.find().await? else { continue };
            let since = match seen {
                Some((version, since)) if version == found.version => since,
                Some(_) => Instant::now(),
                None => {
                    waiting(&found.holder);
                    Instant::now()
                }
            };
            seen = Some((found.version, since));
            // A lock that is ten leases old is left over from long ago, whatever clocks say.
            let is_dead =
                since.elapsed() >= self.lease.length || found.age >= self.lease.length * 10;
            if is_dead {
                self.remove().await?;
                continue;
            }
            if began.elapsed() >= patience {
                return Err(LockError::Held(Box::new(found.holder)));
            }
            tokio::time::sleep(self.lease.look).await;
        }
    }

    /// Removes the lock, whoever holds it; gives who did.
    pub async fn break_open(&self) -> Result<Option<Holder>, LockError> {
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
    /// Renews the lock again and again; ends when it is no longer ours, with whoever has it now, if anybody.
    ///
    /// A call that fails is no loss: the next one comes well before the lease ends.
    pub async fn keep(&self) -> Option<Holder> {
        loop {
            tokio::time::sleep(self.lock.lease.renewal).await;
            match self.lock.find().await {
                Ok(Some(found)) if found.holder.nonce == self.holder.nonce => {
                    let mut renewed = self.holder.clone();
                    renewed.renewals = self.renewals.fetch_add(1, Ordering::Relaxed) + 1;
                    if let Err(error) = self.lock.put(&renewed, true).await {
                        tracing::warn!(%error, "the lock was not renewed this time");
                    }
                }
                Ok(found) => return found.map(|found| found.holder),
                Err(error) => tracing::warn!(%error, "the lock could not be looked at"),
            }
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
