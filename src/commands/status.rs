//! `sesinfra status`: whether mail works, on one screen.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::Run;
use super::arguments::{Format, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::{Failure, FailureKind};
use super::open::Opened;
use super::records::all_records;
use crate::aws::{Class, PrivateKeys};
use crate::engine::World;
use crate::environment::names::FileName;
use crate::health::metrics::{Count, daily};
use crate::health::sight::{Sight, see};
use crate::health::status::{Counts, Status, judge};
use crate::lookup::judge as look_up;
use crate::view::status_text;

/// Show whether mail works, and what to do where it does not
///
/// The account, the quota, bounces and complaints against AWS's thresholds, every domain with its DNS records, every set,
/// topic, subscriber, queue and alarm, and what to do about what is wrong. Reads only.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The environments: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment, required_unless_present = "all")]
    environments: Vec<FileName>,

    /// All environments
    #[arg(long, conflicts_with = "environments")]
    all: bool,

    /// Show it again every minute; Ctrl-C ends that
    #[arg(long)]
    watch: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra status prod
  sesinfra status --all
  sesinfra status prod --watch
  sesinfra status prod --format json | jq '.problems[]'";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let chosen = run.chosen(&arguments.environments, arguments.all)?;
    let exit = Box::pin(run.statuses(&chosen, arguments)).await?;
    if !arguments.watch {
        return Ok(exit);
    }
    while !run.host.screen().is_closed() {
        tokio::time::sleep(run.host.screen_every).await;
        if arguments.format == Format::Text {
            run.answer("\n")?;
        }
        match Box::pin(run.statuses(&chosen, arguments)).await {
            Ok(_) => {}
            // What watches mail must not end with one call that failed: it says so, and looks again.
            Err(failure) if failure.kind == FailureKind::Aws => run.tell(&chosen[0], &failure),
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

impl Run<'_> {
    async fn statuses(&self, chosen: &[FileName], arguments: &Arguments) -> Result<Exit, Failure> {
        let mut worst = Exit::Done;
        let mut all = Vec::new();
        for (index, name) in chosen.iter().enumerate() {
            match Box::pin(self.status(name)).await {
                Ok(status) => {
                    worst = worst.max(status.level.into());
                    if arguments.format == Format::Text {
                        let gap = if index > 0 { "\n" } else { "" };
                        self.answer(&format!(
                            "{gap}{}",
                            status_text(&status, self.output_style())
                        ))?;
                    }
                    all.push(status);
                }
                Err(failure) if chosen.len() > 1 => {
                    // What cannot be seen may well not work.
                    worst = worst.max(Exit::Attention);
                    self.tell(name, &failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        if arguments.format == Format::Json {
            let answer = match &all[..] {
                [one] if !arguments.all => json!(one),
                all => json!(all),
            };
            self.answer(&format!("{answer:#}\n"))?;
        }
        Ok(worst)
    }

    async fn status(&self, name: &FileName) -> Result<Status, Failure> {
        let opened = self.open(name, PrivateKeys::Read).await?;
        let sight = self.sight(&opened).await?;
        let counts = [Count::Sends, Count::BounceRate, Count::ComplaintRate];
        let metrics = match daily(&opened.session, (self.host.now)(), &counts).await {
            Ok(metrics) => Some(metrics),
            // The rest is worth seeing without them.
            Err(error) if error.is(Class::Denied) => None,
            Err(error) => return Err(Failure::aws(error)),
        };
        let messages = messages(&opened, &sight).await?;
        let counts = Counts { metrics, messages };
        Ok(judge(&opened.environment, &sight, &counts, &self.host.program))
    }

    /// Reads everything that `access` and `status` judge.
    pub(super) async fn sight(&self, opened: &Opened) -> Result<Sight, Failure> {
        let world = World::read(&opened.blueprint.graph, &opened.registry).await;
        let world = world.map_err(Failure::aws)?;
        let lookup = self.host.lookup.as_ref();
        let mut records = all_records(opened, world.ours());
        look_up(&mut records, lookup).await;
        let settings = &opened.environment.settings;
        see(&opened.session, settings, lookup, world, records).await.map_err(Failure::aws)
    }
}

/// How many messages are in each queue, waiting and being read.
async fn messages(
    opened: &Opened,
    sight: &Sight,
) -> Result<BTreeMap<String, Option<u64>>, Failure> {
    let mut counts = BTreeMap::new();
    for live in sight.ours("queue") {
        let name = live.address.name();
        let Some(url) = live.outputs.get("url").and_then(serde_json::Value::as_str) else {
            continue;
        };
        let attributes = opened.session.queue_attributes(name, url).await.map_err(Failure::aws)?;
        let count = |attribute| attributes.as_ref()?.get(attribute)?.parse::<u64>().ok();
        let unread = count("ApproximateNumberOfMessages");
        let read = count("ApproximateNumberOfMessagesNotVisible");
        counts.insert(name.to_owned(), unread.map(|unread| unread + read.unwrap_or(0)));
    }
    Ok(counts)
}
