//! Configuration sets, how they track links, and where their events go.
//!
//! Invariant: a set depends on nothing, so that an identity can be created with it; what needs a verified domain or a topic
//! is a node of its own that comes later.

use std::collections::BTreeSet;

use super::messaging::all_tags;
use super::{Draft, identity_address};
use crate::aws::Facts;
use crate::engine::{Address, Resource};
use crate::environment::Environment;
use crate::environment::names::{
    DomainName, EventBus, IdentityName, RoleReference, SetName, StreamReference, TimeSpan,
    TopicReference,
};
use crate::environment::types::{
    ConfigurationSet, DimensionSource, EventDestination as Declared, EventTarget, EventType,
    HttpsPolicy, Settings, SuppressionReason, SuppressionScope, TlsPolicy, Tracking,
    ValidationThreshold,
};
use crate::kinds::configuration_set::{Delivery, Spec, Suppression, TrackingSpec, Vdm};
use crate::kinds::event_destination::{
    Dimension, EventDestination, Spec as DestinationSpec, Target,
};

/// Adds them to `into`.
pub(super) fn events(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let settings = &environment.settings;
    for (name, set) in &settings.configuration_sets {
        let spec = set_spec(settings, set);
        let Some(resource) = into.resource(set_address(name), &spec) else { continue };
        let resource = into.protected(resource, set.protect);
        into.add(resource);
        if let Some(tracking) = &set.tracking {
            add_tracking(settings, name, tracking, into);
        }
        for (destination_name, destination) in &set.events {
            let full_name = EventDestination::name(name.as_str(), destination_name.as_str());
            let spec = destination_spec(facts, destination);
            let address = Address::new("event_destination", full_name);
            let Some(resource) = into.resource(address, &spec) else { continue };
            let token = EventDestination::token(destination_name.as_str());
            let resource = resource.under(set_address(name)).known_as(token);
            let resource = after_topic(resource, destination, into);
            into.add(resource);
        }
    }
}

fn set_address(name: &SetName) -> Address {
    Address::new("configuration_set", name.as_str())
}

fn set_spec(settings: &Settings, set: &ConfigurationSet) -> Spec {
    Spec {
        default_of: BTreeSet::new(),
        delivery: Delivery {
            tls: match set.tls {
                TlsPolicy::Optional => "optional".to_owned(),
                TlsPolicy::Require => "require".to_owned(),
            },
            pool: set.pool.as_ref().map(ToString::to_string),
            max_delivery_seconds: set.max_delivery.map(TimeSpan::seconds),
        },
        sending: set.sending,
        reputation_metrics: set.reputation_metrics,
        suppression: set.suppress.as_ref().map(|reasons| Suppression {
            reasons: reasons.iter().map(|reason| reason_word(*reason).to_owned()).collect(),
            scope: set.suppression_scope.map(|scope| scope_word(scope).to_owned()),
            validation: set
                .validation
                .map(|validation| threshold_word(validation.threshold).to_owned()),
        }),
        vdm: set
            .vdm
            .map(|vdm| Vdm {
                engagement: vdm.engagement,
                optimized_delivery: vdm.optimized_delivery,
            })
            // A table that says nothing is as good as none.
            .filter(|vdm| *vdm != Vdm::default()),
        archive: set.archive.as_ref().map(ToString::to_string),
        tags: all_tags(settings, &set.tags),
    }
}

const fn reason_word(reason: SuppressionReason) -> &'static str {
    match reason {
        SuppressionReason::Bounce => "bounce",
        SuppressionReason::Complaint => "complaint",
    }
}

const fn scope_word(scope: SuppressionScope) -> &'static str {
    match scope {
        SuppressionScope::Account => "account",
        SuppressionScope::Tenant => "tenant",
    }
}

const fn threshold_word(threshold: ValidationThreshold) -> &'static str {
    match threshold {
        ValidationThreshold::Off => "off",
        ValidationThreshold::Medium => "medium",
        ValidationThreshold::High => "high",
        ValidationThreshold::Managed => "managed",
    }
}

/// The most specific domain of this file that `domain` is, or is under.
pub(super) fn covering<'a>(
    settings: &'a Settings,
    domain: &DomainName,
) -> Option<&'a IdentityName> {
    let covers = |name: &&IdentityName| !name.is_address() && domain.is_within(name.domain());
    let domains = settings.identities.keys().filter(covers);
    domains.max_by_key(|name| name.domain().as_str().len())
}

