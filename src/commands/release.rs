//! `sesinfra release`: something stays in AWS as it is, and is no longer sesinfra's.

use std::time::Duration;

use clap::Args;

use super::Run;
use super::arguments::{CarryingOut, Format, address, duration, environment};
use super::carry_out::Assignment;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::open::Opened;
use crate::engine::{Action, Address, PlannedChange, Refresh};
use crate::environment::names::FileName;
use crate::view::{Document, Flags, Purpose};

/// Stop managing something, and keep it
///
/// Takes off what says that it is this environment's: the tags, the name in its parent's tags, the claim beside DNS records.
/// Nothing else changes, so mail flows on. What is released with a domain, set, topic, queue or send policy is all that is
/// under it. Afterwards take it out of the environment file too, or `plan` asks to adopt it again: `release` says where it
/// stands there. Doing it again changes nothing.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// What to let go of
    #[arg(value_name = "ADDRESS", required = true, value_parser = address)]
    addresses: Vec<Address>,

    /// Do not ask before anything is changed
    #[arg(long)]
    yes: bool,

    /// How long to wait for another run that works on this environment
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    lock_timeout: Duration,

    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra release prod topic.ses-feedback        with all its subscriptions
  sesinfra release prod subscription.ses-feedback/email:ops@pivot.app
  sesinfra release staging dns.staging.pivot.app  the records stay, nobody claims them
  sesinfra list prod                              what there is to name";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let release = arguments.addresses.iter().cloned().collect();
    let options = CarryingOut {
        yes: arguments.yes,
        parallelism: 1,
        wait: None,
        lock_timeout: arguments.lock_timeout,
        refresh: Refresh::Full,
        format: arguments.format,
    };
    let assignment = Assignment {
        name: &arguments.environment,
        purpose: Purpose::Release,
        flags: &Flags { release, ..Flags::default() },
        options: &options,
        saved: None,
    };
    run.carry_out(&assignment).await
}

impl Run<'_> {
    /// Says where the file still declares what was let go of.
    pub(super) fn keep_file_in_step(&self, opened: &Opened, document: &Document) {
        let graph = &opened.blueprint.graph;
        let is_under_another = |change: &PlannedChange| {
            change.parent.as_ref().is_some_and(|parent| document.plan.change(parent).is_some())
        };
        let released = document.plan.changes.iter().filter(|it| it.action == Action::Forget);
        let declared = released
            .filter(|change| graph.get(&change.address).is_some() && !is_under_another(change));
        let lines: Vec<String> = declared
            .map(|change| format!("  {}: {}\n", change.address, place(opened, change)))
            .collect();
        if lines.is_empty() {
            return;
        }
        let name = &opened.environment.name;
        self.say(&format!(
            "\nenvironments/{name}.toml still declares it, so `plan` asks to adopt it again. To keep the file in step:\n{}",
            lines.concat()
        ));
    }
}

/// What to do in the file so that it no longer declares `change`.
fn place(opened: &Opened, change: &PlannedChange) -> String {
    let address = &change.address;
    let name = address.name();
    let (parent, rest) = name.split_once('/').unwrap_or((name, ""));
    let policy = |name: &str| {
        let owner = &opened.session.owner;
        let prefix = format!("{}-{}-", owner.project(), owner.environment());
        name.strip_prefix(&prefix).unwrap_or(name).to_owned()
    };
    let arns = &opened.session.arns;
    let by_arn = |arn: String| format!("; where others in the file name it, give its ARN: {arn}");
    match address.kind() {
        "identity" => format!("take out [identities.\"{name}\"]"),
        "configuration_set" => format!("take out [configuration_sets.{name}]"),
        "topic" => format!("take out [topics.{name}]{}", by_arn(arns.topic(name))),
        "queue" => format!("take out [queues.{name}]{}", by_arn(arns.queue(name))),
        "send_policy" => format!("take out [send_policies.{}]", policy(name)),
        "event_destination" => format!("take out [configuration_sets.{parent}.events.{rest}]"),
        "subscription" => {
            let endpoint = rest.split_once(':').map_or(rest, |(_, endpoint)| endpoint);
            format!("take the entry for {endpoint} out of `subscriptions` in [topics.{parent}]")
        }
        "attachment" => {
            let principal = rest.split_once('/').map_or(rest, |(_, principal)| principal);
            format!("take {principal} out of `attach` in [send_policies.{}]", policy(parent))
        }
        "identity_policy" => {
            let (identity, policy) = name.rsplit_once('/').unwrap_or((name, ""));
            format!("take out [identities.\"{identity}\".policies.{policy}]")
        }
        "dns" => {
            let of = change.parent.as_ref();
            match of.map(|parent| (parent.kind(), parent.name())) {
                Some(("configuration_set", set)) => {
                    format!("set dns = \"manual\" in [configuration_sets.{set}.tracking]")
                }
                Some((_, identity)) => {
                    format!("set dns = \"manual\" in [identities.\"{identity}\"]")
                }
                None => "set dns = \"manual\"".to_owned(),
            }
        }
        other => format!("take the {} {name} out of it", other.replace('_', " ")),
    }
}
