//! The permissions that a run needs for exactly one environment, from what each kind documents of itself.
//!
//! Invariant: nothing is granted on `*` that IAM can limit to a resource. What an environment no longer declares is not
//! covered: to delete it, the permissions of the file that declared it are needed once more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::policy::{Policy, Statement};
use crate::aws::{Facts, watches_quota};
use crate::engine::{Address, Graph};
use crate::environment::types::{Dkim, SecretSource, Settings};
use crate::kinds::{Permission, Phase, Scope, documentation};

/// What tells one statement from another: the scope, and for principals their kind.
type Group = (String, BTreeSet<String>);

/// The policy for planning, or for planning and applying.
#[must_use]
pub fn permissions(settings: &Settings, facts: &Facts, graph: &Graph, phase: Phase) -> Policy {
    let wanted = Wanted { settings, facts, graph };
    let mut groups: BTreeMap<Group, BTreeSet<&'static str>> = BTreeMap::new();
    for kind in documentation() {
        let is_declared = graph.in_order().any(|one| one.address.kind() == kind.kind);
        for permission in kind.permissions {
            let is_for = phase == Phase::Apply || permission.phase == Phase::Plan;
            // What is ours and no longer declared is looked for in every kind, so lists are always needed.
            let is_needed = is_declared || permission.resource == Scope::Everything;
            if is_for && is_needed {
                wanted.add(permission, &mut groups);
            }
        }
    }
    wanted.add_quotas(&mut groups);
    wanted.add_requests(phase, &mut groups);
    wanted.add_lock(phase, &mut groups);
    wanted.add_roles(&mut groups);
    drop_covered(&mut groups);
    let statements = groups
        .into_iter()
        .map(|((sid, resources), actions)| (sid, Statement::allow().may(actions).on(resources)));
    Policy::new(statements)
}

/// What is granted on every identity need not be granted on the declared ones once more.
fn drop_covered(groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
    let on_any = groups.iter().filter(|((sid, _), _)| sid == "AnyIdentity");
    let covered: BTreeSet<&str> = on_any.flat_map(|(_, actions)| actions.iter().copied()).collect();
    groups.retain(|(sid, _), actions| {
        if sid == "Identities" {
            actions.retain(|action| !covered.contains(action));
        }
        !actions.is_empty()
    });
}

struct Wanted<'a> {
    settings: &'a Settings,
    facts: &'a Facts,
    graph: &'a Graph,
}

