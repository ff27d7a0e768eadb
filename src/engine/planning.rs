//! From what is wanted and what is live to a plan.
//!
//! # Guarantees
//! Reads only. Planning twice over the same world gives the same plan, so the same digest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::argument::resolved;
use super::difference::keeping;
use super::families::{Kinship, RELINK, Relinks};
use super::glance::{Settled, planned_by_tags};
use super::kind::change_of;
use super::order::order;
use super::others::{held, refusals, unmanaged, warn_of_unmanaged};
use super::pool::Answers;
use super::scope::{defer, keep_targets};
use super::{
    Action, Address, BoxError, DynKind, Field, Graph, Impact, Life, LiveValue, Options, Ownership,
    Plan, PlannedChange, Refresh, Registry, Resource, Severity, World, difference, touches,
};

/// Why something of ours is written that others changed in a way that is not to be undone unasked.
const TAKEN_BACK: &str = "put back as declared: what others put in its place is removed";

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No kind has this name.
    #[error("{0}: there is no such kind")]
    UnknownKind(Address),
    /// An address named on the command line is neither declared nor ours.
    #[error("{address} is neither declared nor owned by this environment")]
    UnknownAddress {
        /// The address.
        address: Address,
        /// Those that could be named.
        known: BTreeSet<Address>,
    },
    /// A setting was named where only the resource that it is a setting of can be meant.
    #[error("{address} is a setting of {parent}, and belongs to whoever has that")]
    Setting {
        /// The setting.
        address: Address,
        /// Whose it is.
        parent: Address,
    },
    /// A kind could not read what is live.
    #[error("cannot read {kind}")]
    Read {
        /// The kind's name.
        kind: &'static str,
        /// What it said.
        source: BoxError,
    },
    /// A kind could not judge a change.
    #[error("{address}: cannot plan")]
    Kind {
        /// The resource.
        address: Address,
        /// What the kind said.
        source: BoxError,
    },
    /// Steps would wait for one another.
    #[error("the order of these cannot be settled: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Cycle(Vec<Address>),
}

impl PlanError {
    pub(super) fn unknown_address(address: &Address, graph: &Graph, world: &World) -> Self {
        let declared = graph.in_order().map(|resource| &resource.address);
        let live = world.iter().map(|live| &live.address);
        let known = declared.chain(live).cloned().collect();
        Self::UnknownAddress { address: address.clone(), known }
    }
}

/// Reads what is live and plans how it becomes what `graph` wants.
pub async fn plan(
    graph: &Graph,
    registry: &Registry,
    options: &Options,
) -> Result<Plan, PlanError> {
    match options.refresh {
        Refresh::Tags if !options.destroy => planned_by_tags(graph, registry, options).await,
        Refresh::Tags | Refresh::Full => {
            planned(graph, registry, options, &Settled::default()).await
        }
    }
}

/// Reads what is live beside what is `settled`, and plans how it becomes what `graph` wants.
pub(super) async fn planned(
    graph: &Graph,
    registry: &Registry,
    options: &Options,
    settled: &Settled,
) -> Result<Plan, PlanError> {
    let world =
        World::read_aiming(graph, registry, |address| options.aim(address), settled).await?;
    let nothing = Graph::default();
    let graph = if options.destroy { &nothing } else { graph };
    let kinship = Kinship { graph, registry, world: &world };
    let mut planning = Planning {
        kinship,
        options,
        settled,
        known: BTreeMap::new(),
        appearing: Answers::default(),
    };
    planning.check_addresses()?;
    let mut changes = planning.changes()?;
    let relinks = planning.follow_recreated(&mut changes);
    let mut families = planning.kinship.families(&changes, relinks);
    planning.kinship.complete_marks(&mut changes, &families);
    planning.kinship.judge_mending(&mut changes, &families)?;
    if !options.targets.is_empty() {
        keep_targets(&options.targets, graph, &world, &mut changes, &mut families);
    }
    let unmanaged = unmanaged(&planning.kinship, &changes);
    warn_of_unmanaged(&mut changes, &unmanaged);
    defer(graph, registry, &mut changes).await?;
    let steps = order(&planning.kinship, &changes, &families)?;
    let mut refusals = refusals(&planning.kinship, options, &changes);
    refusals.extend(held(registry, &changes).await?);
    let busy: BTreeSet<&Address> = steps.iter().map(|step| &step.address).collect();
    families.retain(|family| family.members.iter().any(|member| busy.contains(member)));
    Ok(Plan {
        steps,
        families,
        unmanaged,
        refusals,
        outputs: planning.known,
        unread: settled.members(),
        changes: changes.into_values().map(|change| *change).collect(),
    })
}

