//! From an open environment to a plan that can be shown, saved and carried out.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use super::Run;
use super::failure::Failure;
use super::gate::{Protection, refusals};
use super::open::Opened;
use super::records::{mark_going, planned_records};
use crate::aws::PrivateKeys;
use crate::blueprint::identity_address;
use crate::engine::{
    Address, Options, Plan, PlanError, Refresh, Resource, plan, references, release,
};
use crate::environment::names::IdentityName;
use crate::environment::nearest;
use crate::environment::types::QuotaWanted;
use crate::health::access::Standing;
use crate::kinds::identity::KEY_AT_HAND;
use crate::lookup::judge;
use crate::view::{Document, FORMAT, Flags, Pace, Purpose, SAID_EVERY, reading_text};

impl Run<'_> {
    /// Plans `opened` for a purpose.
    pub(super) async fn planned(
        &self,
        opened: &Opened,
        purpose: Purpose,
        flags: &Flags,
        refresh: Refresh,
    ) -> Result<Document, Failure> {
        let options = Options {
            targets: flags.targets.clone(),
            replace: flags.replace.clone(),
            adopt: flags.adopt.clone(),
            adopt_all: flags.adopt_all,
            destroy: purpose == Purpose::Destroy,
            refresh,
        };
        let graph = &opened.blueprint.graph;
        abandon_zones(opened, flags)?;
        if purpose == Purpose::Destroy {
            opened.session.look_everywhere();
        }
        let plan = async {
            match purpose {
                Purpose::Release => release(graph, &opened.registry, &flags.release).await,
                Purpose::Apply | Purpose::Destroy => plan(graph, &opened.registry, &options).await,
            }
        };
        let plan = self.telling_how_far(opened, plan);
        let (plan, account_trouble) =
            futures_util::join!(plan, self.account_trouble(opened, refresh));
        let plan = plan.map_err(|error| self.not_planned(error, opened))?;
        need_keys(opened, &plan)?;
        let mut records = match purpose {
            Purpose::Apply => planned_records(opened, &plan),
            Purpose::Destroy | Purpose::Release => Vec::new(),
        };
        judge(&mut records, self.host.lookup.as_ref()).await;
        mark_going(&mut records, &plan);
        let settings = &opened.environment.settings;
        Ok(Document {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: opened.environment.name.to_string(),
            project: settings.project.to_string(),
            account: settings.aws.account.to_string(),
            region: settings.aws.region.to_string(),
            purpose,
            refresh,
            flags: flags.clone(),
            sources: opened.environment.sources(),
            refusals: refusals(&plan, &protection(opened, flags)),
            account_trouble,
            plan,
            records,
            left_out: 0,
            fingerprint: String::new(),
            checksum: String::new(),
        }
        .sealed())
    }

    /// Does `work`, and says every few seconds how far reading is.
    async fn telling_how_far<T>(&self, opened: &Opened, work: impl Future<Output = T>) -> T {
        let name = opened.environment.name.as_str();
        let began = Instant::now();
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                ended = &mut work => return ended,
                () = tokio::time::sleep(SAID_EVERY) => {
                    let (done, all) = opened.session.gauge.standing();
                    let pace = Pace { done, all, after: began.elapsed() };
                    if let Some(text) = reading_text(name, pace) {
                        self.say(&text);
                    }
                }
            }
        }
    }

    /// What is wrong with the account itself. Whoever may not ask is not told; a plan can be made all the same. Where few
    /// calls are to be made, it is told only if the account is asked anyway.
    async fn account_trouble(&self, opened: &Opened, refresh: Refresh) -> Vec<String> {
        let is_account = |resource: &Resource| resource.address.kind() == "account";
        if refresh == Refresh::Tags && !opened.blueprint.graph.in_order().any(is_account) {
            return Vec::new();
        }
        let Ok(account) = opened.session.account().await else { return Vec::new() };
        let quota = opened.environment.settings.account.quota;
        let warn_at = quota.map_or_else(QuotaWanted::default_warn_at, |quota| quota.warn_at);
        let name = opened.environment.name.to_string();
        let standing = Standing::of(&account);
        let problems = standing.problems(warn_at.fraction(), &self.host.program, &name);
        problems.into_iter().map(|it| format!("{} ({})", it.what, it.remedy)).collect()
    }

    fn not_planned(&self, error: PlanError, opened: &Opened) -> Failure {
        let (program, name) = (&self.host.program, &opened.environment.name);
        match error {
            PlanError::UnknownAddress { address, known } => {
                let near = meant(&address, &known).map(|near| format!("did you mean `{near}`?"));
                let failure = Failure::input(PlanError::UnknownAddress { address, known });
                let failure = near.into_iter().fold(failure, Failure::hinted);
                failure
                    .hinted(format!("`{program} list {name}` shows the addresses of what is owned"))
            }
            PlanError::Setting { address, parent } => {
                let hint = format!("name that instead: {program} release {name} '{parent}'");
                Failure::input(PlanError::Setting { address, parent }).hinted(hint)
            }
            internal @ (PlanError::UnknownKind(_) | PlanError::Cycle(_)) => {
                Failure::internal(internal)
            }
            other @ (PlanError::Read { .. } | PlanError::Kind { .. }) => Failure::aws(other),
        }
    }
}

