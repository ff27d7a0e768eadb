//! From what is wanted and what is live to a plan.
//!
//! # Guarantees
//! Reads only. Planning twice over the same world gives the same plan, so the same digest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::observe::is_child;
use super::order::order;
use super::plan::digest_of;
use super::{
    Action, Address, BoxError, Change, DynKind, Family, Field, Graph, Impact, Life, LiveValue,
    Marks, OnParentDelete, Ownership, Plan, PlannedChange, Refusal, Registry, Resource, Rule,
    Unmanaged, World, difference, resolve, touches,
};

/// What the operator asked for beside the environment itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these and what they depend on; empty: everything.
    pub targets: BTreeSet<Address>,
    /// These are deleted and made anew.
    pub replace: BTreeSet<Address>,
}

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No kind has this name.
    #[error("{0}: there is no such kind")]
    UnknownKind(Address),
    /// An address named on the command line is neither declared nor ours.
    #[error("{0} is neither declared nor owned by this environment")]
    UnknownAddress(Address),
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

/// Reads what is live and plans how it becomes what `graph` wants.
pub async fn plan(
    graph: &Graph,
    registry: &Registry,
    options: &Options,
) -> Result<Plan, PlanError> {
    let world = World::read(graph, registry).await?;
    let mut planning = Planning { graph, registry, world: &world, options, known: BTreeMap::new() };
    planning.check_addresses()?;
    let mut changes = planning.changes()?;
    planning.follow_recreated(&mut changes);
    let mut families = planning.families(&changes);
    planning.complete_marks(&mut changes, &families);
    if !options.targets.is_empty() {
        planning.keep_targets(&mut changes, &mut families);
    }
    planning.defer(&mut changes).await?;
    let steps = order(graph, &world, registry, &changes, &families)?;
    let busy: BTreeSet<&Address> = steps.iter().map(|step| &step.address).collect();
    families.retain(|family| family.members.iter().any(|member| busy.contains(member)));
    Ok(Plan {
        steps,
        families,
        unmanaged: planning.unmanaged(),
        refusals: planning.refusals(&changes),
        outputs: planning.known,
        changes: changes.into_values().collect(),
    })
}

struct Planning<'a> {
    graph: &'a Graph,
    registry: &'a Registry,
    world: &'a World,
    options: &'a Options,
    known: BTreeMap<Address, Value>,
}

type Changes = BTreeMap<Address, PlannedChange>;

