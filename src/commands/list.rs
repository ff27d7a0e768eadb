//! `sesinfra list`: what an environment owns.

use clap::Args;

use super::Run;
use super::arguments::{Format, environment};
use super::exit::Exit;
use super::failure::Failure;
use crate::aws::PrivateKeys;
use crate::engine::{Life, LiveValue, World};
use crate::environment::names::FileName;
use crate::view::{Owned, owned_text};

/// List what an environment owns
///
/// Everything in AWS that carries the environment's marks, declared in its file or not, one address a line.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// How the list is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra list staging
  sesinfra list prod --format json | jq -r '.[] | select(.declared | not).address'";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let opened = run.open(&arguments.environment, PrivateKeys::Untouched).await?;
    let graph = &opened.blueprint.graph;
    let world = World::read(graph, &opened.registry).await.map_err(Failure::aws)?;
    // Settings of the account are nobody's.
    let is_setting = |live: &&LiveValue| {
        opened.registry.get(live.address.kind()).is_some_and(|kind| kind.life() == Life::Setting)
    };
    let owned = world.ours().filter(|live| !is_setting(live)).map(|live| Owned {
        address: live.address.clone(),
        parent: live.parent.clone(),
        declared: graph.get(&live.address).is_some(),
        notes: live.notes.clone(),
    });
    let owned: Vec<Owned> = owned.collect();
    run.answer(&match arguments.format {
        Format::Text => owned_text(&owned),
        Format::Json => serde_json::to_string_pretty(&owned).map_err(Failure::internal)? + "\n",
    })?;
    Ok(Exit::Done)
}