/// Nothing is published or signed where all goes, or is only let go of.
pub(super) const fn private_keys(purpose: Purpose) -> PrivateKeys {
    match purpose {
        Purpose::Apply => PrivateKeys::Read,
        Purpose::Destroy | Purpose::Release => PrivateKeys::Untouched,
    }
}

/// A key that is not known cannot be compared with what is live; what is planned beside it does not need it.
fn need_keys(opened: &Opened, plan: &Plan) -> Result<(), Failure> {
    if opened.facts.missing_keys.is_empty() {
        return Ok(());
    }
    let publishing = plan.changes.iter().filter_map(|it| it.to.as_deref()).flat_map(references);
    let publishing = publishing.filter(|(_, path)| path == KEY_AT_HAND.path());
    let publishing: BTreeSet<Address> = publishing.map(|(identity, _)| identity).collect();
    let is_planned = |name: &IdentityName| {
        plan.change(&Address::new("signing", name.to_string())).is_some()
            || publishing.contains(&identity_address(name))
    };
    match opened.facts.missing_keys.iter().find(|(name, _)| is_planned(name)) {
        Some((_, key)) => Err(Failure::input(Arc::clone(key)).hinted(key.hint())),
        None => Ok(()),
    }
}

/// The address that was probably meant by one that is not `known`: of the same kind, if there is such a kind.
pub(super) fn meant<'a>(
    address: &Address,
    known: impl IntoIterator<Item = &'a Address>,
) -> Option<&'a Address> {
    let known: Vec<&Address> = known.into_iter().collect();
    let of_kind: Vec<&Address> =
        known.iter().copied().filter(|it| it.kind() == address.kind()).collect();
    if of_kind.is_empty() {
        let near = nearest(&address.to_string(), known.iter().map(|it| it.as_str()))?;
        return known.into_iter().find(|it| it.as_str() == near);
    }
    let near = nearest(address.name(), of_kind.iter().map(|it| it.name()))?;
    of_kind.into_iter().find(|it| it.name() == near)
}

/// From here on the zones that were named count as gone, unless records are wanted there.
fn abandon_zones(opened: &Opened, flags: &Flags) -> Result<(), Failure> {
    let zones = &flags.abandon_zones;
    for resource in opened.blueprint.graph.in_order().filter(|it| it.address.kind() == "dns") {
        let records = resource.spec["records"].as_object().into_iter().flatten();
        let mut wanted = records.filter_map(|(_, record)| record["zone"].as_str());
        if let Some(zone) = wanted.find(|zone| zones.contains(*zone)) {
            return Err(Failure::input(format!(
                "the records of {} are wanted in the zone {zone}, so it cannot be let go of",
                resource.address.name()
            ))
            .hinted("name the zone that is no longer wanted, or another one in the file"));
        }
    }
    opened.session.abandon_zones(zones.clone());
    Ok(())
}

fn protection(opened: &Opened, flags: &Flags) -> Protection {
    Protection {
        environment: opened.environment.settings.protect,
        own: opened.blueprint.protection.clone(),
        declared: opened.blueprint.graph.in_order().map(|it| it.address.clone()).collect(),
        allowed: flags.allow.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_address_is_near_one_of_its_kind() {
        let known: Vec<Address> =
            ["identity.pivot.app", "mail_from.pivot.app", "topic.ses-feedback", "topic.t"]
                .map(|it| it.parse().unwrap())
                .into();
        let near = |text: &str| meant(&text.parse().unwrap(), &known).map(ToString::to_string);
        assert_eq!(near("identity.pivot.ap").as_deref(), Some("identity.pivot.app"));
        assert_eq!(near("identty.pivot.app").as_deref(), Some("identity.pivot.app"));
        assert_eq!(near("topic.ses-fedback").as_deref(), Some("topic.ses-feedback"));
        assert_eq!(near("mail_from.other.com"), None);
        assert_eq!(near("alarm.quota"), None);
    }
}