fn add_tracking(settings: &Settings, set: &SetName, tracking: &Tracking, into: &mut Draft) {
    let covered_by = covering(settings, &tracking.domain);
    let spec = TrackingSpec {
        domain: tracking.domain.to_string(),
        https: match tracking.https {
            HttpsPolicy::Optional => "optional".to_owned(),
            HttpsPolicy::RequireOpenOnly => "require-open-only".to_owned(),
            HttpsPolicy::Require => "require".to_owned(),
        },
        covered_by: covered_by.map(ToString::to_string),
    };
    let address = Address::new("tracking", set.as_str());
    let Some(resource) = into.resource(address, &spec) else { return };
    let mut resource = resource.under(set_address(set));
    if let Some(identity) = covered_by {
        let reason = "SES tracks only through a verified domain";
        resource = resource.after(identity_address(identity), reason);
        let records = Address::new("dns", identity.to_string());
        if into.has(&records) {
            resource = resource.after(records, "the domain is verified by its records");
        }
    }
    let records = Address::new("dns", tracking.domain.as_str());
    if into.has(&records) {
        let reason = "a link through a domain that does not resolve is dead";
        resource = resource.after(records, reason);
    }
    into.add(resource);
}

fn destination_spec(facts: &Facts, destination: &Declared) -> DestinationSpec {
    let arns = &facts.arns;
    DestinationSpec {
        types: destination.types.iter().map(|it| event_word(*it).to_owned()).collect(),
        enabled: destination.enabled,
        target: match &destination.target {
            EventTarget::Topic(TopicReference::Named(name)) => {
                Target::Topic(arns.topic(name.as_str()))
            }
            EventTarget::Topic(TopicReference::Elsewhere(arn)) => Target::Topic(arn.to_string()),
            EventTarget::EventBus(EventBus::Default) => Target::EventBus(arns.event_bus("default")),
            EventTarget::EventBus(EventBus::Elsewhere(arn)) => Target::EventBus(arn.to_string()),
            EventTarget::Firehose(firehose) => Target::Firehose {
                stream: match &firehose.stream {
                    StreamReference::Named(name) => arns.stream(name.as_str()),
                    StreamReference::Elsewhere(arn) => arn.to_string(),
                },
                role: match &firehose.role {
                    RoleReference::Named(name) => arns.role(name.as_str()),
                    RoleReference::Elsewhere(arn) => arn.to_string(),
                },
            },
            EventTarget::Cloudwatch(dimensions) => Target::Cloudwatch(
                dimensions
                    .iter()
                    .map(|it| Dimension {
                        name: it.dimension.to_string(),
                        source: match it.source {
                            DimensionSource::MessageTag => "message-tag".to_owned(),
                            DimensionSource::EmailHeader => "email-header".to_owned(),
                            DimensionSource::LinkTag => "link-tag".to_owned(),
                        },
                        default: it.default.to_string(),
                    })
                    .collect::<BTreeSet<_>>(),
            ),
        },
    }
}

fn after_topic(resource: Resource, destination: &Declared, into: &Draft) -> Resource {
    let EventTarget::Topic(TopicReference::Named(name)) = &destination.target else {
        return resource;
    };
    let topic = Address::new("topic", name.as_str());
    let subscribers: Vec<&Address> = into.children_of(&topic).collect();
    let resource = resource.after(topic, "SES publishes a test message when a topic is attached");
    subscribers.into_iter().fold(resource, |resource, subscriber| {
        resource.after(subscriber.clone(), "an event that finds no subscriber is lost")
    })
}

const fn event_word(event: EventType) -> &'static str {
    match event {
        EventType::Send => "send",
        EventType::Reject => "reject",
        EventType::Bounce => "bounce",
        EventType::Complaint => "complaint",
        EventType::Delivery => "delivery",
        EventType::Open => "open",
        EventType::Click => "click",
        EventType::RenderingFailure => "rendering-failure",
        EventType::DeliveryDelay => "delivery-delay",
        EventType::Subscription => "subscription",
    }
}

#[cfg(test)]
mod tests;
