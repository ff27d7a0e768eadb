//! Values that another resource computes. Only a field typed [`Arg`] can be unknown before apply, so nothing is deferred by accident.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::Address;

/// The key that marks a reference inside a spec's JSON.
const REFERENCE_KEY: &str = "$output";

/// A value, or a typed reference to another resource's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg<T> {
    /// The value itself.
    Known(T),
    /// The output `path` of the resource at `address`, known once that resource exists.
    Output {
        /// The resource that computes the value.
        address: Address,
        /// The name of the output: a top-level key of the producer's outputs.
        path: String,
    },
}

/// A named output of a kind, typed so that a reference cannot ask for the wrong thing.
#[derive(Debug)]
pub struct Output<T> {
    path: &'static str,
    value: PhantomData<fn() -> T>,
}

/// A reference was left where a value is needed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the output `{path}` of {address} is not known yet")]
pub struct Unresolved {
    /// The resource that was to compute the value.
    pub address: Address,
    /// The output's name.
    pub path: String,
}

impl<T> Output<T> {
    /// Declares the output stored under the top-level key `path` of a kind's outputs.
    #[must_use]
    pub const fn at(path: &'static str) -> Self {
        Self { path, value: PhantomData }
    }

    /// The key under which the output is stored.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Refers to this output of the resource at `address`.
    #[must_use]
    pub fn of(&self, address: &Address) -> Arg<T> {
        Arg::Output { address: address.clone(), path: self.path.to_owned() }
    }
}

impl<T> Arg<T> {
    /// The value, or which output is still missing.
    pub fn get(&self) -> Result<&T, Unresolved> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Output { address, path } => {
                Err(Unresolved { address: address.clone(), path: path.clone() })
            }
        }
    }
}

impl<T: Serialize> Serialize for Arg<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Output { address, path } => {
                BTreeMap::from([(REFERENCE_KEY, format!("{address}#{path}"))]).serialize(serializer)
            }
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Arg<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match reference(&value) {
            Some((address, path)) => Ok(Self::Output { address, path }),
            None => T::deserialize(value).map(Self::Known).map_err(serde::de::Error::custom),
        }
    }
}

/// The reference that `value` is, if it is one.
fn reference(value: &Value) -> Option<(Address, String)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let text = object.get(REFERENCE_KEY)?.as_str()?;
    let (address, path) = text.rsplit_once('#')?;
    Some((address.parse().ok()?, path.to_owned()))
}

/// Whether `value` is an output that is not known yet.
pub(super) fn is_reference(value: &Value) -> bool {
    reference(value).is_some()
}

/// Every output that `spec` refers to.
#[must_use]
pub fn references(spec: &Value) -> Vec<(Address, String)> {
    match spec {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(members) => match reference(spec) {
            Some(found) => vec![found],
            None => members.values().flat_map(references).collect(),
        },
        _ => Vec::new(),
    }
}

/// Replaces each reference whose output `known` holds; the others stay references.
#[must_use]
pub fn resolve(spec: &Value, known: &BTreeMap<Address, Value>) -> Value {
    if let Some((address, path)) = reference(spec) {
        let output = known.get(&address).and_then(|outputs| outputs.get(&path));
        return output.filter(|value| !value.is_null()).unwrap_or(spec).clone();
    }
    match spec {
        Value::Array(items) => items.iter().map(|item| resolve(item, known)).collect(),
        Value::Object(members) => {
            let resolved: Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), resolve(value, known))).collect();
            Value::Object(resolved)
        }
        other => other.clone(),
    }
}

/// The same; a spec without references is not copied.
pub(super) fn resolved(spec: &Arc<Value>, known: &BTreeMap<Address, Value>) -> Arc<Value> {
    if references(spec).is_empty() { Arc::clone(spec) } else { Arc::new(resolve(spec, known)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: Output<String> = Output::at("key");

    fn identity() -> Address {
        Address::new("identity", "pivot.app")
    }

    #[test]
    fn a_reference_survives_json_and_a_value_is_just_the_value() {
        let reference: Arg<String> = KEY.of(&identity());
        let written = serde_json::to_value(&reference).unwrap();
        assert_eq!(written, json!({"$output": "identity.pivot.app#key"}));
        assert_eq!(serde_json::from_value::<Arg<String>>(written).unwrap(), reference);
        let known = Arg::Known("a".to_owned());
        assert_eq!(serde_json::to_value(&known).unwrap(), json!("a"));
        assert_eq!(serde_json::from_value::<Arg<String>>(json!("a")).unwrap(), known);
        assert!(serde_json::from_value::<Arg<String>>(json!(1)).is_err());
    }

    #[test]
    fn only_what_is_known_is_resolved() {
        let spec = json!({"a": KEY.of(&identity()), "b": [{"c": Output::<String>::at("other").of(&identity())}]});
        assert_eq!(references(&spec).len(), 2);
        let known = BTreeMap::from([(identity(), json!({"key": "k", "other": null}))]);
        let resolved = resolve(&spec, &known);
        assert_eq!(resolved["a"], json!("k"));
        assert_eq!(references(&resolved), [(identity(), "other".to_owned())]);
    }

    #[test]
    fn a_missing_output_names_itself() {
        let missing = KEY.of(&identity()).get().cloned().unwrap_err();
        assert_eq!(missing.to_string(), "the output `key` of identity.pivot.app is not known yet");
    }
}