struct Planning<'a> {
    kinship: Kinship<'a>,
    options: &'a Options,
    settled: &'a Settled,
    known: BTreeMap<Address, Value>,
    /// The fields of what does not exist yet, by kind and spec.
    appearing: Answers<Arc<[Field]>>,
}

/// Boxed, since half of what a map grows by in order stays empty.
pub(super) type Changes = BTreeMap<Address, Box<PlannedChange>>;

impl<'a> Planning<'a> {
    fn check_addresses(&self) -> Result<(), PlanError> {
        let Options { targets, replace, adopt, .. } = self.options;
        let named = targets.iter().chain(replace).chain(adopt);
        match named
            .into_iter()
            .find(|it| self.kinship.graph.get(it).is_none() && self.kinship.world.get(it).is_none())
        {
            Some(unknown) => {
                Err(PlanError::unknown_address(unknown, self.kinship.graph, self.kinship.world))
            }
            None => Ok(()),
        }
    }

    fn changes(&mut self) -> Result<Changes, PlanError> {
        let mut changes = Changes::new();
        let graph = self.kinship.graph;
        for resource in graph.in_order() {
            let change = if self.settled.has(graph, &resource.address) {
                PlannedChange { to: Some(Arc::clone(&resource.spec)), ..self.unchanged(resource) }
            } else {
                self.wanted(resource, &changes)?
            };
            changes.insert(resource.address.clone(), Box::new(change));
        }
        let is_undeclared =
            |live: &&LiveValue| graph.get(&live.address).is_none() && !graph.leaves(&live.address);
        for live in self.kinship.world.iter().filter(is_undeclared) {
            if live.ownership.is_ours() || self.comes_with_adopted(live, &changes) {
                changes.insert(live.address.clone(), Box::new(self.unwanted(live)?));
            }
        }
        self.let_go(&mut changes)?;
        Ok(changes)
    }

    /// What no call can delete is only let go of, unless it goes with its parent.
    fn let_go(&self, changes: &mut Changes) -> Result<(), PlanError> {
        let goes = |address: &Address| {
            let action = changes.get(address).map(|change| change.action);
            matches!(action, Some(Action::Delete | Action::Replace))
        };
        let mut stays = BTreeSet::new();
        for change in changes.values().filter(|change| change.action == Action::Delete) {
            let address = &change.address;
            let Some(live) = self.kinship.world.get(address) else { continue };
            let failed = |source| PlanError::Kind { address: address.clone(), source };
            let is_left = !live.parent.as_ref().is_some_and(goes);
            if is_left && self.kind(address)?.is_only_let_go(live).map_err(failed)? {
                stays.insert(address.clone());
            }
        }
        for change in changes.values_mut().filter(|change| stays.contains(&change.address)) {
            change.action = Action::Forget;
            change.impact = Impact::safe();
        }
        Ok(())
    }

    /// Whether it is a setting of something that becomes ours: then it becomes ours too, and is as little wanted as any
    /// other setting that is not declared.
    fn comes_with_adopted(&self, live: &LiveValue, decided: &Changes) -> bool {
        let parent = live.parent.as_ref().and_then(|parent| decided.get(parent));
        self.life(&live.address) == Some(Life::Aspect)
            && parent.is_some_and(|parent| parent.action == Action::Adopt)
    }

    fn life(&self, address: &Address) -> Option<Life> {
        self.kinship.registry.get(address.kind()).map(|kind| kind.life())
    }

