//! Event destinations of configuration sets: what is told, and to whom. An Update replaces the whole definition.

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, put};
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::input::{Choice, Input, choices, simple_name};
use super::options::texts;
use super::ports::OnBehalf;
use super::sets::found;
use super::state::Arn;

choices! {
    /// What can happen to a message.
    EventType {
        Send = "SEND",
        Reject = "REJECT",
        Bounce = "BOUNCE",
        Complaint = "COMPLAINT",
        Delivery = "DELIVERY",
        Open = "OPEN",
        Click = "CLICK",
        RenderingFailure = "RENDERING_FAILURE",
        DeliveryDelay = "DELIVERY_DELAY",
        Subscription = "SUBSCRIPTION",
    }
}
choices! {
    /// Where the value of a metric's dimension comes from.
    ValueSource { EmailHeader = "EMAIL_HEADER", LinkTag = "LINK_TAG", MessageTag = "MESSAGE_TAG" }
}

const MOST: usize = 10;
const MOST_DIMENSIONS: usize = 10;

/// Headers that cannot be a dimension.
const NO_DIMENSIONS: &[&str] =
    &["received", "to", "from", "dkim-signature", "cc", "message-id", "return-path"];

/// One destination of a set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Destination {
    pub(super) enabled: bool,
    /// In the order in which the service shows them, which is not the one they came in.
    pub(super) types: Vec<EventType>,
    pub(super) target: Target,
}

/// Where events go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Target {
    Topic(String),
    Firehose { role: String, stream: String },
    CloudWatch(Vec<Dimension>),
    EventBridge(String),
    Pinpoint(Option<String>),
}

/// A dimension of the metrics of a destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) source: ValueSource,
    pub(super) default: String,
}

impl Destination {
    fn shown(&self, name: &str) -> Value {
        let mut shown = json!({
            "Name": name,
            "Enabled": self.enabled,
            "MatchingEventTypes": texts(&self.types),
        });
        let (member, target) = match &self.target {
            Target::Topic(arn) => ("SnsDestination", json!({ "TopicArn": arn })),
            Target::Firehose { role, stream } => (
                "KinesisFirehoseDestination",
                json!({ "IamRoleArn": role, "DeliveryStreamArn": stream }),
            ),
            Target::CloudWatch(dimensions) => (
                "CloudWatchDestination",
                json!({ "DimensionConfigurations": dimensions.iter().map(Dimension::shown).collect::<Vec<_>>() }),
            ),
            Target::EventBridge(arn) => ("EventBridgeDestination", json!({ "EventBusArn": arn })),
            Target::Pinpoint(arn) => ("PinpointDestination", json!({ "ApplicationArn": arn })),
        };
        put(&mut shown, member, Some(target));
        shown
    }
}

impl Dimension {
    fn shown(&self) -> Value {
        json!({
            "DimensionName": self.name,
            "DimensionValueSource": self.source.text(),
            "DefaultDimensionValue": self.default,
        })
    }
}

/// `CreateConfigurationSetEventDestination`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("EventDestinationName")?;
    let definition = input.required_object("EventDestination")?;
    simple_name("event destination name", name)?;
    let set = found(call)?;
    if set.destinations.contains_key(name) {
        return Err(already_exists(format!("Event destination <{name}> already exists.")));
    }
    if set.destinations.len() >= MOST {
        return Err(limit_exceeded(format!(
            "A configuration set may have {MOST} event destinations."
        )));
    }
    let destination = checked(call, &definition)?;
    found(call)?.destinations.insert(name.to_owned(), destination);
    Ok(json!({}))
}

/// `UpdateConfigurationSetEventDestination`.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let definition = call.input()?.required_object("EventDestination")?;
    let name = call.label(1);
    if !found(call)?.destinations.contains_key(name) {
        return Err(missing(name));
    }
    let destination = checked(call, &definition)?;
    found(call)?.destinations.insert(name.to_owned(), destination);
    Ok(json!({}))
}

/// `DeleteConfigurationSetEventDestination`.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.label(1);
    found(call)?.destinations.remove(name).ok_or_else(|| missing(name))?;
    Ok(json!({}))
}

/// `GetConfigurationSetEventDestinations`: all of the set, on one page.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let destinations = &found(call)?.destinations;
    let shown: Vec<Value> =
        destinations.iter().map(|(name, destination)| destination.shown(name)).collect();
    Ok(json!({ "EventDestinations": shown }))
}

fn missing(name: &str) -> AwsServiceError {
    not_found(format!("Event destination <{name}> does not exist."))
}

