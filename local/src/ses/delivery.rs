//! Bringing events to the destinations of a set. What cannot be delivered is lost, as at AWS: a topic whose policy was taken
//! away gets nothing more.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call::Call;
use super::destinations::{Destination, Dimension, EventType, Target, ValueSource, on_behalf};
use super::events;
use super::ledger::Sent;
use super::message::Message;
use super::outcomes::Bounce;
use super::ports::{BusEvent, Datum, Dependencies};
use super::state::Place;

/// Something that happened to a message.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Send,
    Reject,
    RenderingFailure { template: String, error: String },
    Delivery { recipients: Vec<String> },
    Bounce { why: Bounce, recipients: Vec<String> },
    Complaint { recipients: Vec<String> },
}

impl Happening {
    /// The event type that destinations ask for.
    pub(super) fn kind(&self) -> EventType {
        match self {
            Self::Send => EventType::Send,
            Self::Reject => EventType::Reject,
            Self::RenderingFailure { .. } => EventType::RenderingFailure,
            Self::Delivery { .. } => EventType::Delivery,
            Self::Bounce { .. } => EventType::Bounce,
            Self::Complaint { .. } => EventType::Complaint,
        }
    }

    /// The recipients it is about.
    pub(super) fn recipients(&self) -> &[String] {
        match self {
            Self::Send | Self::Reject | Self::RenderingFailure { .. } => &[],
            Self::Delivery { recipients }
            | Self::Bounce { recipients, .. }
            | Self::Complaint { recipients } => recipients,
        }
    }
}

/// Something to be brought somewhere, once the state is unlocked.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    Topic { arn: String, set: String, event: Value },
    Bus { kind: EventType, identity: String, event: Value },
    Stream { arn: String, event: Value },
    Metric(Datum),
}

/// Notes what the happenings of a message mean for the account's metrics and for the destinations of its set.
pub(super) fn prepare(
    call: &mut Call<'_>,
    message: &Message,
    sent: &Sent,
    happenings: &[Happening],
) {
    let place = call.place.clone();
    let name = sent.configuration_set.clone().unwrap_or_default();
    let destinations: Vec<Destination> = match call.here().sets.get(&name) {
        Some(found) => found.destinations.values().filter(|one| one.enabled).cloned().collect(),
        None => Vec::new(),
    };
    for happening in happenings {
        let kind = happening.kind();
        let plain = Datum {
            metric: events::metric(kind),
            value: 1.0,
            dimensions: BTreeMap::new(),
            at: sent.at,
        };
        call.deliveries.push(Delivery::Metric(plain));
        let event = events::event(&place, message, sent, happening);
        for destination in destinations.iter().filter(|one| one.types.contains(&kind)) {
            let delivery = match &destination.target {
                Target::Topic(arn) => {
                    Delivery::Topic { arn: arn.clone(), set: name.clone(), event: event.clone() }
                }
                Target::EventBridge(_) => {
                    let identity = place.arn(&format!("identity/{}", sent.identity));
                    Delivery::Bus { kind, identity, event: event.clone() }
                }
                Target::Firehose { stream, .. } => {
                    Delivery::Stream { arn: stream.clone(), event: event.clone() }
                }
                Target::CloudWatch(dimensions) => Delivery::Metric(Datum {
                    metric: events::metric(kind),
                    value: 1.0,
                    dimensions: values(dimensions, message, sent),
                    at: sent.at,
                }),
                Target::Pinpoint(_) => continue,
            };
            call.deliveries.push(delivery);
        }
    }
}

fn values(dimensions: &[Dimension], message: &Message, sent: &Sent) -> BTreeMap<String, String> {
    let value = |dimension: &Dimension| match dimension.source {
        ValueSource::MessageTag => {
            sent.tags.get(&dimension.name).and_then(|values| values.first().cloned())
        }
        ValueSource::EmailHeader => message.header(&dimension.name),
        ValueSource::LinkTag => None,
    };
    let pairs = dimensions.iter().map(|dimension| {
        let value = value(dimension).unwrap_or_else(|| dimension.default.clone());
        (dimension.name.clone(), value)
    });
    pairs.collect()
}

/// Delivers what was noted.
pub(super) fn deliver(place: &Place, with: &Dependencies, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        match delivery {
            Delivery::Topic { arn, set, event } => {
                let subject = "Amazon SES Email Event Notification";
                let published =
                    with.topics.publish(&arn, &on_behalf(place, &set), subject, &event.to_string());
                if let Err(refused) = published {
                    tracing::warn!(topic = %arn, %refused, "an SES event was lost");
                }
            }
            Delivery::Bus { kind, identity, event } => {
                let event = BusEvent {
                    detail_type: events::detail_type(kind),
                    detail: event,
                    resources: vec![identity],
                };
                with.sinks.event_bridge(&place.account, &place.region, &event);
            }
            Delivery::Stream { arn, event } => with.sinks.firehose(&arn, &format!("{event}\n")),
            Delivery::Metric(datum) => with.sinks.metric(&place.account, &place.region, &datum),
        }
    }
}
