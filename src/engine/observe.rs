//! What is live: every kind read once, concurrently.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::{Address, BoxError, Graph, LiveValue, Ownership, PlanError, Reading, Registry, Wanted};

/// The live resources that matter to one environment.
#[derive(Clone, Debug, Default)]
pub struct World {
    live: BTreeMap<Address, LiveValue>,
}

impl World {
    /// Reads all that `graph` declares and all that is ours.
    pub async fn read(graph: &Graph, registry: &Registry) -> Result<Self, PlanError> {
        let mut wanted: BTreeMap<&str, Vec<Wanted<Value>>> = BTreeMap::new();
        for resource in graph.in_order() {
            let address = &resource.address;
            if registry.get(address.kind()).is_none() {
                return Err(PlanError::UnknownKind(address.clone()));
            }
            wanted.entry(address.kind()).or_default().push(Wanted {
                name: address.name().to_owned(),
                spec: Some(resource.spec.clone()),
            });
        }
        let reads = registry.kinds().map(|kind| {
            let named = wanted.remove(kind.name()).unwrap_or_default();
            async move {
                let found = kind.read(&named, Reading::Everything).await;
                found.map_err(|source| PlanError::Read { kind: kind.name(), source })
            }
        });
        let live = try_join_all(reads).await?.into_iter().flatten();
        Ok(Self { live: live.map(|one| (one.address.clone(), one)).collect() })
    }

    /// Reads the named resources afresh.
    pub(super) async fn read_named(
        registry: &Registry,
        wanted: BTreeMap<Address, Option<Value>>,
    ) -> Result<Self, BoxError> {
        let mut by_kind: BTreeMap<String, Vec<Wanted<Value>>> = BTreeMap::new();
        for (address, spec) in wanted {
            let named = Wanted { name: address.name().to_owned(), spec };
            by_kind.entry(address.kind().to_owned()).or_default().push(named);
        }
        let reads = by_kind.iter().filter_map(|(kind, named)| {
            let kind = registry.get(kind)?;
            Some(kind.read(named, Reading::Named))
        });
        let live = try_join_all(reads).await?.into_iter().flatten();
        Ok(Self { live: live.map(|one| (one.address.clone(), one)).collect() })
    }

    /// The live resource at `address`.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&LiveValue> {
        self.live.get(address)
    }

    /// All live resources in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = &LiveValue> {
        self.live.values()
    }

    /// Those that are ours. An aspect is ours when its parent is.
    pub fn ours(&self) -> impl Iterator<Item = &LiveValue> {
        self.iter().filter(|live| live.ownership == Ownership::Ours)
    }

    /// The root whose marks speak of `address`, following live parents.
    #[must_use]
    pub fn root_of(&self, address: &Address) -> Address {
        let mut root = address;
        while let Some(parent) = self.live.get(root).and_then(|live| live.parent.as_ref()) {
            root = parent;
        }
        root.clone()
    }
}
