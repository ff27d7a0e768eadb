//! `sesinfra destroy`: everything that an environment owns goes, and nothing else.

use clap::Args;

use super::Run;
use super::arguments::{Adoption, CarryingOut, Selection, environment};
use super::carry_out::Assignment;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use crate::environment::names::FileName;
use crate::view::Purpose;

/// Delete everything that an environment owns
///
/// Finds all that carries the environment's marks, declared or not, shows it, asks, and deletes it. What others made,
/// and their values in shared DNS records, stays. Tags that AWS's tagging service does not show yet are looked for at
/// what the services themselves list, one by one where nothing is known of it.
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
    let flags = arguments.selection.flags(&Adoption::default());
    let assignment = Assignment {
        name: &arguments.environment,
        purpose: Purpose::Destroy,
        flags: &flags,
        options: &arguments.carrying_out,
        saved: None,
    };
    run.carry_out(&assignment).await
}
