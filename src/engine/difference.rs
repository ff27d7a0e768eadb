//! The one comparison: which fields differ between a live and a wanted spec. Plans, views and kinds all use its answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::argument::is_reference;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Dotted path inside the spec, for example `delivery.tls`. A dot or backslash inside a key is written with a backslash before it.
    pub path: String,
    /// The live value; `None` when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Value>,
    /// The wanted value; `None` when it is to go. May hold an output that is known only after apply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<Value>,
}

/// Whether any of `fields` is at `path` or below it.
#[must_use]
pub fn touches(fields: &[Field], path: &str) -> bool {
    fields.iter().any(|field| is_at_or_below(&field.path, path))
}

/// Whether a value, or something inside it, is an output known only after apply.
#[must_use]
pub fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_unknown),
        Value::Object(members) => is_reference(value) || members.values().any(is_unknown),
        _ => false,
    }
}

/// The fields in which `wanted` differs from `live`, in the order of their paths. Paths in `ignored`, and below, are passed over.
///
/// Objects are compared member by member, everything else as a whole: kinds hold what AWS treats as a set in ordered sets.
#[must_use]
pub fn difference(live: Option<&Value>, wanted: Option<&Value>, ignored: &[&str]) -> Vec<Field> {
    let mut fields = Vec::new();
    compare(String::new(), live, wanted, &mut fields);
    fields.retain(|field| !ignored.iter().any(|path| is_at_or_below(&field.path, path)));
    fields
}

/// `wanted`, with what is live at these paths.
#[must_use]
pub(super) fn keeping(mut wanted: Value, live: &Value, paths: &BTreeSet<String>) -> Value {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        let found = steps.iter().try_fold(live, |value, step| value.get(step));
        put(&mut wanted, &steps, found);
    }
    wanted
}

fn put(value: &mut Value, steps: &[&str], found: Option<&Value>) {
    let (Some(members), [step, rest @ ..]) = (value.as_object_mut(), steps) else { return };
    match (rest, found) {
        ([], Some(found)) => {
            members.insert((*step).to_owned(), found.clone());
        }
        ([], None) => {
            members.remove(*step);
        }
        (rest, found) => {
            if let Some(below) = members.get_mut(*step) {
                put(below, rest, found);
            }
        }
    }
}

fn is_at_or_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn members(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.filter(|value| !is_reference(value)).and_then(Value::as_object)
}

fn compare(path: String, live: Option<&Value>, wanted: Option<&Value>, fields: &mut Vec<Field>) {
    if live == wanted {
        return;
    }
    let nothing = Map::new();
    // A whole object that appears or goes is listed member by member too, so that a reader sees each setting;
    // an object facing something else than an object differs as a whole.
    let (left, right) = match (members(live), members(wanted)) {
        (Some(left), Some(right)) => (left, right),
        (Some(left), None) if wanted.is_none() && !left.is_empty() => (left, &nothing),
        (None, Some(right)) if live.is_none() && !right.is_empty() => (&nothing, right),
        _ => {
            fields.push(Field { path, from: live.cloned(), to: wanted.cloned() });
            return;
        }
    };
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let escaped = key.replace('\\', "\\\\").replace('.', "\\.");
        let below = if path.is_empty() { escaped } else { format!("{path}.{escaped}") };
        compare(below, left.get(key), right.get(key), fields);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "tests are read the easier")]
    fn paths(live: Option<Value>, wanted: Option<Value>, ignored: &[&str]) -> Vec<String> {
        let fields = difference(live.as_ref(), wanted.as_ref(), ignored);
        fields.into_iter().map(|field| field.path).collect()
    }

    #[test]
    fn objects_differ_member_by_member_and_everything_else_as_a_whole() {
        let live =
            json!({"tls": "require", "types": ["bounce"], "same": {"a": 1}, "gone": {"b": 2}});
        let wanted = json!({"tls": "optional", "types": ["bounce", "click"], "same": {"a": 1}});
        assert_eq!(paths(Some(live), Some(wanted), &[]), ["gone.b", "tls", "types"]);
    }

    #[test]
    fn what_appears_or_goes_is_listed_setting_by_setting() {
        let spec = json!({"delivery": {"tls": "require", "pool": "p"}, "empty": {}});
        let every = ["delivery.pool", "delivery.tls", "empty"];
        assert_eq!(paths(None, Some(spec.clone()), &[]), every);
        assert_eq!(paths(Some(spec), None, &[]), every);
    }

    #[test]
    fn an_object_facing_something_else_differs_as_a_whole() {
        assert_eq!(paths(Some(json!({"a": {"b": 1}})), Some(json!({"a": "off"})), &[]), ["a"]);
        assert_eq!(paths(Some(json!({"a": null})), Some(json!({"a": {"b": 1}})), &[]), ["a"]);
    }

    #[test]
    fn an_unknown_output_is_one_field_and_differs_from_every_value() {
        let unknown = json!({"value": {"$output": "identity.pivot.app#key"}});
        assert_eq!(paths(Some(json!({"value": "old"})), Some(unknown.clone()), &[]), ["value"]);
        assert!(is_unknown(&unknown));
        assert!(!is_unknown(&json!({"value": {"$output": 1}})));
    }

    #[test]
    fn ignored_paths_take_what_is_below_along_and_no_namesake() {
        let (live, wanted) =
            (json!({"key": {"a": 1}, "keys": 1}), json!({"key": {"a": 2}, "keys": 2}));
        assert_eq!(paths(Some(live), Some(wanted), &["key"]), ["keys"]);
    }

    #[test]
    fn what_others_may_change_is_wanted_as_it_is() {
        let wanted = json!({"delivery": {"tls": "require", "pool": "a"}, "tags": {"a": 1}, "n": 1});
        let live = json!({"delivery": {"tls": "optional"}, "tags": {"b": 2}, "n": 2});
        let paths = ["delivery.pool", "tags", "none"].map(str::to_owned).into();
        let kept = json!({"delivery": {"tls": "require"}, "tags": {"b": 2}, "n": 1});
        assert_eq!(keeping(wanted, &live, &paths), kept);
    }

    #[test]
    fn a_dot_inside_a_key_is_no_step_down() {
        let fields = difference(None, Some(&json!({"tags": {"a.b": 1}})), &[]);
        assert_eq!(fields[0].path, "tags.a\\.b");
        assert!(touches(&fields, "tags") && !touches(&fields, "tags.a"));
    }
}
