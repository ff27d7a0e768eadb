//! The digest that a plan by tags goes by, on the kinds there are: another whenever any field of any of them is.

use serde_json::Value;
use sesinfra::engine::{Address, Graph, Registry, Resource, digest_of_family};

use crate::it::stage::Stage;

fn digest(registry: &Registry, kind: &str, spec: &Value) -> String {
    let address = Address::new(kind, "one");
    let graph = Graph::new([Resource::new(address.clone(), spec).unwrap()]).unwrap();
    digest_of_family(&graph, registry, &address, &graph.families()[&address])
}

/// The same spec with each value in turn replaced by another, or taken away.
fn flipped(spec: &Value) -> Vec<Value> {
    let inner: Vec<(Value, Vec<Value>)> = match spec {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| {
                let with = |other: Value| {
                    let mut members = members.clone();
                    members.insert(key.clone(), other);
                    Value::Object(members)
                };
                let mut without = members.clone();
                without.remove(key);
                let changed = flipped(value).into_iter().map(with).collect();
                [(Value::Object(without), changed)]
            })
            .collect(),
        Value::Array(items) => (0..items.len())
            .map(|index| {
                let with = |other: Value| {
                    let mut items = items.clone();
                    items[index] = other;
                    Value::Array(items)
                };
                let mut without = items.clone();
                without.remove(index);
                (Value::Array(without), flipped(&items[index]).into_iter().map(with).collect())
            })
            .collect(),
        Value::Bool(is) => return vec![Value::Bool(!is)],
        Value::String(text) => return vec![Value::String(format!("{text}x"))],
        Value::Number(number) => {
            return vec![Value::from(number.as_f64().unwrap_or_default() + 1.0)];
        }
        Value::Null => return vec![Value::Bool(true)],
    };
    inner.into_iter().flat_map(|(without, changed)| changed.into_iter().chain([without])).collect()
}

#[tokio::test]
async fn every_field_of_every_kind_is_in_the_digest() {
    let stage = Stage::new().await;
    let registry = stage.open("").await.registry.clone();
    let mut flips = 0;
    for kind in registry.kinds() {
        for example in kind.examples().unwrap() {
            let before = digest(&registry, kind.name(), &example);
            for other in flipped(&example) {
                flips += 1;
                let after = digest(&registry, kind.name(), &other);
                assert_ne!(before, after, "{}: {example} and {other}", kind.name());
            }
        }
    }
    assert!(flips > 200, "{flips}");
}
