//! Ten thousand resources: planning and applying take a time that grows with their number, not with its square.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    Address, Arg, BoxError, Change, Control, Event, Field, Graph, Impact, Kind, Life, Live, Marks,
    OnParentDelete, Options, Output, Ownership, Put, Reading, Registry, Resource, Wanted, apply,
    plan,
};

use super::run::block_on;

const SAP: Output<String> = Output::at("sap");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spec {
    size: usize,
    fed_by: Option<Arg<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outputs {
    sap: String,
}

/// Trees and their leaves, and how many calls there were.
#[derive(Default)]
struct Forest {
    grown: Mutex<BTreeMap<String, (Spec, Marks)>>,
    calls: AtomicUsize,
}

impl Forest {
    fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
        is_leaf: bool,
    ) -> Vec<Live<Spec, Outputs>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let grown = self.grown.lock().unwrap();
        let names: Vec<&String> = match reading {
            Reading::Everything => {
                grown.keys().filter(|name| name.contains('/') == is_leaf).collect()
            }
            Reading::Named => wanted.iter().map(|one| &one.name).collect(),
        };
        let found = names.into_iter().filter_map(|name| Some((name, grown.get(name)?)));
        let live = found.map(|(name, (spec, marks))| {
            let tree = name.split_once('/').map(|(tree, _)| tree);
            Live {
                name: name.clone(),
                spec: spec.clone(),
                outputs: Outputs { sap: format!("sap of {name}") },
                ownership: Ownership::Ours,
                parent: tree.map(|tree| Address::new("tree", tree)),
                tokens: tree.map(|_| name.clone()).into_iter().collect(),
                marks: marks.clone(),
                uses: BTreeSet::new(),
                notes: Vec::new(),
            }
        });
        live.collect()
    }

    fn put(&self, change: &Change<Spec>) -> Put<Outputs> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let grown = (change.to.clone(), change.marks.clone());
        self.grown.lock().unwrap().insert(change.name.clone(), grown);
        Put::Done(Some(Outputs { sap: format!("sap of {}", change.name) }))
    }

    fn delete(&self, name: &str) -> Put<Outputs> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut grown = self.grown.lock().unwrap();
        grown.remove(name);
        let leaves = format!("{name}/")..format!("{name}0");
        let leaves: Vec<String> = grown.range(leaves).map(|(leaf, _)| leaf.clone()).collect();
        leaves.iter().for_each(|leaf| drop(grown.remove(leaf)));
        Put::Done(None)
    }
}

macro_rules! kind {
    ($kind:ident, $name:literal, $life:expr, $is_leaf:literal) => {
        struct $kind(Arc<Forest>);

        #[async_trait]
        impl Kind for $kind {
            const NAME: &'static str = $name;
            const LIFE: Life = $life;
            type Spec = Spec;
            type Outputs = Outputs;

            async fn read(
                &self,
                wanted: &[Wanted<Spec>],
                reading: Reading,
            ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
                Ok(self.0.read(wanted, reading, $is_leaf))
            }

            async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
                Ok(self.0.put(change))
            }

            async fn delete(&self, name: &str, _: &Spec) -> Result<Put<Outputs>, BoxError> {
                Ok(self.0.delete(name))
            }

            fn impact(&self, _: Option<&Spec>, _: Option<&Spec>, _: &[Field]) -> Impact {
                Impact::safe()
            }

            async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
                self.0.calls.fetch_add(1, Ordering::Relaxed);
                let mut grown = self.0.grown.lock().unwrap();
                grown.get_mut(name).ok_or("no such tree")?.1.clone_from(marks);
                Ok(())
            }

            fn examples() -> Vec<Spec> {
                Vec::new()
            }
        }
    };
}

kind!(Tree, "tree", Life::Root, false);
kind!(Leaf, "leaf", Life::Child(OnParentDelete::Dies), true);

struct Patience;

#[async_trait]
impl Control for Patience {
    fn hear(&self, _: Event) {}
    fn is_stopped(&self) -> bool {
        false
    }
    async fn pause(&self, _: u32) -> bool {
        false
    }
    async fn pause_for_reads(&self, _: u32) -> bool {
        false
    }
    fn forget_reads(&self) {}
    fn parallelism(&self) -> usize {
        8
    }
}

/// Trees of three leaves each; every tree but the first is fed by the one before, and so are its leaves.
fn wood(resources: usize, size: usize) -> Graph {
    let mut all = Vec::new();
    for number in 0..resources / 4 {
        let tree = Address::new("tree", format!("{number:05}"));
        let before = number.checked_sub(1).map(|it| Address::new("tree", format!("{it:05}")));
        let fed_by = before.map(|before| SAP.of(&before));
        let spec = Spec { size, fed_by };
        all.push(Resource::new(tree.clone(), &spec).unwrap());
        for leaf in 0..3 {
            let name = format!("{number:05}/{leaf}");
            let resource = Resource::new(Address::new("leaf", &name), &spec).unwrap();
            all.push(resource.under(tree.clone()).known_as(name));
        }
    }
    Graph::new(all).unwrap()
}

/// Grows, changes and fells a wood, and gives the time and the calls it took.
fn life(resources: usize) -> (Duration, usize) {
    let forest = Arc::new(Forest::default());
    let registry = Registry::default().with(Tree(forest.clone())).with(Leaf(forest.clone()));
    let begin = Instant::now();
    for graph in [wood(resources, 1), wood(resources, 2), Graph::default()] {
        let targets = graph.in_order().map(|resource| resource.address.clone()).collect();
        // Targets that are everything must change nothing, and cost no more than a look at each.
        let all = Options { targets, ..Options::default() };
        let planned = block_on(plan(&graph, &registry, &all)).unwrap();
        assert_eq!(planned.changes.len(), resources);
        for change in &planned.changes {
            assert_eq!(planned.change(&change.address), Some(change));
        }
        assert!(block_on(apply(&planned, &registry, &Patience)).is_complete());
    }
    assert!(forest.grown.lock().unwrap().is_empty());
    (begin.elapsed(), forest.calls.load(Ordering::Relaxed))
}

#[test]
fn time_and_calls_grow_with_the_number_of_resources() {
    let (few, few_calls) = life(1_000);
    let (many, many_calls) = life(10_000);
    println!("1,000 in {few:?} with {few_calls} calls, 10,000 in {many:?} with {many_calls} calls");
    assert!(many_calls <= few_calls * 10);
    // Ten times as many may take ten times as long, and a bit; a quadratic step would make it a hundred times.
    assert!(many < few * 40, "10,000 took {many:?}, 1,000 took {few:?}");
}