impl Planning<'_> {
    fn check_addresses(&self) -> Result<(), PlanError> {
        let named = self.options.targets.iter().chain(&self.options.replace);
        match named
            .into_iter()
            .find(|it| self.graph.get(it).is_none() && self.world.get(it).is_none())
        {
            Some(unknown) => Err(PlanError::UnknownAddress(unknown.clone())),
            None => Ok(()),
        }
    }

    fn changes(&mut self) -> Result<Changes, PlanError> {
        let mut changes = Changes::new();
        let graph = self.graph;
        for resource in graph.in_order() {
            let change = self.wanted(resource, &changes)?;
            changes.insert(resource.address.clone(), change);
        }
        for live in self.world.ours().filter(|live| self.graph.get(&live.address).is_none()) {
            changes.insert(live.address.clone(), self.unwanted(live)?);
        }
        Ok(changes)
    }

    fn kind(&self, address: &Address) -> Result<&dyn DynKind, PlanError> {
        let kind = self.registry.get(address.kind());
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
        let to = resolve(&resource.spec, &self.known);
        let live = self.world.get(address);
        let fields = difference(live.map(|live| &live.spec), Some(&to), kind.write_only());
        let (action, reason) = match live {
            None => (Action::Create, None),
            Some(live) if live.ownership == Ownership::Unowned => (Action::Adopt, None),
            Some(live) if live.ownership != Ownership::Ours => (Action::None, None),
            Some(_) => self.in_place_or_anew(resource, &fields, kind, decided),
        };
        let failed = |source| PlanError::Kind { address: address.clone(), source };
        let from = live.map(|live| live.spec.clone());
        let keeps_outputs = match (action, live) {
            (Action::Create | Action::Replace, _) | (_, None) => false,
            (Action::Update, Some(_)) => !kind
                .renews_outputs(&change_of(address, from.clone(), to.clone(), &fields))
                .map_err(failed)?,
            _ => true,
        };
        let compared_from = if action == Action::Create { None } else { from.as_ref() };
        let impact = if action == Action::None {
            Impact::safe()
        } else {
            kind.impact(compared_from, Some(&to), &fields).map_err(failed)?
        };
        if let Some(live) = live.filter(|_| keeps_outputs) {
            self.known.insert(address.clone(), live.outputs.clone());
        }
        Ok(PlannedChange {
            address: address.clone(),
            action,
            fields: if action == Action::None { Vec::new() } else { fields },
            from,
            to: Some(to),
            parent: resource.parent.clone(),
            impact,
            reason,
            deferred: None,
            notes: live.map(|live| live.notes.clone()).unwrap_or_default(),
        })
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
        if parent_anew && kind.life() != Life::Child(OnParentDelete::After) {
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
        let fields = difference(Some(&live.spec), None, kind.write_only());
        let impact = kind.impact(Some(&live.spec), None, &fields);
        Ok(PlannedChange {
            address: live.address.clone(),
            action: Action::Delete,
            impact: impact
                .map_err(|source| PlanError::Kind { address: live.address.clone(), source })?,
            fields,
            from: Some(live.spec.clone()),
            to: None,
            parent: live.parent.clone(),
            reason: None,
            deferred: None,
            notes: live.notes.clone(),
        })
    }

    /// What relies on something that is made anew is written again, even where no field differs:
    /// services drop such links silently when the thing they point at goes.
    fn follow_recreated(&self, changes: &mut Changes) {
        let anew: BTreeSet<Address> = changes
            .values()
            .filter(|change| matches!(change.action, Action::Create | Action::Replace))
            .map(|change| change.address.clone())
            .collect();
        for change in changes.values_mut().filter(|change| change.action == Action::None) {
            let Some(live) = self.world.get(&change.address) else { continue };
            let dependencies = self.graph.dependencies(&change.address);
            let Some(cause) =
                live.uses.iter().find(|it| anew.contains(*it) && dependencies.contains(*it))
            else {
                continue;
            };
            change.action = Action::Update;
            change.reason = Some(format!("written again because {cause} is made anew"));
            change.fields = rewritten(change.to.as_ref());
        }
    }

    fn families(&self, changes: &Changes) -> Vec<Family> {
        let mut members: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for address in changes.keys() {
            members.entry(self.root(address)).or_default().insert(address.clone());
        }
        members.into_iter().map(|(root, members)| self.family(root, members)).collect()
    }

    fn family(&self, root: Address, members: BTreeSet<Address>) -> Family {
        let declared = || members.iter().filter_map(|member| self.graph.get(member));
        let afterwards: BTreeSet<String> =
            declared().flat_map(|resource| resource.tokens.iter().cloned()).collect();
        let live_tokens = members.iter().filter_map(|member| {
            let live = self.world.get(member)?;
            let is_ours = live.ownership == Ownership::Ours;
            (is_ours && self.kind(member).is_ok_and(|kind| is_child(kind.life())))
                .then_some(&live.tokens)
        });
        let marked =
            self.world.get(&root).map(|live| live.marks.children.clone()).unwrap_or_default();
        let meanwhile = live_tokens
            .flatten()
            .cloned()
            .chain(marked)
            .chain(afterwards.iter().cloned())
            .collect();
        let digest = self.graph.get(&root).map(|_| {
            let specs: Vec<(&Address, &Value)> =
                declared().map(|resource| (&resource.address, &resource.spec)).collect();
            digest_of(&specs)[..16].to_owned()
        });
        Family {
            root,
            members,
            children_meanwhile: meanwhile,
            children_afterwards: afterwards,
            digest,
        }
    }

    fn root(&self, address: &Address) -> Address {
        let mut root = address;
        while let Some(parent) = self.graph.get(root).and_then(|resource| resource.parent.as_ref())
        {
            root = parent;
        }
        if self.graph.get(root).is_some() { root.clone() } else { self.world.root_of(root) }
    }

    /// A family that is as declared, but whose marks do not say so (an apply was cut off just before the end), gets its marks.
    fn complete_marks(&self, changes: &mut Changes, families: &[Family]) {
        for family in families {
            let idle = family.members.iter().all(|member| {
                changes.get(member).is_some_and(|change| change.action == Action::None)
            });
            let Some(live) = self.world.get(&family.root).filter(|_| idle) else { continue };
            let settled = live.marks.digest == family.digest
                && live.marks.children == family.children_afterwards;
            if settled || live.ownership != Ownership::Ours {
                continue;
            }
            if let Some(change) = changes.get_mut(&family.root) {
                change.action = Action::Update;
                change.reason = Some("completes the ownership marks of an earlier run".to_owned());
                change.fields = vec![Field {
                    path: "ownership_marks".to_owned(),
                    from: Some(json!("incomplete")),
                    to: Some(json!("complete")),
                }];
            }
        }
    }

    fn keep_targets(&self, changes: &mut Changes, families: &mut [Family]) {
        let mut kept: BTreeSet<Address> = BTreeSet::new();
        for target in &self.options.targets {
            kept.extend(self.graph.closure(target));
            // What hangs on a target that is to go goes with it.
            kept.extend(changes.keys().filter(|it| self.world.root_of(it) == *target).cloned());
        }
        for family in families {
            let touched =
                |it: &Address| changes.get(it).is_some_and(|change| change.action != Action::None);
            if family.members.iter().any(|member| touched(member) && !kept.contains(member)) {
                family.digest = None;
                family.children_afterwards.clone_from(&family.children_meanwhile);
            }
        }
        changes.retain(|address, _| kept.contains(address));
    }

    /// Marks the changes that cannot be finished now although nothing they depend on is left to do.
    async fn defer(&self, changes: &mut Changes) -> Result<(), PlanError> {
        let busy: BTreeSet<Address> = changes
            .values()
            .filter(|change| change.action != Action::None)
            .map(|change| change.address.clone())
            .collect();
        for address in &busy {
            let closure = self.graph.closure(address);
            if closure.iter().any(|it| it != address && busy.contains(it)) {
                continue;
            }
            let Some(change) = changes.get_mut(address) else { continue };
            let Some(to) = change.to.clone().filter(|to| !super::is_unknown(to)) else { continue };
            if !matches!(change.action, Action::Create | Action::Update) {
                continue;
            }
            let asked = change_of(address, change.from.clone(), to, &change.fields);
            change.deferred = self
                .kind(address)?
                .deferral(&asked)
                .await
                .map_err(|source| PlanError::Kind { address: address.clone(), source })?;
        }
        Ok(())
    }

    fn unmanaged(&self) -> Vec<Unmanaged> {
        self.world
            .iter()
            .filter(|live| {
                live.ownership == Ownership::Unowned && self.graph.get(&live.address).is_none()
            })
            .map(|live| Unmanaged { address: live.address.clone(), parent: live.parent.clone() })
            .collect()
    }

    fn refusals(&self, changes: &Changes) -> Vec<Refusal> {
        let judged = changes.values().filter_map(|change| {
            let live = self.world.get(&change.address)?;
            self.graph.get(&change.address)?;
            let is_aspect =
                self.kind(&change.address).is_ok_and(|kind| kind.life() == Life::Aspect);
            let (rule, message) = match &live.ownership {
                // The parent's own refusal says it.
                _ if is_aspect => return None,
                Ownership::Ours => return None,
                Ownership::Foreign(owner) => (Rule::Foreign, format!("belongs to {owner}")),
                Ownership::Unowned => {
                    (Rule::Unowned, "exists already and was not made by sesinfra".to_owned())
                }
            };
            Some(Refusal { rule, address: change.address.clone(), message })
        });
        judged.collect()
    }
}

fn change_of(address: &Address, from: Option<Value>, to: Value, fields: &[Field]) -> Change<Value> {
    Change {
        name: address.name().to_owned(),
        from,
        to,
        fields: fields.to_vec(),
        marks: Marks::default(),
    }
}

/// Every member of a spec as a field that is written although it does not differ.
fn rewritten(spec: Option<&Value>) -> Vec<Field> {
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
