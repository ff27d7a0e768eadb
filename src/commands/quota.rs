//! `sesinfra quota`: how much may be sent, is sent, and will be.

use clap::Args;
use serde_json::json;

use super::Run;
use super::arguments::{Format, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::open::no_session;
use crate::aws::sign_in;
use crate::environment::load;
use crate::environment::names::FileName;
use crate::health::access::Access;
use crate::health::quota::{Report, Subject, Which, ask, report};
use crate::view::{asked_text, quota_text};

/// Show the sending quotas, their use and where it is heading, and ask for more
///
/// Granted and needed, used in the last 24 hours, the trend over 14 days, the day on which the daily quota would be used up,
/// and the requests that were made. What the environment needs is declared in `[account.quota]`. For a job that runs every
/// day: the exit code says whether somebody must look.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The environments: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment, required_unless_present = "all")]
    environments: Vec<FileName>,

    /// All environments
    #[arg(long, conflicts_with_all = ["environments", "request"])]
    all: bool,

    /// Ask Service Quotas for what the file needs, after asking
    #[arg(long)]
    request: bool,

    /// Ask also where an earlier request was refused
    #[arg(long, requires = "request")]
    again: bool,

    /// Do not ask before a request is sent
    #[arg(long, requires = "request")]
    yes: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra quota prod
  sesinfra quota --all --format json | jq '.[] | {environment, share, hits_on}'
  sesinfra quota prod --request --yes";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let chosen = run.chosen(&arguments.environments, arguments.all)?;
    let mut reports = Vec::new();
    let mut worst = Exit::Done;
    for name in &chosen {
        match run.quota(name, reports.is_empty(), arguments).await {
            Ok((report, exit)) => {
                worst = worst.max(exit);
                reports.push(report);
            }
            // One that cannot be looked at must not keep the others from being seen.
            Err(failure) if chosen.len() > 1 => {
                worst = worst.max(Exit::Attention);
                run.tell(name, &failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    if arguments.format == Format::Json {
        let answer = if arguments.all { json!(reports) } else { one_or_all(&reports) };
        run.answer(&format!("{answer:#}\n"))?;
    }
    Ok(worst)
}

fn one_or_all(reports: &[Report]) -> serde_json::Value {
    match reports {
        [one] => json!(one),
        all => json!(all),
    }
}

impl Run<'_> {
    async fn quota(
        &self,
        name: &FileName,
        is_first: bool,
        arguments: &Arguments,
    ) -> Result<(Report, Exit), Failure> {
        let environment = load(&self.root()?, name).map_err(|found| self.faulty(name, &found))?;
        self.show_findings(&environment.warnings);
        let session = sign_in(&environment, &self.host.watched_access()).await;
        let session = session.map_err(|error| no_session(error, name))?;
        let text = name.to_string();
        let subject = Subject {
            environment: &text,
            wanted: environment.settings.account.quota,
            program: &self.host.program,
            now: (self.host.now)(),
        };
        let report = report(&session, &subject).await.map_err(Failure::aws)?;
        if arguments.format == Format::Text {
            let gap = if is_first { "" } else { "\n" };
            self.answer(&format!("{gap}{}", quota_text(&report, self.output_style())))?;
        }
        if !arguments.request {
            let exit = report.level.into();
            return Ok((report, exit));
        }
        self.may_ask(&report, name)?;
        let again = format!("{} quota {name} --request", self.host.program);
        self.send_consent(
            arguments.yes,
            "Ask Service Quotas for what the file needs",
            &again,
            String::new,
        )
        .await?;
        let mut exit = Exit::Done;
        for which in [Which::Daily, Which::PerSecond] {
            let asked =
                ask(&session, &report, which, arguments.again).await.map_err(Failure::aws)?;
            if matches!(asked, crate::health::quota::Asked::RefusedBefore { .. }) {
                exit = Exit::Refused;
            }
            self.say(&asked_text(which, &asked, &self.host.program, &text));
        }
        Ok((report, exit))
    }

    /// More than the sandbox's quota comes with production access, and after a denial a request for it is one of the two ways
    /// on.
    fn may_ask(&self, report: &Report, name: &FileName) -> Result<(), Failure> {
        let program = &self.host.program;
        if report.daily.wanted.is_none() {
            return Err(Failure::input(format!(
                "the environment `{name}` does not say what it needs"
            ))
            .hinted("write `quota = { daily = 50000, per_second = 14 }` in `[account]`"));
        }
        match report.access {
            Access::Granted | Access::Denied => Ok(()),
            Access::Sandbox | Access::Failed => {
                Err(Failure::refused("nothing was sent: the account is in the SES sandbox").hinted(
                    format!("a larger quota comes with production access: {program} access {name}"),
                ))
            }
            Access::Pending => Err(Failure::refused(
                "nothing was sent: AWS is reviewing the request for production access",
            )
            .hinted(format!("a larger quota comes with it: {program} access {name} --watch"))),
        }
    }
}
