//! `sesinfra show`: a plan file, read back.

use std::path::PathBuf;

use clap::Args;

use super::arguments::PlanFormat;
use super::exit::Exit;
use super::failure::Failure;
use super::{Run, plan_file};

/// Show a plan that `plan --out` wrote
///
/// Needs no AWS and no environment file. A file that was changed after it was written is refused.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The plan file
    #[arg(value_name = "PLANFILE")]
    file: PathBuf,

    /// How the plan is written
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra show plans/prod.json
  sesinfra show plans/prod.json --format json | conftest test -";

pub(super) fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let document = plan_file::read(&run.host.directory.join(&arguments.file))?;
    run.answer_plan(&document, arguments.format)?;
    Ok(Exit::Done)
}
