//! `sesinfra plan`: what is different in AWS, and what `apply` would do about it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{Adoption, Only, PlanFormat, Refreshing, Selection, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::plan_all::worst;
use super::planned::private_keys;
use super::{Run, plan_file};
use crate::engine::Refresh;
use crate::environment::names::FileName;
use crate::view::{Document, Purpose, plan_json, plan_markdown, write_plan_text};

/// Show what would change, and change nothing
///
/// Reads the environment file and AWS and shows the difference: what is created, changed and deleted, field by field,
/// and what each change does to mail. Reads only, and takes no lock.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment, required_unless_present = "all")]
    environment: Option<FileName>,

    /// Plan all environments, those of different accounts at once
    #[arg(long, conflicts_with_all = ["environment", "out", "target", "replace", "allow", "abandon_zone", "adopt", "adopt_all"])]
    all: bool,

    /// Plan to delete everything that the environment owns
    #[arg(long)]
    destroy: bool,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    adoption: Adoption,

    /// How much of AWS is looked at
    ///
    /// `tags` takes about a call for a hundred resources, so a plan of a thousand domains takes seconds. It compares what
    /// is declared with what was last applied, which tags say, and reads in full what those do not settle. It does not see
    /// what others changed since in settings, DNS records or subscriptions, and leaves out the state of the account and the
    /// records that others publish. AWS may take some minutes to show tags that were just written. `apply` and `destroy`
    /// always read everything.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Refreshing::Full)]
    refresh: Refreshing,

    /// Write the plan to this file too: data without secrets, which `show` reads and `apply` carries out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How the plan is written
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,

    /// Show only this part of the plan; `--out` writes all of it
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Only>,

    /// Exit with 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra plan staging
  sesinfra plan prod --out plans/prod.json --detailed-exitcode
  sesinfra plan prod --format markdown       for a comment on a pull request
  sesinfra plan prod --format json | jq '.resource_changes[] | select(.impact == \"stops mail\")'
  sesinfra plan staging --target identity.staging.pivot.app
  sesinfra plan prod --refresh=tags          in seconds, however many domains there are
  sesinfra plan --all                        every environment, and one summary";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let purpose = if arguments.destroy { Purpose::Destroy } else { Purpose::Apply };
    let refresh = arguments.refresh()?;
    let Some(name) = arguments.environment.as_ref().filter(|_| !arguments.all) else {
        let planned = run.plan_all(purpose, refresh, arguments.format, arguments.only).await?;
        let changes = planned.iter().flatten().any(|document| document.plan.has_changes_now());
        run.tell_github(changes)?;
        return Ok(worst(&planned, arguments.detailed_exitcode));
    };
    let opened = run.open(name, private_keys(purpose)).await?;
    let flags = arguments.selection.flags(&arguments.adoption);
    let document = run.planned(&opened, purpose, &flags, refresh).await?;
    // The plan says all that is shown; of thousands of domains, the file and what it implies are as large again.
    drop(opened);
    if let Some(path) = &arguments.out {
        plan_file::write(&document, &run.host.directory.join(path))?;
    }
    let (is_refused, changes) = (!document.refusals.is_empty(), document.plan.has_changes_now());
    let document = shown(document, arguments.only);
    run.answer_plan(&document, arguments.format)?;
    run.tell_github(changes)?;
    Ok(if is_refused {
        Exit::Refused
    } else if arguments.detailed_exitcode && changes {
        Exit::Changes
    } else {
        Exit::Done
    })
}

impl Arguments {
    /// How much is looked at: what is to be carried out is planned in full.
    fn refresh(&self) -> Result<Refresh, Failure> {
        let flag = match (self.refresh, self.destroy, &self.out) {
            (Refreshing::Tags, _, Some(_)) => "--out",
            (Refreshing::Tags, true, None) => "--destroy",
            (refreshing, ..) => return Ok(refreshing.into()),
        };
        Err(Failure::input(format!(
            "--refresh=tags does not go with {flag}: a plan to be carried out reads everything"
        ))
        .hinted("leave out one of the two"))
    }
}

/// The part of a plan that is to be shown.
pub(super) fn shown(document: Document, only: Option<Only>) -> Document {
    match only {
        Some(Only::Changes) => document.only_changes(),
        None => document,
    }
}

impl Run<'_> {
    /// Shows a plan in one of the forms.
    pub(super) fn answer_plan(
        &self,
        document: &Document,
        format: PlanFormat,
    ) -> Result<(), Failure> {
        match format {
            PlanFormat::Text => {
                let style = self.output_style();
                self.answer_in_pieces(|out| write_plan_text(document, style, out))
            }
            PlanFormat::Json => self.answer(&format!("{:#}\n", plan_json(document))),
            PlanFormat::Markdown => self.answer(&plan_markdown(document)),
        }
    }

    /// Later steps of a GitHub workflow read whether there are changes.
    fn tell_github(&self, changes: bool) -> Result<(), Failure> {
        let Some(path) = self.host.variables.get("GITHUB_OUTPUT").filter(|path| !path.is_empty())
        else {
            return Ok(());
        };
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "changes={changes}"));
        written.map_err(|error| {
            Failure::input(format!("{path}: the outcome cannot be written there: {error}"))
                .hinted("unset GITHUB_OUTPUT, or let it name a file that can be written")
        })
    }
}
