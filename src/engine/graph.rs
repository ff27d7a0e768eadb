//! The wanted resources and what each must come after. Edges come from references and parents; the few orderings
//! that no reference shows are given with their reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{Address, Pool, references};

/// One wanted resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its name.
    pub address: Address,
    /// Its spec as JSON; outputs of others are references.
    pub spec: Arc<Value>,
    /// The resource whose marks name this one, or whose setting it is.
    pub parent: Option<Address>,
    /// How the parent's marks name this child.
    pub tokens: BTreeSet<String>,
    /// What it must come after although no reference shows it, each with the reason.
    pub after: Vec<(Address, &'static str)>,
    /// Paths that others may change: once it exists, what is there counts as wanted.
    pub ignore: BTreeSet<String>,
}

impl Resource {
    /// A resource with a typed spec.
    ///
    /// # Errors
    /// When the spec has no JSON form, which a spec made of plain data always has.
    pub fn new<S: Serialize>(address: Address, spec: &S) -> Result<Self, serde_json::Error> {
        let spec = Arc::new(serde_json::to_value(spec)?);
        Ok(Self {
            address,
            spec,
            parent: None,
            tokens: BTreeSet::new(),
            after: Vec::new(),
            ignore: BTreeSet::new(),
        })
    }

    /// The same, with the spec of those in `pool` that have an equal one.
    #[must_use]
    pub fn pooled(mut self, pool: &mut Pool) -> Self {
        self.spec = pool.share(Arc::unwrap_or_clone(self.spec));
        self
    }

    /// The same, as a child or an aspect of `parent`.
    #[must_use]
    pub fn under(mut self, parent: Address) -> Self {
        self.parent = Some(parent);
        self
    }

    /// The same, named by `token` in the parent's marks.
    #[must_use]
    pub fn known_as(mut self, token: impl Into<String>) -> Self {
        self.tokens.insert(token.into());
        self
    }

    /// The same, with paths that others may change.
    #[must_use]
    pub fn ignoring(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        self.ignore.extend(paths);
        self
    }

    /// The same, not before `other`.
    #[must_use]
    pub fn after(mut self, other: Address, reason: &'static str) -> Self {
        // Mostly the only one, of thousands of resources.
        self.after.reserve_exact(1);
        self.after.push((other, reason));
        self
    }
}

/// Why resources make no graph.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GraphError {
    /// Two resources have one address.
    #[error("{0} is declared twice")]
    Twice(Address),
    /// Something refers to a resource that is not there.
    #[error("{from} refers to {to}, which is not declared")]
    Dangling {
        /// Who refers.
        from: Address,
        /// To what.
        to: Address,
    },
    /// Resources wait for one another.
    #[error("these wait for one another: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Cycle(Vec<Address>),
}

/// The wanted resources of one environment, checked: no reference dangles and nothing waits for itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    resources: BTreeMap<Address, Resource>,
    order: Vec<Address>,
    /// What is left as it is although it is not declared.
    left: BTreeSet<Address>,
}

