//! One writer: taking the environment's lock around a piece of work, keeping it meanwhile, and giving it back.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Run;
use super::carry_out::unchanged;
use super::control::{Reason, Stop};
use super::failure::Failure;
use crate::aws::{Holder, Lock, LockError, Session};

impl Run<'_> {
    /// Does `work` under the lock. Should the lock be lost meanwhile, the wish to stop is made, and no further call.
    pub(super) async fn locked<T>(
        &self,
        session: &Session,
        command: &str,
        patience: Duration,
        stop: &Stop,
        again: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let lock = Lock::new(session, self.host.lease);
        let told = |holder: &Holder| {
            self.say(&format!("Waiting for another run: {holder}.\n"));
        };
        let stopped = async { drop(stop.stopped().await) };
        let taken = lock.take(command, &self.host.name(), patience, told, stopped).await;
        let held = taken.map_err(|error| self.not_locked(error, session, again))?;
        let (end, ended) = oneshot::channel::<()>();
        let working = async {
            let result = work.await;
            // The keeper may have ended before.
            let _ = end.send(());
            result
        };
        let keeping = async {
            let lost = held.keep(async { drop(ended.await) }).await;
            if let Some(lost) = &lost {
                session.shut();
                stop.stop(Reason::LockLost(lost.to_string()));
            }
            lost
        };
        // Neither is let go of in the middle: a renewal under way could arrive after the lock was given back.
        let (result, lost) = tokio::join!(working, keeping);
        // What is somebody else's by now is not given back.
        if lost.is_none()
            && let Err(error) = held.release().await
        {
            let seconds = self.host.lease.length.as_secs();
            self.say(&format!("Warning: the lock was not given back ({error}); it ends by itself after {seconds} seconds.\n"));
        }
        result
    }

    fn not_locked(&self, error: LockError, session: &Session, again: &str) -> Failure {
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
            LockError::GivenUp => unchanged(Reason::Interrupted, again),
            LockError::Aws(error) => Failure::aws(error),
        }
    }
}
