//! From an open environment to a plan that can be shown, saved and carried out.

use std::collections::BTreeMap;

use super::Run;
use super::failure::Failure;
use super::gate::{Protection, refusals};
use super::open::Opened;
use super::records::manual_records;
use crate::aws::Owner;
use crate::blueprint::send_policy_name;
use crate::engine::{Address, Options, PlanError};
use crate::environment::types::Settings;
use crate::lookup::judge;
use crate::view::{Document, FORMAT, Flags, Purpose};

impl Run<'_> {
    /// Plans `opened` for a purpose.
    pub(super) async fn planned(
        &self,
        opened: &Opened,
        purpose: Purpose,
        flags: &Flags,
    ) -> Result<Document, Failure> {
        let options = Options {
            targets: flags.targets.clone(),
            replace: flags.replace.clone(),
            adopt: flags.adopt.clone(),
            adopt_all: flags.adopt_all,
            destroy: purpose == Purpose::Destroy,
        };
        let graph = &opened.blueprint.graph;
        let plan = crate::engine::plan(graph, &opened.registry, &options).await;
        let plan = plan.map_err(|error| self.not_planned(error, opened))?;
        let mut records = match purpose {
            Purpose::Apply => manual_records(&opened.blueprint.manual, &plan.outputs),
            Purpose::Destroy => Vec::new(),
        };
        judge(&mut records, self.host.lookup.as_ref()).await;
        let settings = &opened.environment.settings;
        Ok(Document {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: opened.environment.name.to_string(),
            project: settings.project.to_string(),
            account: settings.aws.account.to_string(),
            region: settings.aws.region.to_string(),
            purpose,
            flags: flags.clone(),
            sources: opened.environment.sources(),
            refusals: refusals(&plan, &protection(opened, flags)),
            plan,
            records,
            fingerprint: String::new(),
            checksum: String::new(),
        }
        .sealed())
    }

    fn not_planned(&self, error: PlanError, opened: &Opened) -> Failure {
        let (program, name) = (&self.host.program, &opened.environment.name);
        match error {
            unknown @ PlanError::UnknownAddress(_) => Failure::input(unknown)
                .hinted(format!("`{program} list {name}` shows the addresses of what is owned")),
            internal @ (PlanError::UnknownKind(_) | PlanError::Cycle(_)) => {
                Failure::internal(internal)
            }
            other @ (PlanError::Read { .. } | PlanError::Kind { .. }) => Failure::aws(other),
        }
    }
}

fn protection(opened: &Opened, flags: &Flags) -> Protection {
    let settings = &opened.environment.settings;
    Protection {
        environment: settings.protect,
        own: protected_by_themselves(settings, &opened.facts.owner),
        allowed: flags.allow.clone(),
    }
}

/// What says for itself whether it is protected.
fn protected_by_themselves(settings: &Settings, owner: &Owner) -> BTreeMap<Address, bool> {
    let identities = settings.identities.iter();
    let identities = identities.map(|(name, it)| ("identity", name.to_string(), it.protect));
    let sets = settings.configuration_sets.iter();
    let sets = sets.map(|(name, it)| ("configuration_set", name.to_string(), it.protect));
    let topics = settings.topics.iter().map(|(name, it)| ("topic", name.to_string(), it.protect));
    let queues = settings.queues.iter().map(|(name, it)| ("queue", name.to_string(), it.protect));
    let policies = settings.send_policies.iter();
    let policies =
        policies.map(|(name, it)| ("send_policy", send_policy_name(owner, name), it.protect));
    let all = identities.chain(sets).chain(topics).chain(queues).chain(policies);
    all.filter_map(|(kind, name, protect)| Some((Address::new(kind, name), protect?))).collect()
}