impl Wanted<'_> {
    fn add(&self, permission: &Permission, groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
        let (sid, resources) = self.resources(permission);
        if !resources.is_empty() {
            groups.entry((sid, resources)).or_default().insert(permission.action);
        }
    }

    /// The statement that a permission belongs in, and the resources of this environment that it is needed on.
    fn resources(&self, permission: &Permission) -> (String, BTreeSet<String>) {
        let arns = &self.facts.arns;
        let (sid, resources) = match permission.resource {
            Scope::Everything => ("Lists", BTreeSet::from(["*".to_owned()])),
            Scope::Setting => ("AccountSettings", self.settings_of_account(permission.action)),
            Scope::Identity => ("Identities", self.named("identity", |name| arns.identity(name))),
            Scope::AnyIdentity => ("AnyIdentity", BTreeSet::from([arns.identity("*")])),
            Scope::KeyParent => ("KeyParents", self.key_parents()),
            Scope::Replica => ("Replicas", self.replicas()),
            Scope::ConfigurationSet => ("ConfigurationSets", self.sets()),
            Scope::DedicatedIpPool => {
                ("Pools", self.of_sets("/delivery/pool", |name| arns.dedicated_ip_pool(name)))
            }
            Scope::Archive => ("Archives", self.of_sets("/archive", ToOwned::to_owned)),
            Scope::Alarm => ("Alarms", self.named("alarm", |name| arns.alarm(name))),
            Scope::Topic => ("Topics", self.named("topic", |name| arns.topic(name))),
            Scope::Queue => ("Queues", self.named("queue", |name| arns.queue(name))),
            Scope::Policy => ("Policies", self.policies()),
            Scope::Principal => return self.principals(permission.action),
            Scope::HostedZone => ("HostedZones", self.zones()),
            Scope::Parameter => (
                "Parameters",
                self.sources(|source| match source {
                    SecretSource::Ssm(name) => Some(arns.parameter(name)),
                    _ => None,
                }),
            ),
            Scope::Secret => (
                "Secrets",
                self.sources(|source| match source {
                    // Secrets Manager appends six characters of its own to a name.
                    SecretSource::Secret(name) if !name.starts_with("arn:") => {
                        Some(arns.secret(&format!("{name}-??????")))
                    }
                    SecretSource::Secret(arn) => Some(arn.clone()),
                    _ => None,
                }),
            ),
            Scope::Key => ("Keys", self.keys()),
        };
        (sid.to_owned(), resources)
    }

    fn of_kind<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = (&'b Address, &'b Value)> {
        let all = self.graph.in_order().filter(move |one| one.address.kind() == kind);
        all.map(|one| (&one.address, &*one.spec))
    }

    fn named(&self, kind: &str, arn: impl Fn(&str) -> String) -> BTreeSet<String> {
        self.of_kind(kind).map(|(address, _)| arn(address.name())).collect()
    }

    /// Everything, for the calls that write what is declared of the account: each writes one setting.
    fn settings_of_account(&self, action: &str) -> BTreeSet<String> {
        let key = match action {
            "ses:PutAccountSuppressionAttributes" => "suppress",
            "ses:PutAccountSendingAttributes" => "sending",
            "ses:PutAccountVdmAttributes" => "vdm",
            _ => "dedicated_ip_warmup",
        };
        let is_declared = self.of_kind("account").any(|(_, spec)| spec.get(key).is_some());
        is_declared.then(|| "*".to_owned()).into_iter().collect()
    }

    /// Declared sets, and sets made elsewhere that are the default of a declared identity.
    fn sets(&self) -> BTreeSet<String> {
        let arns = &self.facts.arns;
        let mut sets = self.named("configuration_set", |name| arns.configuration_set(name));
        let defaults = self.of_kind("default_set");
        let defaults = defaults.filter_map(|(_, spec)| spec["configuration_set"].as_str());
        sets.extend(defaults.map(|name| arns.configuration_set(name)));
        sets
    }

    /// What the declared sets name under `pointer`.
    fn of_sets(&self, pointer: &str, arn: impl Fn(&str) -> String) -> BTreeSet<String> {
        let sets = self.of_kind("configuration_set");
        sets.filter_map(|(_, spec)| spec.pointer(pointer)?.as_str().map(&arn)).collect()
    }

    fn key_parents(&self) -> BTreeSet<String> {
        let arns = &self.facts.arns;
        let identities = self.of_kind("identity");
        identities
            .filter_map(|(address, spec)| {
                Some(arns.identity_in(spec["replica_of"].as_str()?, address.name()))
            })
            .collect()
    }

    fn replicas(&self) -> BTreeSet<String> {
        let Facts { arns, neighbours, .. } = self.facts;
        let names = self.of_kind("identity").map(|(address, _)| address.name());
        names
            .flat_map(|name| {
                neighbours.replicas_of(name).map(move |region| arns.identity_in(region, name))
            })
            .collect()
    }

    fn policies(&self) -> BTreeSet<String> {
        let arns = &self.facts.arns;
        let policies = self.of_kind("send_policy");
        policies
            .map(|(address, spec)| {
                arns.policy(spec["path"].as_str().unwrap_or("/"), address.name())
            })
            .collect()
    }

    /// The principals that an action is about, by the word in its name. A path is not known from a name.
    fn principals(&self, action: &str) -> (String, BTreeSet<String>) {
        let arns = &self.facts.arns;
        if action == "iam:PassRole" {
            let targets = self.of_kind("event_destination");
            let roles = targets.filter_map(|(_, spec)| spec["firehose"]["role"].as_str());
            return ("RolesForSes".to_owned(), roles.map(ToOwned::to_owned).collect());
        }
        let (sid, kind) = if action.contains("Role") {
            ("Roles", "role")
        } else if action.contains("User") {
            ("Users", "user")
        } else {
            ("Groups", "group")
        };
        let attached = self.of_kind("attachment").filter(|(_, spec)| spec["kind"] == kind);
        let names = attached.filter_map(|(_, spec)| spec["name"].as_str());
        let arns = names.flat_map(|name| match kind {
            "role" => [arns.role(name), arns.role(&format!("*/{name}"))],
            "user" => [arns.user(name), arns.user(&format!("*/{name}"))],
            _ => [arns.group(name), arns.group(&format!("*/{name}"))],
        });
        (sid.to_owned(), arns.collect())
    }

    /// Zones of this account. Those of others are reached through a role, whose own policy speaks of them.
    fn zones(&self) -> BTreeSet<String> {
        let records = self.of_kind("dns").flat_map(|(_, spec)| {
            spec["records"].as_object().into_iter().flat_map(|records| records.values())
        });
        let ids = records.filter_map(|record| record["zone"].as_str());
        let own = ids.filter(|id| self.facts.zones.get(id).is_none_or(|zone| zone.role.is_none()));
        own.map(|id| self.facts.arns.hosted_zone(id)).collect()
    }

    fn sources(&self, arn: impl Fn(&SecretSource) -> Option<String>) -> BTreeSet<String> {
        let keys = self.settings.identities.values().filter_map(|identity| match &identity.dkim {
            Some(Dkim::External { private_key, .. }) => Some(private_key),
            _ => None,
        });
        keys.filter_map(arn).collect()
    }

    /// Keys that topics and queues name. An alias is no resource of IAM's, so it stands for every key.
    fn keys(&self) -> BTreeSet<String> {
        let arns = &self.facts.arns;
        let of_topics =
            self.of_kind("topic").filter_map(|(_, spec)| spec["encryption_key"].as_str());
        let of_queues = self.of_kind("queue").filter_map(|(_, spec)| spec["encryption"].as_str());
        let keys = of_topics.chain(of_queues.filter(|it| !matches!(*it, "sqs" | "off")));
        keys.map(|key| match key {
            alias if alias.contains("alias/") => arns.key("*"),
            arn if arn.starts_with("arn:") => arn.to_owned(),
            id => arns.key(id),
        })
        .collect()
    }

    /// The alarm on the daily quota watches the metric that Service Quotas names, and quotas cannot be read one by one.
    fn add_quotas(&self, groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
        if watches_quota(self.settings) {
            let group = ("Lists".to_owned(), BTreeSet::from(["*".to_owned()]));
            groups.entry(group).or_default().insert("servicequotas:ListServiceQuotas");
        }
    }

    /// What the commands need that look at the account and ask for more.
    fn add_requests(&self, phase: Phase, groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
        if !matches!(phase, Phase::Status | Phase::Request) {
            return;
        }
        let lists =
            groups.entry(("Lists".to_owned(), BTreeSet::from(["*".to_owned()]))).or_default();
        lists.extend([
            "cloudwatch:GetMetricData",
            "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
            "servicequotas:ListServiceQuotas",
        ]);
        if phase == Phase::Request {
            lists.insert("ses:PutAccountDetails");
            let quotas = BTreeSet::from([self.facts.arns.quota("ses", "*")]);
            let asked = groups.entry(("SendingQuotas".to_owned(), quotas)).or_default();
            asked.insert("servicequotas:RequestServiceQuotaIncrease");
        }
    }

    fn add_lock(&self, phase: Phase, groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
        if phase != Phase::Apply {
            return;
        }
        let owner = &self.facts.owner;
        let lock = format!("/sesinfra/{}/{}/lock", owner.project(), owner.environment());
        let resources = BTreeSet::from([self.facts.arns.parameter(&lock)]);
        let actions = ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"];
        groups.entry(("Lock".to_owned(), resources)).or_default().extend(actions);
    }

    fn add_roles(&self, groups: &mut BTreeMap<Group, BTreeSet<&'static str>>) {
        let roles = self.settings.zones.values().filter_map(|zone| zone.role.as_ref());
        let roles: BTreeSet<String> = roles.map(ToString::to_string).collect();
        if !roles.is_empty() {
            groups
                .entry(("ZonesElsewhere".to_owned(), roles))
                .or_default()
                .insert("sts:AssumeRole");
        }
    }
}
