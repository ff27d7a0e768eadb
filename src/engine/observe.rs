//! What is live: every kind read once, concurrently, beside what need not be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::glance::Settled;
use super::{Address, Aim, BoxError, Graph, LiveValue, PlanError, Reading, Registry, Wanted};

/// What is to be read, by kind.
type Asked<'a> = BTreeMap<&'a str, Vec<Wanted<Arc<Value>>>>;

/// The live resources that matter to one environment.
#[derive(Clone, Debug, Default)]
pub struct World {
    live: BTreeMap<Address, LiveValue>,
    remarks: BTreeMap<Address, Vec<String>>,
}

impl World {
    /// Reads all that `graph` declares and all that is ours.
    pub async fn read(graph: &Graph, registry: &Registry) -> Result<Self, PlanError> {
        Self::read_aiming(graph, registry, |_| Aim::Keep, &Settled::default()).await
    }

    /// The same, with what is meant to become of each declared resource, and without what is settled.
    pub(super) async fn read_aiming(
        graph: &Graph,
        registry: &Registry,
        aim: impl Fn(&Address) -> Aim,
        settled: &Settled,
    ) -> Result<Self, PlanError> {
        let mut asked = declared(graph, registry, aim, settled)?;
        ask_for_settings(graph, registry, settled, &mut asked);
        for kind in registry.kinds() {
            let named = asked.get(kind.name()).into_iter().flatten();
            let named = named.map(|one| one.name.clone()).collect();
            kind.hear_of(&named, &settled.roots_of(kind.name()));
        }
        let reads = registry.kinds().map(|kind| {
            let named = asked.remove(kind.name()).unwrap_or_default();
            async move {
                let failed = |source| PlanError::Read { kind: kind.name(), source };
                let found = kind.read(&named, Reading::Everything).await.map_err(failed)?;
                let remarks = kind.remarks(&named).await.map_err(failed)?;
                let said = remarks.into_iter();
                let said = said.map(|(name, text)| (Address::new(kind.name(), name), text));
                Ok((found, said.collect::<Vec<_>>()))
            }
        });
        let mut world = Self::default();
        for (found, remarks) in try_join_all(reads).await? {
            world.live.extend(found.into_iter().map(|mut one| {
                share_spec(&mut one, graph);
                (one.address.clone(), one)
            }));
            for (address, text) in remarks {
                world.remarks.entry(address).or_default().push(text);
            }
        }
        world.leave_out(graph, settled);
        Ok(world)
    }

    /// Forgets what was found of settled families on the way: it was read without what is wanted of it.
    fn leave_out(&mut self, graph: &Graph, settled: &Settled) {
        let is_settled = |address: &Address| {
            settled.has(graph, address) || settled.has_root(&self.root_of(address))
        };
        let left_out: Vec<Address> =
            self.live.keys().filter(|it| is_settled(it)).cloned().collect();
        for address in left_out {
            self.live.remove(&address);
        }
    }

    /// Reads the named resources afresh.
    pub(super) async fn read_named(
        registry: &Registry,
        wanted: BTreeMap<Address, Option<Arc<Value>>>,
    ) -> Result<Self, BoxError> {
        let mut by_kind: BTreeMap<String, Vec<Wanted<Arc<Value>>>> = BTreeMap::new();
        for (address, spec) in wanted {
            let named = Wanted { name: address.name().to_owned(), spec, aim: Aim::Keep };
            by_kind.entry(address.kind().to_owned()).or_default().push(named);
        }
        let reads = by_kind.iter().filter_map(|(kind, named)| {
            let kind = registry.get(kind)?;
            Some(kind.read(named, Reading::Named))
        });
        let live = try_join_all(reads).await?.into_iter().flatten();
        Ok(Self {
            live: live.map(|one| (one.address.clone(), one)).collect(),
            remarks: BTreeMap::new(),
        })
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
        self.iter().filter(|live| live.ownership.is_ours())
    }

    /// What is worth knowing of `address`: states of what is live there, and what its kind remarked.
    #[must_use]
    pub fn notes(&self, address: &Address) -> Vec<String> {
        let of_live = self.live.get(address).into_iter().flat_map(|live| &live.notes);
        of_live.chain(self.remarks.get(address).into_iter().flatten()).cloned().collect()
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

/// What is live as it is declared is held once.
fn share_spec(live: &mut LiveValue, graph: &Graph) {
    if let Some(resource) = graph.get(&live.address).filter(|it| it.spec == live.spec) {
        live.spec = Arc::clone(&resource.spec);
    }
}

fn declared<'a>(
    graph: &'a Graph,
    registry: &Registry,
    aim: impl Fn(&Address) -> Aim,
    settled: &Settled,
) -> Result<Asked<'a>, PlanError> {
    let mut asked = Asked::new();
    for resource in graph.in_order().filter(|it| !settled.has(graph, &it.address)) {
        let address = &resource.address;
        if registry.get(address.kind()).is_none() {
            return Err(PlanError::UnknownKind(address.clone()));
        }
        asked.entry(address.kind()).or_default().push(Wanted {
            name: address.name().to_owned(),
            spec: Some(Arc::clone(&resource.spec)),
            aim: aim(address),
        });
    }
    Ok(asked)
}

/// Settings that are not declared are looked for too: those of a root that is adopted become ours with it, and go.
fn ask_for_settings<'a>(
    graph: &Graph,
    registry: &'a Registry,
    settled: &Settled,
    asked: &mut Asked<'a>,
) {
    for kind in registry.kinds() {
        let Some(parent) = kind.setting_of() else { continue };
        let parents = graph.in_order().map(|resource| &resource.address);
        let parents = parents.filter(|it| it.kind() == parent && !settled.has_root(it));
        let undeclared = parents
            .map(Address::name)
            .filter(|name| graph.get(&Address::new(kind.name(), name)).is_none());
        let looked_for = undeclared.map(|name| Wanted::looked_for(name.to_owned()));
        asked.entry(kind.name()).or_default().extend(looked_for);
    }
}
