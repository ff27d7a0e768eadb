//! `sesinfra apply`: AWS becomes as the environment file says, or as a saved plan does.

use std::path::Path;

use clap::Args;

use super::arguments::{Adoption, CarryingOut, Selection, Subject, subject};
use super::carry_out::Assignment;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::{Run, plan_file};
use crate::environment::load;
use crate::environment::names::FileName;
use crate::view::{Flags, Purpose};

/// Show what would change, ask, and change it
///
/// Plans, shows the plan, asks, and carries it out: as many steps at once as can be, each in its order, each read
/// back. A run that was cut off anywhere is gone on with by running the same command again. Ctrl-C lets the calls
/// under way finish and starts no more; a second one leaves at once.
///
/// With a plan that `plan --out` wrote, exactly that plan is carried out, and nobody is asked: it is made again, with the
/// flags that it was made with, and refused if anything moved since: an environment file, something in AWS, the version of
/// this program, or the plan file itself. What moved is said.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environment, `staging` for environments/staging.toml, or a plan that was saved: plans/staging.json
    #[arg(value_name = "ENVIRONMENT|PLANFILE", value_parser = subject)]
    subject: Subject,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    adoption: Adoption,

    #[command(flatten)]
    carrying_out: CarryingOut,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra apply staging
  sesinfra apply staging --yes --wait=30m    in CI: do not ask, end when domains are verified
  sesinfra apply plans/prod.json             exactly the plan that `plan --out` wrote
  sesinfra apply prod --target configuration_set.transactional
  sesinfra apply prod --adopt topic.feedback take over a topic that exists already
  sesinfra apply prod --allow identity.old.pivot.app";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let flags = arguments.selection.flags(&arguments.adoption);
    match &arguments.subject {
        Subject::Environment(name) => {
            let assignment = Assignment {
                name,
                purpose: Purpose::Apply,
                flags: &flags,
                options: &arguments.carrying_out,
                saved: None,
            };
            run.carry_out(&assignment).await
        }
        Subject::Plan(path) => saved(run, path, &flags, &arguments.carrying_out).await,
    }
}

async fn saved(
    run: &Run<'_>,
    path: &Path,
    flags: &Flags,
    options: &CarryingOut,
) -> Result<Exit, Failure> {
    if *flags != Flags::default() {
        return Err(Failure::input(format!(
            "a saved plan has the flags that it was made with, so it takes no others here:{}",
            flags.typed()
        ))
        .hinted("make another plan with them: plan ENVIRONMENT --out FILE"));
    }
    let document = plan_file::read(&run.host.directory.join(path))?;
    run.refuse_other_version(&document)?;
    let name = FileName::parse(&document.environment).map_err(|error| {
        Failure::input(format!("the plan names no environment: it {}", error.reason))
    })?;
    // Before AWS is asked: a file that names another account now is a file that changed.
    let environment = load(&run.root()?, &name).map_err(|found| run.faulty(&name, &found))?;
    run.refuse_changed_files(&document, &environment)?;
    let assignment = Assignment {
        name: &name,
        purpose: document.purpose,
        flags: &document.flags,
        options,
        saved: Some(&document),
    };
    run.carry_out(&assignment).await
}
