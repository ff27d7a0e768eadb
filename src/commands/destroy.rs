//! `sesinfra destroy`: everything that an environment owns goes, and nothing else.

use clap::Args;

use super::Run;
use super::arguments::{CarryingOut, Selection, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use crate::environment::names::FileName;
use crate::view::Purpose;

/// Delete everything that an environment owns
///
/// Finds all that carries the environment's marks, declared or not, shows it, asks, and deletes it. What others made,
/// and their values in shared DNS records, stays.
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
  sesinfra plan staging --destroy            look first
  sesinfra destroy staging
  sesinfra destroy prod --allow identity.pivot.app";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { environment, selection, carrying_out } = arguments;
    run.carry_out(environment, Purpose::Destroy, selection, carrying_out).await
}