impl Graph {
    /// Checks and orders `resources`.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Result<Self, GraphError> {
        let mut resources: Vec<Resource> = resources.into_iter().collect();
        resources.sort_by(|one, other| one.address.cmp(&other.address));
        let twice = resources.windows(2).find(|pair| pair[0].address == pair[1].address);
        if let Some([one, _]) = twice {
            return Err(GraphError::Twice(one.address.clone()));
        }
        let resources = resources.into_iter().map(|it| (it.address.clone(), it)).collect();
        let mut graph = Self { resources, ..Self::default() };
        for resource in graph.resources.values() {
            let missing =
                dependencies(resource).into_iter().find(|to| !graph.resources.contains_key(to));
            if let Some(to) = missing {
                return Err(GraphError::Dangling { from: resource.address.clone(), to });
            }
        }
        graph.order = graph.ordered()?;
        Ok(graph)
    }

    /// The resources, each after all that it depends on.
    pub fn in_order(&self) -> impl Iterator<Item = &Resource> {
        self.order.iter().filter_map(|address| self.resources.get(address))
    }

    /// The resource at `address`.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&Resource> {
        self.resources.get(address)
    }

    /// The same, with settings that are left as they are, whatever that is, although they are not declared.
    #[must_use]
    pub fn leaving(mut self, left: impl IntoIterator<Item = Address>) -> Self {
        self.left.extend(left);
        self
    }

    /// Whether what is at `address` is left as it is.
    #[must_use]
    pub fn leaves(&self, address: &Address) -> bool {
        self.left.contains(address)
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// What the resource at `address` depends on directly.
    #[must_use]
    pub fn dependencies(&self, address: &Address) -> BTreeSet<Address> {
        self.resources.get(address).map(dependencies).unwrap_or_default()
    }

    /// The root of the family that `address` is declared in.
    #[must_use]
    pub fn root(&self, address: &Address) -> Address {
        let mut root = address;
        while let Some(parent) = self.resources.get(root).and_then(|it| it.parent.as_ref()) {
            root = parent;
        }
        root.clone()
    }

    /// The members of each family, the root included, by root.
    #[must_use]
    pub fn families(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        let mut families: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for address in self.resources.keys() {
            families.entry(self.root(address)).or_default().insert(address.clone());
        }
        families
    }

    /// What is left as it is although it is not declared.
    pub(super) fn left(&self) -> impl Iterator<Item = &Address> {
        self.left.iter()
    }

    fn ordered(&self) -> Result<Vec<Address>, GraphError> {
        let mut waiting: BTreeMap<&Address, usize> = BTreeMap::new();
        let mut dependents: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
        for (address, resource) in &self.resources {
            let needed = dependencies(resource);
            waiting.insert(address, needed.len());
            for other in needed {
                dependents.entry(other).or_default().push(address);
            }
        }
        let mut ready: BTreeSet<&Address> =
            waiting.iter().filter(|(_, count)| **count == 0).map(|(address, _)| *address).collect();
        let mut order = Vec::with_capacity(self.resources.len());
        while let Some(address) = ready.pop_first() {
            waiting.remove(address);
            order.push(address.clone());
            for dependent in dependents.get(address).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(dependent);
                    }
                }
            }
        }
        if waiting.is_empty() {
            Ok(order)
        } else {
            Err(GraphError::Cycle(waiting.into_keys().cloned().collect()))
        }
    }
}

fn dependencies(resource: &Resource) -> BTreeSet<Address> {
    let referred = references(&resource.spec).into_iter().map(|(address, _)| address);
    referred
        .chain(resource.parent.clone())
        .chain(resource.after.iter().map(|(other, _)| other.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Arg, Output};

    fn at(name: &str) -> Address {
        Address::new("thing", name)
    }

    fn plain(name: &str) -> Resource {
        Resource::new(at(name), &json!({})).unwrap()
    }

    fn referring(name: &str, to: &str) -> Resource {
        let output: Arg<String> = Output::at("key").of(&at(to));
        Resource::new(at(name), &json!({ "key": output })).unwrap()
    }

    #[test]
    fn each_comes_after_all_that_it_depends_on() {
        let all = [
            plain("d").after(at("c"), "a test"),
            referring("b", "a"),
            plain("c").under(at("b")),
            plain("a"),
        ];
        let graph = Graph::new(all).unwrap();
        let order: Vec<&str> = graph.in_order().map(|it| it.address.name()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
        assert_eq!(graph.dependencies(&at("c")), BTreeSet::from([at("b")]));
    }

    #[test]
    fn twice_dangling_and_cyclic_graphs_are_refused() {
        assert_eq!(Graph::new([plain("a"), plain("a")]), Err(GraphError::Twice(at("a"))));
        let dangling = GraphError::Dangling { from: at("a"), to: at("b") };
        assert_eq!(Graph::new([referring("a", "b")]), Err(dangling));
        let cycle = [referring("a", "b"), referring("b", "a"), plain("c")];
        assert_eq!(Graph::new(cycle), Err(GraphError::Cycle(vec![at("a"), at("b")])));
    }
}
