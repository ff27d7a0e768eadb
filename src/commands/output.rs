//! `sesinfra output`: what others need to know of an environment.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::Run;
use super::arguments::{Format, environment};
use super::exit::Exit;
use super::failure::Failure;
use super::open::Opened;
use super::records::all_records;
use crate::aws::PrivateKeys;
use crate::engine::{LiveValue, World};
use crate::environment::names::FileName;
use crate::view::{Outputs, outputs_text};

/// Print what others need to know: records, ARNs, set names, the SMTP endpoint
///
/// What exists, as AWS has it. No secret is among it: SMTP passwords and keys are never read.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// How the outputs are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra output staging
  sesinfra output prod --format json | jq -r .smtp_endpoint
  sesinfra output prod --format json | jq -r '.resources.topic[\"ses-feedback\"].arn'";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let opened = run.open(&arguments.environment, PrivateKeys::Read).await?;
    let world = World::read(&opened.blueprint.graph, &opened.registry).await;
    let world = world.map_err(Failure::aws)?;
    let mut outputs = outputs(&opened, &world);
    crate::lookup::judge(&mut outputs.dns_records, run.host.lookup.as_ref()).await;
    run.answer(&match arguments.format {
        Format::Text => outputs_text(&outputs, run.output_style()),
        Format::Json => serde_json::to_string_pretty(&outputs).map_err(Failure::internal)? + "\n",
    })?;
    Ok(Exit::Done)
}

fn outputs(opened: &Opened, world: &World) -> Outputs {
    let aws = &opened.environment.settings.aws;
    let mut resources: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for live in world.ours() {
        let computed = computed(opened, live);
        if computed.as_object().is_some_and(|members| !members.is_empty()) {
            let kind = resources.entry(live.address.kind().to_owned()).or_default();
            kind.insert(live.address.name().to_owned(), computed);
        }
    }
    let sets = world.ours().filter(|live| live.address.kind() == "configuration_set");
    Outputs {
        environment: opened.environment.name.to_string(),
        account: aws.account.to_string(),
        region: aws.region.to_string(),
        smtp_endpoint: format!("email-smtp.{}.amazonaws.com", aws.region),
        configuration_sets: sets.map(|live| live.address.name().to_owned()).collect(),
        resources,
        dns_records: all_records(opened, world.ours()),
    }
}

/// What AWS computed of a resource, and its ARN.
fn computed(opened: &Opened, live: &LiveValue) -> Value {
    let arns = &opened.session.arns;
    let name = live.address.name();
    let arn = match live.address.kind() {
        "identity" => Some(arns.identity(name)),
        "configuration_set" => Some(arns.configuration_set(name)),
        "topic" => Some(arns.topic(name)),
        "queue" => Some(arns.queue(name)),
        _ => None,
    };
    let mut computed = match &live.outputs {
        Value::Object(members) => members.clone(),
        _ => serde_json::Map::new(),
    };
    computed.retain(|_, value| !value.is_null());
    if let Some(arn) = arn {
        computed.insert("arn".to_owned(), json!(arn));
    }
    Value::Object(computed)
}
