//! A first glance: families that are as declared by what tags and lists tell of their roots, so that nothing of them need
//! be read. What others changed beside the marks is not looked for.
//!
//! # Guarantees
//! A family passes only on the digest that was written after all of it was read back as declared, and only where nothing
//! that is read depends on it. Without changes by others, a plan made so says what one says that reads everything.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::difference::keeping;
use super::families::{RELINK, digest_of_family};
use super::planning::planned;
use super::{
    Action, Address, Graph, Marks, Options, Ownership, Plan, PlanError, Registry, Resource,
    difference, references,
};

/// How much of what is live a plan looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refresh {
    /// Every setting of all that is declared or ours.
    #[default]
    Full,
    /// Tags and lists, and every setting of what those do not show to be as it was last applied.
    Tags,
}

/// What tags and lists tell of one root that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// AWS's own name.
    pub name: String,
    /// Whose it is.
    pub ownership: Ownership,
    /// What its marks name.
    pub marks: Marks,
    /// Members of the spec that tags and lists tell, as they are live.
    pub told: BTreeMap<&'static str, Value>,
}

/// The families that need not be read: declared members by root.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    families: BTreeMap<Address, BTreeSet<Address>>,
}

impl Settled {
    /// Whether `address` is declared and belongs to one of them.
    pub(super) fn has(&self, graph: &Graph, address: &Address) -> bool {
        graph.get(address).is_some() && self.families.contains_key(&graph.root(address))
    }

    /// Whether `address` is the root of one of them.
    pub(super) fn has_root(&self, address: &Address) -> bool {
        self.families.contains_key(address)
    }

    /// The names of their roots of one kind.
    pub(super) fn roots_of(&self, kind: &str) -> BTreeSet<String> {
        let roots = self.families.keys().filter(|root| root.kind() == kind);
        roots.map(|root| root.name().to_owned()).collect()
    }

    /// All that is declared of them.
    pub(super) fn members(&self) -> BTreeSet<Address> {
        self.families.values().flatten().cloned().collect()
    }

    /// Glances at the roots that `graph` declares.
    async fn glance(
        graph: &Graph,
        registry: &Registry,
        options: &Options,
    ) -> Result<Self, PlanError> {
        let families = graph.families();
        let glances = registry.kinds().map(|kind| {
            let declared = families.keys().filter(|root| root.kind() == kind.name());
            let declared: BTreeSet<String> = declared.map(|root| root.name().to_owned()).collect();
            async move {
                if declared.is_empty() {
                    return Ok(Vec::new());
                }
                let failed = |source| PlanError::Read { kind: kind.name(), source };
                let glances = kind.glance(&declared).await.map_err(failed)?.unwrap_or_default();
                let roots = glances.into_iter();
                Ok(roots.map(|it| (Address::new(kind.name(), it.name.as_str()), it)).collect())
            }
        });
        let glances: BTreeMap<Address, Glance> =
            try_join_all(glances).await?.into_iter().flatten().collect();
        let is_named = |members: &BTreeSet<Address>| {
            members.iter().any(|it| options.replace.contains(it) || options.adopt.contains(it))
        };
        let passes = |root: &Address, members: &BTreeSet<Address>| {
            let glance = glances.get(root);
            !is_named(members)
                && glance.is_some_and(|it| is_settled(graph, registry, root, members, it))
        };
        let mut settled = Self { families };
        settled.families.retain(|root, members| passes(root, members));
        settled.spare_what_is_needed(graph);
        Ok(settled)
    }

    /// Takes out what those that are read have outputs of: they cannot be compared without.
    fn spare_what_is_needed(&mut self, graph: &Graph) {
        let mut open: Vec<&Resource> =
            graph.in_order().filter(|it| !self.has(graph, &it.address)).collect();
        while let Some(resource) = open.pop() {
            for (other, _) in references(&resource.spec) {
                let members = self.families.remove(&graph.root(&other)).unwrap_or_default();
                open.extend(members.iter().filter_map(|member| graph.get(member)));
            }
        }
    }

    /// Takes out what may have to follow what `plan` makes anew, or gives new outputs; whether there was any.
    fn stir(&mut self, graph: &Graph, plan: &Plan) -> bool {
        let is_new = |action| matches!(action, Action::Create | Action::Replace);
        let renewed = plan
            .pending()
            .filter(|it| is_new(it.action) || !plan.outputs.contains_key(&it.address))
            .map(|it| &it.address);
        let left_behind = plan.families.iter().filter(|it| it.children_meanwhile.contains(RELINK));
        let causes: BTreeSet<&Address> =
            renewed.chain(left_behind.flat_map(|family| &family.members)).collect();
        let follows = |member: &Address| {
            graph.dependencies(member).iter().any(|other| causes.contains(other))
        };
        let before = self.families.len();
        self.families.retain(|_, members| !members.iter().any(follows));
        self.spare_what_is_needed(graph);
        self.families.len() < before
    }
}

/// Whether the marks on a root say that its family is as it is declared now.
fn is_settled(
    graph: &Graph,
    registry: &Registry,
    root: &Address,
    members: &BTreeSet<Address>,
    glance: &Glance,
) -> bool {
    let Some(resource) = graph.get(root) else { return false };
    let declared = || members.iter().filter_map(|member| graph.get(member));
    let tokens: BTreeSet<&String> = declared().flat_map(|resource| &resource.tokens).collect();
    let digest = digest_of_family(graph, registry, root, members);
    glance.ownership == Ownership::Ours
        && glance.marks.digest == Some(digest)
        && glance.marks.children.iter().eq(tokens)
        && is_as_told(resource, &glance.told)
}

/// Whether what tags and lists tell of a root is as declared, or left to others.
fn is_as_told(resource: &Resource, told: &BTreeMap<&'static str, Value>) -> bool {
    let mut live = Value::clone(&resource.spec);
    let Some(members) = live.as_object_mut() else { return told.is_empty() };
    members.extend(told.iter().map(|(member, value)| ((*member).to_owned(), value.clone())));
    let wanted = keeping(Value::clone(&resource.spec), &live, &resource.ignore);
    difference(Some(&live), Some(&wanted), &[]).is_empty()
}

/// Plans after a first glance, reading what that does not settle.
pub(super) async fn planned_by_tags(
    graph: &Graph,
    registry: &Registry,
    options: &Options,
) -> Result<Plan, PlanError> {
    let mut settled = Settled::glance(graph, registry, options).await?;
    loop {
        let plan = planned(graph, registry, options, &settled).await?;
        // Each turn reads more than the one before, so this ends.
        if !settled.stir(graph, &plan) {
            return Ok(plan);
        }
    }
}
