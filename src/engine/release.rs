//! Letting go: what is named stays as it is, with all that is under it, and is nobody's from then on.
//!
//! # Guarantees
//! Reads only, as planning does. What a child itself says of whose it is goes before its parent's marks cease to name it,
//! so a run that is cut off anywhere is gone on with by doing the same again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Action, Address, Family, Graph, Impact, Life, LiveValue, Plan, PlanError, PlannedChange,
    Registry, Step, Verb, World,
};

/// Plans how what is at `addresses` is let go of. What is nobody's already needs nothing.
pub async fn release(
    graph: &Graph,
    registry: &Registry,
    addresses: &BTreeSet<Address>,
) -> Result<Plan, PlanError> {
    let world = World::read(graph, registry).await?;
    let releasing = Releasing { registry, world: &world };
    let mut released: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for address in addresses {
        let Some(live) = world.get(address) else {
            if graph.get(address).is_none() {
                return Err(PlanError::unknown_address(address, graph, &world));
            }
            continue;
        };
        if let (Some(Life::Aspect), Some(parent)) = (releasing.life(address), &live.parent) {
            return Err(PlanError::Setting { address: address.clone(), parent: parent.clone() });
        }
        // A setting of the account is nobody's anyway.
        if live.ownership.is_ours() && releasing.life(address) != Some(Life::Setting) {
            releasing.collect(live, &mut released);
        }
    }
    let mut plan = Plan::default();
    for (root, members) in &released {
        releasing.plan_family(root, members, &mut plan);
    }
    plan.changes.sort_by(|left, right| left.address.cmp(&right.address));
    Ok(plan)
}

struct Releasing<'a> {
    registry: &'a Registry,
    world: &'a World,
}

impl Releasing<'_> {
    fn life(&self, address: &Address) -> Option<Life> {
        self.registry.get(address.kind()).map(|kind| kind.life())
    }

    /// What is let go of with `live`, by its root: a root with all of ours under it, a child alone.
    fn collect(&self, live: &LiveValue, released: &mut BTreeMap<Address, BTreeSet<Address>>) {
        let root = self.world.root_of(&live.address);
        let members = released.entry(root.clone()).or_default();
        members.insert(live.address.clone());
        if live.address == root {
            let under = self.world.ours().filter(|it| {
                self.life(&it.address) != Some(Life::Aspect)
                    && self.world.root_of(&it.address) == root
            });
            members.extend(under.map(|it| it.address.clone()));
        }
    }

    fn plan_family(&self, root: &Address, members: &BTreeSet<Address>, plan: &mut Plan) {
        let goes_whole = members.contains(root);
        let first = plan.steps.len();
        for address in members.iter().filter(|address| *address != root) {
            let (address, verb) = (address.clone(), Verb::Forget);
            plan.steps.push(Step { address, verb, after: Vec::new() });
        }
        let after = (first..plan.steps.len()).collect();
        let verb = if goes_whole { Verb::Forget } else { Verb::Announce };
        plan.steps.push(Step { address: root.clone(), verb, after });
        for address in members {
            let Some(live) = self.world.get(address) else { continue };
            plan.changes.push(forgotten(live));
        }
        let children = self.children_left(root, members);
        let mut members = members.clone();
        members.insert(root.clone());
        plan.families.push(Family {
            root: root.clone(),
            members: members.into_iter().collect(),
            children_meanwhile: children.clone(),
            children_afterwards: children,
            // What is declared of it may be what was just let go of, so nothing says that it is as declared.
            digest: None,
            relinks: BTreeSet::new(),
            given_away: BTreeSet::new(),
        });
    }

    /// The tokens that the marks of `root` name once `members` are let go of.
    fn children_left(&self, root: &Address, members: &BTreeSet<Address>) -> BTreeSet<String> {
        let tokens = |live: &LiveValue| live.tokens.clone();
        let gone: BTreeSet<String> =
            members.iter().filter_map(|it| self.world.get(it)).flat_map(tokens).collect();
        let left: BTreeSet<String> = self
            .world
            .ours()
            .filter(|it| it.parent.as_ref() == Some(root) && !members.contains(&it.address))
            .flat_map(tokens)
            .collect();
        let marked = self.world.get(root).map(|live| live.marks.children.clone());
        let marked = marked.unwrap_or_default();
        marked.into_iter().filter(|token| left.contains(token) || !gone.contains(token)).collect()
    }
}

fn forgotten(live: &LiveValue) -> PlannedChange {
    PlannedChange {
        address: live.address.clone(),
        action: Action::Forget,
        fields: Arc::default(),
        from: Some(Arc::clone(&live.spec)),
        to: None,
        parent: live.parent.clone(),
        impact: Impact::safe(),
        reason: None,
        deferred: None,
        notes: live.notes.clone(),
        ignore: BTreeSet::new(),
        takes_back: false,
    }
}