    fn kind(&self, address: &Address) -> Result<&'a dyn DynKind, PlanError> {
        let kind = self.kinship.registry.get(address.kind());
        kind.map(AsRef::as_ref).ok_or_else(|| PlanError::UnknownKind(address.clone()))
    }

    /// The change of a declared resource; those it depends on are decided already.
    fn wanted(
        &mut self,
        resource: &Resource,
        decided: &Changes,
    ) -> Result<PlannedChange, PlanError> {
        let address = &resource.address;
        let kind = self.kind(address)?;
        let live = self.kinship.world.get(address);
        if live.is_none() && is_left_away(resource, kind, decided) {
            return Ok(self.unchanged(resource));
        }
        let to = self.aimed_at(resource, live);
        let fields = self.fields(live, &to, kind);
        let (action, reason) = match live {
            None => (Action::Create, None),
            Some(live) if self.kinship.is_out_of_reach(live) => (Action::None, None),
            Some(live) if live.ownership == Ownership::Unowned && kind.life() != Life::Aspect => {
                (Action::Adopt, Some("adopted: it exists, and sesinfra did not make it".to_owned()))
            }
            Some(_) => self.in_place_or_anew(resource, &fields, kind, decided),
        };
        let takes_back = live.is_some_and(|it| matches!(it.ownership, Ownership::Contested(_)))
            && self.options.adopts(address);
        let reason = match action {
            Action::Update if takes_back => Some(TAKEN_BACK.to_owned()),
            _ => reason,
        };
        let failed = |source| PlanError::Kind { address: address.clone(), source };
        let from = live.map(|live| Arc::clone(&live.spec));
        let keeps_outputs = match (action, live) {
            (Action::Create | Action::Replace, _) | (_, None) => false,
            (Action::Update | Action::Adopt, Some(_)) => !kind
                .renews_outputs(&change_of(address, from.as_deref(), &to, &fields))
                .map_err(failed)?,
            _ => true,
        };
        let compared_from = from.as_deref().filter(|_| action != Action::Create);
        let impact = match action {
            Action::None => Impact::safe(),
            Action::Adopt if fields.is_empty() => Impact::safe(),
            Action::Replace => {
                impact_of_replacing(kind, from.as_deref(), &to, &fields).map_err(failed)?
            }
            _ => kind.impact(compared_from, Some(&to), &fields).map_err(failed)?,
        };
        let parent_is_new = resource.parent.as_ref().is_some_and(|parent| {
            decided.get(parent).is_some_and(|change| change.action == Action::Create)
        });
        let impact = if parent_is_new && impact.severity > Severity::Degrades {
            // No mail relies yet on what is only now made.
            Impact::new(Severity::Degrades, impact.reason)
        } else {
            impact
        };
        if let Some(live) = live.filter(|_| keeps_outputs) {
            self.known.insert(address.clone(), live.outputs.clone());
        }
        Ok(PlannedChange {
            address: address.clone(),
            action,
            fields: if action == Action::None { Arc::default() } else { fields },
            from,
            to: Some(to),
            parent: resource.parent.clone(),
            impact,
            reason,
            deferred: None,
            notes: self.kinship.world.notes(address),
            ignore: resource.ignore.clone(),
            takes_back: takes_back && action == Action::Update,
        })
    }

    /// What a declared resource is to be like: as declared, with the outputs that are known and with what is left to others.
    fn aimed_at(&self, resource: &Resource, live: Option<&LiveValue>) -> Arc<Value> {
        let resolved = resolved(&resource.spec, &self.known);
        match live {
            Some(live) if !resource.ignore.is_empty() => {
                Arc::new(keeping(Arc::unwrap_or_clone(resolved), &live.spec, &resource.ignore))
            }
            _ => resolved,
        }
    }

    /// In what it differs from what is live. Where nothing is, resources with one spec share the answer too.
    fn fields(
        &mut self,
        live: Option<&LiveValue>,
        to: &Arc<Value>,
        kind: &dyn DynKind,
    ) -> Arc<[Field]> {
        let differing = |live| difference(live, Some(to), kind.write_only()).into();
        let Some(live) = live else {
            return self.appearing.of(kind.name(), to, || differing(None));
        };
        differing(Some(&live.spec))
    }

    /// No change of what was not read, or is not there and need not be.
    fn unchanged(&self, resource: &Resource) -> PlannedChange {
        PlannedChange {
            address: resource.address.clone(),
            action: Action::None,
            fields: Arc::default(),
            from: None,
            to: None,
            parent: resource.parent.clone(),
            impact: Impact::safe(),
            reason: None,
            deferred: None,
            notes: self.kinship.world.notes(&resource.address),
            ignore: resource.ignore.clone(),
            takes_back: false,
        }
    }

    fn in_place_or_anew(
        &self,
        resource: &Resource,
        fields: &[Field],
        kind: &dyn DynKind,
        decided: &Changes,
    ) -> (Action, Option<String>) {
        let parent_anew = resource.parent.as_ref().is_some_and(|parent| {
            decided.get(parent).is_some_and(|change| change.action == Action::Replace)
        });
        if parent_anew {
            return (Action::Replace, Some("goes and comes with its parent".to_owned()));
        }
        if self.options.replace.contains(&resource.address) {
            return (Action::Replace, Some("asked for with --replace".to_owned()));
        }
        if let Some(path) = kind.immutable().iter().find(|path| touches(fields, path)) {
            return (Action::Replace, Some(format!("`{path}` cannot be changed in place")));
        }
        (if fields.is_empty() { Action::None } else { Action::Update }, None)
    }

    /// The change of something that is ours and no longer declared.
    fn unwanted(&self, live: &LiveValue) -> Result<PlannedChange, PlanError> {
        let kind = self.kind(&live.address)?;
        if kind.life() == Life::Setting {
            return Ok(left_as_it_is(live));
        }
        let fields = difference(Some(&live.spec), None, kind.write_only());
        let failed = |source| PlanError::Kind { address: live.address.clone(), source };
        let impact = kind.impact(Some(&live.spec), None, &fields).map_err(failed)?;
        Ok(PlannedChange {
            address: live.address.clone(),
            action: Action::Delete,
            impact,
            fields: fields.into(),
            from: Some(Arc::clone(&live.spec)),
            to: None,
            parent: live.parent.clone(),
            reason: None,
            deferred: None,
            notes: self.kinship.world.notes(&live.address),
            ignore: BTreeSet::new(),
            takes_back: false,
        })
    }

    /// What relies on something that is made anew is written again, even where no field differs: services drop such
    /// links silently when the thing they point at goes. Made anew is also what an earlier run left without that.
    fn follow_recreated(&self, changes: &mut Changes) -> Relinks {
        let Kinship { graph, world, .. } = self.kinship;
        let mut relinks = Relinks::new();
        let mut rewritten_because: Vec<(Address, Address)> = Vec::new();
        let is_adopted = |user: &LiveValue, changes: &Changes| {
            changes.get(&user.address).is_some_and(|it| it.action == Action::Adopt)
        };
        for user in world.iter().filter(|user| !user.uses.is_empty()) {
            if !user.ownership.is_ours() && !is_adopted(user, changes) {
                continue;
            }
            let needed = graph.dependencies(&user.address);
            for used in user.uses.iter().filter(|used| needed.contains(*used)) {
                let action = changes.get(used).map(|change| change.action);
                let root = self.kinship.root(used);
                let left_behind =
                    || world.get(&root).is_some_and(|live| live.marks.children.contains(RELINK));
                if matches!(action, Some(Action::Create | Action::Replace)) || left_behind() {
                    relinks.entry(root).or_default().insert(user.address.clone());
                    rewritten_because.push((user.address.clone(), used.clone()));
                }
            }
        }
        for (user, cause) in rewritten_because {
            let Some(change) = changes.get_mut(&user) else { continue };
            if change.fields.is_empty() && matches!(change.action, Action::None | Action::Adopt) {
                if change.action == Action::None {
                    change.action = Action::Update;
                }
                change.reason = Some(format!("written again because {cause} is made anew"));
                change.fields = rewritten(change.to.as_deref());
            }
        }
        relinks
    }
}

