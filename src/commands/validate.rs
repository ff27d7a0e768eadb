//! `sesinfra validate`: everything that is wrong with environment files, without AWS.

use clap::Args;

use super::Run;
use super::arguments::environment;
use super::exit::Exit;
use super::failure::Failure;
use super::open::faults;
use crate::environment::load;
use crate::environment::names::FileName;

/// Check environment files, without AWS
///
/// Shows everything that is wrong, at once, each with its place and what would be right.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The environments; none: all of them
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environments: Vec<FileName>,

    /// All environments, as when none is named
    #[arg(long, conflicts_with = "environments")]
    all: bool,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra validate
  sesinfra validate staging prod";

pub(super) fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let root = run.root()?;
    let all = arguments.all || arguments.environments.is_empty();
    let environments = run.chosen(&arguments.environments, all)?;
    let mut failures = Vec::new();
    for name in &environments {
        match load(&root, name) {
            Ok(environment) => {
                run.show_findings(&environment.warnings);
                run.answer(&format!("environments/{name}.toml is right\n"))?;
            }
            Err(found) => {
                run.show_findings(&found);
                failures.push(faults(name, &found));
            }
        }
    }
    if failures.is_empty() { Ok(Exit::Done) } else { Err(Failure::input(failures.join("\n"))) }
}
