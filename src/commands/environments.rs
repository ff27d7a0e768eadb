//! `sesinfra environments`: which environments there are, for people and for a CI matrix.

use clap::Args;
use serde_json::json;

use super::Run;
use super::arguments::Format;
use super::exit::Exit;
use super::failure::Failure;
use super::open::faults;
use crate::environment::load;

/// List the environments, without AWS
///
/// Their names, accounts and Regions, as the files have them. As JSON it is what a CI matrix takes, one job for each.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra environments
  sesinfra environments --format json | jq -c '{include: .}'   the matrix of a GitHub workflow";

pub(super) fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let root = run.root()?;
    let (mut lines, mut all, mut faulty) = (Vec::new(), Vec::new(), Vec::new());
    for name in run.chosen(&[], true)? {
        match load(&root, &name) {
            Ok(environment) => {
                let settings = &environment.settings;
                let (account, region) = (&settings.aws.account, &settings.aws.region);
                lines.push([name.to_string(), account.to_string(), region.to_string()]);
                all.push(json!({
                    "environment": name.to_string(),
                    "file": format!("environments/{name}.toml"),
                    "project": settings.project.to_string(),
                    "account": account.to_string(),
                    "region": region.to_string(),
                    "role": settings.aws.role.as_ref().map(ToString::to_string),
                    "protect": settings.protect,
                }));
            }
            Err(found) => {
                run.show_findings(&found);
                faulty.push(faults(&name, &found));
            }
        }
    }
    // A list from which one is missing would be a matrix in which nobody misses it.
    if !faulty.is_empty() {
        return Err(Failure::input(faulty.join("\n")));
    }
    match arguments.format {
        Format::Json => run.answer(&format!("{:#}\n", json!(all)))?,
        Format::Text => {
            let width = lines.iter().map(|line| line[0].len()).max().unwrap_or_default();
            let rows = lines.iter().map(|[name, account, region]| {
                format!("{name:<width$}  account {account}  {region}\n")
            });
            run.answer(&rows.collect::<String>())?;
        }
    }
    Ok(Exit::Done)
}