/// Whether it is a setting that others may change, and they took it away from something that stays.
fn is_left_away(resource: &Resource, kind: &dyn DynKind, decided: &Changes) -> bool {
    let parent = resource.parent.as_ref().and_then(|parent| decided.get(parent));
    let stays =
        parent.is_some_and(|parent| !matches!(parent.action, Action::Create | Action::Replace));
    kind.life() == Life::Aspect && stays && !resource.ignore.is_empty()
}

/// A setting belongs to nobody, so there is nobody's value to put back.
fn left_as_it_is(live: &LiveValue) -> PlannedChange {
    let mut notes = live.notes.clone();
    notes.push(
        "stays as it is: it belongs to no environment, and what it was before is not known"
            .to_owned(),
    );
    PlannedChange {
        address: live.address.clone(),
        action: Action::None,
        impact: Impact::safe(),
        fields: Arc::default(),
        from: Some(Arc::clone(&live.spec)),
        to: None,
        parent: None,
        reason: None,
        deferred: None,
        notes,
        ignore: BTreeSet::new(),
        takes_back: false,
    }
}

/// What is made anew is gone first, which may do more than the new settings do.
fn impact_of_replacing(
    kind: &dyn DynKind,
    from: Option<&Value>,
    to: &Value,
    fields: &[Field],
) -> Result<Impact, BoxError> {
    let changed = kind.impact(from, Some(to), fields)?;
    let gone = kind.impact(from, None, &difference(from, None, kind.write_only()))?;
    if changed.severity >= gone.severity {
        return Ok(changed);
    }
    Ok(match gone.severity {
        // What is lost for good does not come back with the new one.
        Severity::Irreversible => gone,
        _ => Impact::new(gone.severity, format!("until it is made anew, {}", gone.reason)),
    })
}

/// Every member of a spec as a field that is written although it does not differ.
fn rewritten(spec: Option<&Value>) -> Arc<[Field]> {
    let members = spec.and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .map(|(key, value)| Field {
            path: key.clone(),
            from: Some(value.clone()),
            to: Some(value.clone()),
        })
        .collect()
}
