//! `sesinfra unlock`: who holds an environment's lock, and breaking it open.

use clap::Args;

use super::Run;
use super::arguments::environment;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use crate::aws::{Lock, LockError, sign_in};
use crate::environment::load;
use crate::environment::names::FileName;

/// Show who holds an environment's lock, or break it open
///
/// `apply` and `destroy` let one run at a time work on an environment. The lock of a run that died is taken over by
/// itself after 90 seconds, so there is seldom a need to break one open. A run whose lock is broken open finishes the calls
/// under way and starts no more.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// Break the lock open
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra unlock prod             who holds it
  sesinfra unlock prod --force     break it open";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let name = &arguments.environment;
    let environment = load(&run.root()?, name).map_err(|found| run.faulty(name, &found))?;
    // Only that: a zone or a key that is missing keeps nobody from breaking a lock open.
    let session = sign_in(&environment, &run.host.watched_access()).await;
    let session = session.map_err(|error| super::open::no_session(error, name))?;
    let lock = Lock::new(&session, run.host.lease);
    let holder = if arguments.force { lock.break_open().await } else { lock.holder().await };
    let holder = holder.map_err(|error| match error {
        LockError::Aws(error) => Failure::aws(error),
        other => Failure::input(other),
    })?;
    run.answer(&match holder {
        None => format!("Nobody holds the lock of `{name}`.\n"),
        Some(holder) if arguments.force => format!("Broken open: {holder}.\n"),
        Some(holder) => format!(
            "Held: {holder}.\nTo break it open: {} unlock {name} --force\n",
            run.host.program
        ),
    })?;
    Ok(Exit::Done)
}
