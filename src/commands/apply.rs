//! `sesinfra apply`: AWS becomes as the environment file says.

use clap::Args;

use super::Run;
use super::arguments::{CarryingOut, Selection, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use crate::environment::names::FileName;
use crate::view::Purpose;

/// Show what would change, ask, and change it
///
/// Plans, shows the plan, asks, and carries it out: as many steps at once as can be, each in its order, each read
/// back. A run that was cut off anywhere is gone on with by running the same command again. Ctrl-C lets the calls
/// under way finish and starts no more; a second one leaves at once.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    carrying_out: CarryingOut,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra apply staging
  sesinfra apply staging --yes --wait=30m    in CI: do not ask, and end when the domains are verified
  sesinfra apply prod --target configuration_set.transactional
  sesinfra apply prod --allow identity.old.pivot.app";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { environment, selection, carrying_out } = arguments;
    run.carry_out(environment, Purpose::Apply, selection, carrying_out).await
}
