//! One writer: taking the environment's lock around a piece of work, keeping it meanwhile, and giving it back.

use std::pin::pin;
use std::time::Duration;

use super::Run;
use super::control::Stop;
use super::failure::Failure;
use crate::aws::{Holder, Lease, Lock, LockError, Session};

impl Run<'_> {
    /// Does `work` under the lock. Should the lock be lost meanwhile, the wish to stop is made: what is under way is
    /// finished, and nothing more begins.
    pub(super) async fn locked<T>(
        &self,
        session: &Session,
        command: &str,
        patience: Duration,
        stop: &Stop,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let lock = Lock::new(session, Lease::default());
        let told = |holder: &Holder| {
            self.say(&format!("Waiting for another run: {holder}.\n"));
        };
        let taken = lock.take(command, &self.host.name(), patience, told).await;
        let held = taken.map_err(|error| self.not_locked(error, session))?;
        let mut work = pin!(work);
        let ended = tokio::select! {
            ended = &mut work => ended,
            heir = held.keep() => {
                stop.stop();
                let heir = heir.map_or_else(
                    || "somebody broke the lock open".to_owned(),
                    |heir| format!("the lock was taken over by {heir}"),
                );
                self.say(&format!("Stopping: {heir}. Calls under way are finished, no more are started.\n"));
                work.await
            }
        };
        if let Err(error) = held.release().await {
            self.say(&format!("Warning: the lock was not given back ({error}); it ends by itself after 90 seconds.\n"));
        }
        ended
    }

    fn not_locked(&self, error: LockError, session: &Session) -> Failure {
        let (program, name) = (&self.host.program, session.owner.environment());
        match error {
            held @ LockError::Held(_) => Failure::refused(held)
                .hinted("wait until it is done, or longer: --lock-timeout 10m")
                .hinted(format!(
                    "if that run is dead for certain: {program} unlock {name} --force"
                )),
            foreign @ LockError::NotALock(_) => Failure::input(foreign).hinted(
                "somebody keeps something else under this name: move it, or rename the environment",
            ),
            LockError::Aws(error) => Failure::aws(error),
        }
    }
}