/// A definition that the service takes: its shape first, then whether its target can be used now.
fn checked(call: &mut Call<'_>, input: &Input<'_>) -> Result<Destination, AwsServiceError> {
    let enabled = input.flag("Enabled")?.unwrap_or(false);
    let mut types = input.choices::<EventType>("MatchingEventTypes")?.unwrap_or_default();
    types.sort_unstable();
    types.dedup();
    let mut targets = Vec::new();
    if let Some(block) = input.object("KinesisFirehoseDestination")? {
        targets.push(Target::Firehose {
            role: block.required_text("IamRoleArn")?.to_owned(),
            stream: block.required_text("DeliveryStreamArn")?.to_owned(),
        });
    }
    if let Some(block) = input.object("CloudWatchDestination")? {
        targets.push(Target::CloudWatch(dimensions(&block)?));
    }
    if let Some(block) = input.object("SnsDestination")? {
        targets.push(Target::Topic(block.required_text("TopicArn")?.to_owned()));
    }
    if let Some(block) = input.object("EventBridgeDestination")? {
        targets.push(Target::EventBridge(block.required_text("EventBusArn")?.to_owned()));
    }
    if let Some(block) = input.object("PinpointDestination")? {
        targets.push(Target::Pinpoint(block.text("ApplicationArn")?.map(str::to_owned)));
    }
    if types.is_empty() {
        return Err(bad_request("At least one event type must be specified."));
    }
    let (Some(target), None) = (targets.pop(), targets.pop()) else {
        return Err(bad_request("Exactly one destination type must be specified."));
    };
    check_target(call, &target, &types)?;
    Ok(Destination { enabled, types, target })
}

fn dimensions(input: &Input<'_>) -> Result<Vec<Dimension>, AwsServiceError> {
    let blocks = input.required_objects("DimensionConfigurations")?;
    if blocks.is_empty() || blocks.len() > MOST_DIMENSIONS {
        return Err(bad_request(format!(
            "Between 1 and {MOST_DIMENSIONS} dimensions must be specified."
        )));
    }
    let mut dimensions: Vec<Dimension> = Vec::with_capacity(blocks.len());
    for block in blocks {
        let name = block.required_bounded("DimensionName", 1, 255)?;
        let source: ValueSource = block.required_choice("DimensionValueSource")?;
        let default = block.required_bounded("DefaultDimensionValue", 1, 255)?;
        let word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        // The tags that SES adds itself, such as ses:configuration-set, may be named too.
        let auto_tag = source == ValueSource::MessageTag;
        let plain = name.strip_prefix("ses:").filter(|_| auto_tag).unwrap_or(name);
        if !plain.chars().all(word) {
            return Err(bad_request(format!("The dimension name <{name}> is invalid.")));
        }
        if !default.chars().all(|letter| word(letter) || matches!(letter, '@' | '.')) {
            return Err(bad_request(format!(
                "The default dimension value <{default}> is invalid."
            )));
        }
        let forbidden = NO_DIMENSIONS.contains(&name.to_ascii_lowercase().as_str());
        if source == ValueSource::EmailHeader && forbidden {
            return Err(bad_request(format!("The header <{name}> cannot be a dimension.")));
        }
        if dimensions.iter().any(|dimension| dimension.name == name) {
            return Err(bad_request(format!("The dimension <{name}> is given more than once.")));
        }
        dimensions.push(Dimension { name: name.to_owned(), source, default: default.to_owned() });
    }
    Ok(dimensions)
}

fn check_target(
    call: &mut Call<'_>,
    target: &Target,
    types: &[EventType],
) -> Result<(), AwsServiceError> {
    match target {
        Target::CloudWatch(_) => Ok(()),
        Target::Topic(arn) => check_topic(call, arn),
        Target::Firehose { role, stream } => {
            let here = Arn::parse(stream)
                .is_some_and(|arn| arn.service == "firehose" && arn.region == call.place.region);
            let usable = call.with.sinks.firehose_usable(stream, role);
            if !here {
                return Err(bad_request(format!(
                    "Invalid Firehose delivery stream ARN <{stream}>."
                )));
            }
            usable.map_err(|_| {
                bad_request(format!(
                    "Could not access Kinesis Firehose Stream <{stream}> through role <{role}>."
                ))
            })
        }
        Target::EventBridge(arn) => {
            if *arn == call.place.arn_of("events", "event-bus/default") {
                return Ok(());
            }
            Err(bad_request(format!(
                "Only the default event bus of this account and Region can be a destination, not <{arn}>."
            )))
        }
        Target::Pinpoint(_) => {
            let unknown = [EventType::DeliveryDelay, EventType::Subscription];
            if types.iter().any(|kind| unknown.contains(kind)) {
                return Err(bad_request(
                    "Pinpoint destinations take no DELIVERY_DELAY and no SUBSCRIPTION events.",
                ));
            }
            Ok(())
        }
    }
}

/// The text that every new or updated destination sends to its topic.
const PROBE: &str = "Successfully validated SNS topic for Amazon SES event publishing.";

/// SES tries the topic: what keeps it from publishing now keeps the destination from being made.
fn check_topic(call: &mut Call<'_>, arn: &str) -> Result<(), AwsServiceError> {
    let parsed = Arn::parse(arn).filter(|parsed| parsed.service == "sns");
    let Some(parsed) = parsed else {
        return Err(bad_request(format!("Invalid SNS topic <{arn}>.")));
    };
    let refused = || bad_request(format!("Could not publish message to SNS topic <{arn}>."));
    if parsed.region != call.place.region
        || parsed.resource.rsplit_once('.').is_some_and(|(_, end)| end == "fifo")
    {
        return Err(refused());
    }
    let set = call.label(0);
    let caller = on_behalf(&call.place, set);
    let published =
        call.with.topics.publish(arn, &caller, "Amazon SES Email Event Notification", PROBE);
    published.map_err(|_| refused())
}

/// SES acting for a configuration set.
pub(super) fn on_behalf(place: &super::state::Place, set: &str) -> OnBehalf {
    OnBehalf {
        source_arn: place.arn(&format!("configuration-set/{set}")),
        source_account: place.account.clone(),
    }
}
