//! The kinds of resources that make up e-mail on AWS, and their registry. A kind lives in one file or folder here.
//!
//! Invariant: a kind knows its own resource alone. What two kinds need is in [`crate::aws`].

pub mod account;
pub mod alarm;
pub mod attachment;
pub mod configuration_set;
pub mod dns;
pub mod event_destination;
pub mod identity;
pub mod queue;
pub mod send_policy;
pub mod subscription;
pub mod topic;

use std::sync::Arc;

use crate::aws::Session;
use crate::aws::policies::Policies;
use crate::aws::topics::Topics;
use crate::engine::{Kind, Registry};

/// All kinds, over one session.
#[must_use]
pub fn registry(session: &Arc<Session>) -> Registry {
    let (topics, policies) = (Arc::new(Topics::new(session)), Arc::new(Policies::new(session)));
    let (identities, sets) =
        (identity::Identities::new(session), configuration_set::Sets::new(session));
    Registry::default()
        .with(account::Account::new(session))
        .with(alarm::Alarm::new(session))
        .with(dns::Dns::new(session, &identities, &sets))
        .with(identity::Identity::new(&identities))
        .with(identity::Signing::new(&identities))
        .with(identity::MailFrom::new(&identities))
        .with(identity::DefaultSet::new(&identities))
        .with(identity::IdentityPolicy::new(&identities))
        .with(configuration_set::ConfigurationSet::new(&sets, &identities))
        .with(configuration_set::Tracking::new(&sets, &identities))
        .with(event_destination::EventDestination::new(&sets))
        .with(topic::Topic::new(session, &topics))
        .with(subscription::Subscription::new(session, &topics))
        .with(queue::Queue::new(session))
        .with(send_policy::SendPolicy::new(session, &policies))
        .with(attachment::Attachment::new(session, &policies))
}

/// What all kinds document of themselves.
#[must_use]
pub fn documentation() -> Vec<Documentation> {
    vec![
        Documentation::of::<account::Account>(),
        Documentation::of::<alarm::Alarm>(),
        Documentation::of::<dns::Dns>(),
        Documentation::of::<identity::Identity>(),
        Documentation::of::<identity::Signing>(),
        Documentation::of::<identity::MailFrom>(),
        Documentation::of::<identity::DefaultSet>(),
        Documentation::of::<identity::IdentityPolicy>(),
        Documentation::of::<configuration_set::ConfigurationSet>(),
        Documentation::of::<configuration_set::Tracking>(),
        Documentation::of::<event_destination::EventDestination>(),
        Documentation::of::<topic::Topic>(),
        Documentation::of::<subscription::Subscription>(),
        Documentation::of::<queue::Queue>(),
        Documentation::of::<send_policy::SendPolicy>(),
        Documentation::of::<attachment::Attachment>(),
    ]
}

/// What one kind documents of itself.
#[derive(Clone, Copy, Debug)]
pub struct Documentation {
    /// The kind's name.
    pub kind: &'static str,
    /// See [`Documented::PERMISSIONS`].
    pub permissions: &'static [Permission],
    /// See [`Documented::INPUTS`].
    pub inputs: &'static [Input],
}

impl Documentation {
    const fn of<K: Kind + Documented>() -> Self {
        Self { kind: K::NAME, permissions: K::PERMISSIONS, inputs: K::INPUTS }
    }
}

/// What a kind documents of itself beside [`crate::engine::Kind`]: a test holds it against what the kind does.
pub trait Documented {
    /// Every IAM action that the kind needs.
    const PERMISSIONS: &'static [Permission];
    /// Every SDK input that the kind writes with, member by member.
    const INPUTS: &'static [Input];
}

/// One IAM action that a kind needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The action: `ses:GetEmailIdentity`.
    pub action: &'static str,
    /// What it is needed on.
    pub resource: Scope,
    /// When.
    pub phase: Phase,
}

impl Permission {
    /// A right that a plan needs already.
    pub(crate) const fn to_plan(action: &'static str, resource: Scope) -> Self {
        Self { action, resource, phase: Phase::Plan }
    }

    /// A right that only an apply needs.
    pub(crate) const fn to_apply(action: &'static str, resource: Scope) -> Self {
        Self { action, resource, phase: Phase::Apply }
    }
}

/// The resources that an action is needed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The action cannot be limited to a resource: `*`.
    Everything,
    /// A setting of the account, which cannot be limited to a resource either but is needed only where it is declared.
    Setting,
    /// SES identities.
    Identity,
    /// SES identities, whosever.
    AnyIdentity,
    /// SES identities of other Regions whose keys ours share.
    KeyParent,
    /// SES identities of other Regions that other environment files declare with keys of ours.
    Replica,
    /// SES configuration sets.
    ConfigurationSet,
    /// Dedicated IP pools of SES that configuration sets name.
    DedicatedIpPool,
    /// Archives of SES Mail Manager that configuration sets name.
    Archive,
    /// CloudWatch alarms.
    Alarm,
    /// SNS topics.
    Topic,
    /// SQS queues.
    Queue,
    /// IAM policies of the environment.
    Policy,
    /// IAM roles, users and groups that policies are attached to.
    Principal,
    /// Route 53 hosted zones.
    HostedZone,
    /// SSM parameters.
    Parameter,
    /// Secrets in Secrets Manager.
    Secret,
    /// KMS keys.
    Key,
}

/// When an action is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// For a plan, and so for an apply too.
    Plan,
    /// For an apply alone.
    Apply,
    /// For looking at the account and at whether mail works: `status`, `quota`, `access`.
    Status,
    /// For asking AWS for production access and for larger quotas: for a person, rather than for a job.
    Request,
}

/// One SDK input that a kind writes with, every member accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The operation: `CreateEmailIdentity`.
    pub operation: &'static str,
    /// The service as the SDK crate calls it: `sesv2`.
    pub service: &'static str,
    /// Members that the kind sets, in snake case, nested as `delivery_options.tls_policy`.
    pub managed: &'static [&'static str],
    /// Members that the kind leaves, each with the reason.
    pub excluded: &'static [(&'static str, &'static str)],
}
