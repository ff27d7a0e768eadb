//! `sesinfra schema`: what an environment file may say, for editors.

use clap::Args;

use super::Run;
use super::exit::Exit;
use super::failure::Failure;

/// Print the JSON Schema of environment files
///
/// Editors complete and check a file that starts with `#:schema schema.json`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

const EXAMPLES: &str = "\
Examples:
  sesinfra schema > environments/schema.json";

pub(super) fn run(run: &Run<'_>) -> Result<Exit, Failure> {
    run.answer(&format!("{:#}\n", crate::environment::schema()))?;
    Ok(Exit::Done)
}
