//! Arguments that several commands have, and how their texts are read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::engine::{Address, InvalidAddress, Refresh};
use crate::environment::names::{FileName, TimeSpan, ZoneId};
use crate::view::Flags;

/// Which resources a plan is about.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Selection {
    /// Plan only this resource and what it depends on (repeatable)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) target: Vec<Address>,

    /// Delete this resource and make it anew (repeatable)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) replace: Vec<Address>,

    /// Allow this change to stop mail, or to be irreversible, where that is refused (repeatable)
    ///
    /// An environment or resource with `protect = true` refuses such changes. Deleting something under which others
    /// made something is refused everywhere.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) allow: Vec<Address>,

    /// Let go of a hosted zone that is out of reach for good (repeatable)
    ///
    /// Tags of an identity name every zone with records for it, so that records are found again when the zone changes. A
    /// zone that was given away, or whose account is gone, can be neither read nor cleared: with this it counts as gone.
    /// What was published there stays.
    #[arg(long, value_name = "ID", value_parser = zone)]
    pub(super) abandon_zone: Vec<ZoneId>,
}

/// What that is nobody's a plan may take over.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Adoption {
    /// Take this over if it exists and nobody's marks are on it (repeatable)
    ///
    /// The plan shows what exists already as `will be imported`, with what would change. It stays refused until it is
    /// named: what sesinfra did not make is not its own by chance. Adopting a topic or a domain adopts its settings, but
    /// none of the subscriptions, policies or destinations under it: each of those is named too. What carries the marks of
    /// another environment is never taken over. DNS records of this environment's beside which others put what cannot stand
    /// there are put back as the file says.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) adopt: Vec<Address>,

    /// Take over everything that is declared, exists, and carries nobody's marks
    #[arg(long)]
    pub(super) adopt_all: bool,
}

impl Selection {
    /// What was asked for.
    pub(super) fn flags(&self, adoption: &Adoption) -> Flags {
        Flags {
            targets: self.target.iter().cloned().collect(),
            replace: self.replace.iter().cloned().collect(),
            adopt: adoption.adopt.iter().cloned().collect(),
            adopt_all: adoption.adopt_all,
            allow: self.allow.iter().cloned().collect(),
            abandon_zones: self.abandon_zone.iter().map(ToString::to_string).collect(),
            ..Flags::default()
        }
    }
}

/// What `apply` is to carry out.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// An environment, as its file says.
    Environment(FileName),
    /// A plan that was saved.
    Plan(PathBuf),
}

/// Reads what to carry out: what cannot be the name of an environment and looks like a path is a plan.
pub(super) fn subject(text: &str) -> Result<Subject, String> {
    let is_path = text.contains(['/', '\\', '.']);
    match environment(text) {
        Ok(name) if Path::new(text).extension().is_none_or(|it| it != "json") => {
            Ok(Subject::Environment(name))
        }
        Err(error) if !is_path => Err(error),
        _ => Ok(Subject::Plan(PathBuf::from(text))),
    }
}

/// How a plan is carried out.
#[derive(Args, Clone, Debug)]
pub(super) struct CarryingOut {
    /// Do not ask before anything is changed
    #[arg(long)]
    pub(super) yes: bool,

    /// How many steps may be under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallelism: u16,

    /// Wait until every identity is verified, at most this long [without a duration: 10m]
    ///
    /// Without --wait, only steps that cannot be done before a verification are waited for, at most ten minutes.
    /// With it, the run ends when all identities are verified, and says of each DNS record whether it is there.
    /// `--wait=0s` waits for nothing.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m", value_parser = duration)]
    pub(super) wait: Option<Duration>,

    /// How long to wait for another run that works on this environment
    ///
    /// A run that died leaves its lock behind; it is taken over once it has given no sign for 90 seconds.
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(super) lock_timeout: Duration,

    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// Whoever plans with --refresh=tags may try it here too: what it misses must not be missed by what changes something
    #[arg(long, value_name = "HOW", default_value = "full", value_parser = full_refresh, hide = true)]
    pub(super) refresh: Refresh,
}

/// How much of AWS a plan looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Refreshing {
    /// Every setting
    Full,
    /// Tags and lists: what is missing, another's, no longer declared, or declared otherwise than it was last applied
    Tags,
}

impl From<Refreshing> for Refresh {
    fn from(refreshing: Refreshing) -> Self {
        match refreshing {
            Refreshing::Full => Self::Full,
            Refreshing::Tags => Self::Tags,
        }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, and for tools that read Terraform's output
    Text,
    /// For programs
    Json,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people, and for tools that read Terraform's output
    Text,
    /// For programs: the shape of Terraform's JSON plans
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Reads how much is looked at by what changes something: that is everything.
fn full_refresh(text: &str) -> Result<Refresh, String> {
    match text {
        "full" => Ok(Refresh::Full),
        "tags" => {
            Err("what changes something reads everything first; by tags, only `plan` can look"
                .to_owned())
        }
        _ => Err("the only way is `full`".to_owned()),
    }
}

/// What of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Only {
    /// What is changed: nothing of what stays as it is, of what others made and that is left alone, or of DNS records that
    /// others publish and that are there
    Changes,
}

/// Reads the id of a hosted zone.
fn zone(text: &str) -> Result<ZoneId, String> {
    ZoneId::parse(text).map_err(|error| format!("it {}: {}", error.reason, error.remedy))
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<Address, InvalidAddress> {
    text.parse()
}

/// Reads the name of an environment, also where its file was given.
pub(super) fn environment(text: &str) -> Result<FileName, String> {
    let name = text.strip_suffix(".toml").unwrap_or(text);
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = name.strip_prefix("environments/").unwrap_or(name);
    FileName::parse(name).map_err(|error| format!("it {}: {}", error.reason, error.remedy))
}

/// Reads a length of time.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span =
        TimeSpan::parse(text).map_err(|error| format!("it {}: {}", error.reason, error.remedy))?;
    Ok(Duration::from_secs(u64::from(span.seconds())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_may_be_given_by_its_file() {
        for text in
            ["staging", "environments/staging.toml", "./environments/staging.toml", "staging.toml"]
        {
            assert_eq!(environment(text).unwrap().to_string(), "staging", "{text}");
        }
        assert!(environment("../staging").is_err());
    }

    #[test]
    fn a_plan_is_told_from_an_environment_by_its_name() {
        for text in ["plans/prod.json", "prod.json", "/tmp/plan", "plan.out", "../staging"] {
            assert!(matches!(subject(text), Ok(Subject::Plan(_))), "{text}");
        }
        for text in ["prod", "environments/prod.toml", "prod.toml"] {
            assert!(matches!(subject(text), Ok(Subject::Environment(_))), "{text}");
        }
        assert!(subject("Not A Name").is_err());
    }
}
