//! The whole world as one JSON value in which equal worlds are equal: times, random ids and the order of lists are
//! taken out, whatever else two worlds differ in is a difference.

use serde_json::{Map, Value, json};
use sesinfra::kinds::subscription;
use sesinfra_local::Cloud;

use crate::it::account::{ACCOUNT, REGION};

/// Services of which everything counts. What is left out: `memory`, which is about times only.
const SERVICES: [&str; 10] =
    ["iam", "sns", "sqs", "route53", "cloudwatch", "ssm", "kms", "secrets", "firehose", "ses"];

/// Members that count or date things, and so tell how a world came about rather than what it is.
const HISTORY: [&str; 28] = [
    "credential_identities",
    "sts_temp_credentials",
    "last_accessed_at",
    "lambda_invocations",
    "problem",
    "checked",
    "next_version_num",
    "length_changes",
    "keys_made",
    "link_sent",
    "published",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "messages",
    "subscriptions_deleted",
    "made",
    "changes",
    "updated_at",
    "created_at",
    "create_date",
    "update_date",
    "default_version_id",
    "num_versions",
    "sent_emails",
    "messages_sent",
    "version_id",
    "id_counter",
    "pending",
];

/// What is there.
pub(crate) fn dump(cloud: &Cloud) -> Value {
    let mut values = cloud.world().values().unwrap();
    values.retain(|name, _| SERVICES.contains(name));
    let mut world = serde_json::to_value(values).unwrap();
    forget_cancelled(&mut world["sns"]);
    forget_noted(&mut world["cloudwatch"]);
    let text = without_tokens(&world);
    let world: Value = serde_json::from_str(&text).unwrap();
    canonical(world)
}

/// All that can be somebody's. The settings of an account are nobody's: what a file said of them stays.
pub(crate) fn owned(cloud: &Cloud) -> Value {
    let mut world = dump(cloud);
    let account = world.pointer_mut(&format!("/ses/accounts/{ACCOUNT}/{REGION}/account"));
    *account.unwrap() = Value::Null;
    world
}

/// Of CloudWatch the alarms count and their tags; what it notes of them, and that there once were some, does not.
fn forget_noted(cloudwatch: &mut Value) {
    let Some(accounts) = cloudwatch.get_mut("accounts").and_then(Value::as_object_mut) else {
        return;
    };
    for account in accounts.values_mut() {
        each_object(&mut account["alarms"], &mut |object| {
            object.retain(|key, _| !key.starts_with("state_") && !key.ends_with("_timestamp"));
        });
        let filled = |key: &str| -> Map<String, Value> {
            let all = account[key].as_object().into_iter().flatten();
            let all = all.filter(|(_, one)| **one != json!({}));
            all.map(|(name, one)| (name.clone(), one.clone())).collect()
        };
        *account = json!({ "alarms": filled("alarms"), "tags": filled("tags") });
    }
    accounts.retain(|_, account| *account != json!({ "alarms": {}, "tags": {} }));
}

/// SNS lists what was never confirmed until it expires, and lets nobody remove it: such a subscription counts only
/// while its topic's marks name it, or a stranger made it.
fn forget_cancelled(sns: &mut Value) {
    let text = sns.to_string();
    each_object(sns, &mut |object| {
        let Some(Value::Object(subscriptions)) = object.get_mut("subscriptions") else { return };
        subscriptions.retain(|_, one| {
            let of = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            one["confirmed"] != Value::Bool(false)
                || of("endpoint").starts_with("somebody@")
                || text.contains(&subscription::token(&of("protocol"), &of("endpoint")))
        });
    });
}

/// The world as text, with the random DKIM tokens of identities replaced by their place.
fn without_tokens(world: &Value) -> String {
    let mut tokens = Vec::new();
    each_pair(&world["ses"], &mut |name, value| {
        if let Some(list) = value
            .pointer("/dkim/origin/Easy/tokens")
            .or(value.pointer("/origin/Easy/tokens"))
            .and_then(Value::as_array)
        {
            let texts = list.iter().filter_map(Value::as_str).map(str::to_owned).enumerate();
            tokens.extend(texts.map(|(index, token)| (token, format!("token{index}-of-{name}"))));
        }
    });
    let mut text = world.to_string();
    for (token, place) in tokens {
        text = text.replace(&token, &place);
    }
    text
}

fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => object(members),
        Value::Array(items) => sorted(items.into_iter().map(canonical).collect()),
        Value::String(text) => Value::String(plain(&text)),
        Value::Number(number) if number.as_f64().is_some_and(|number| number > 1.6e9) => {
            Value::String("TIME".to_owned())
        }
        other => other,
    }
}

fn object(members: Map<String, Value>) -> Value {
    // Of a policy's versions only the one in force is what there is.
    let default = members.get("default_version_id").cloned();
    let mut plainly = Map::new();
    let mut nameless = Vec::new();
    for (key, mut value) in members {
        if key == "versions" && default.is_some() {
            let in_force = value.as_array_mut().map(|all| {
                all.retain(|one| Some(&one["version_id"]) == default.as_ref());
            });
            assert!(in_force.is_some(), "versions are a list: {value}");
        }
        let is_history = HISTORY.contains(&key.as_str());
        let name = plain(&key);
        // An entity that once had a policy attached has an empty list, others have none.
        let is_bare = ["role_policies", "user_policies"].contains(&key.as_str());
        if let (true, Some(lists)) = (is_bare, value.as_object_mut()) {
            lists.retain(|_, list| list != &json!([]));
        }
        // SNS keeps what was set back to its default, and leaves out what was never set.
        let is_default = (key == "RawMessageDelivery" && value == "false")
            || (["RedrivePolicy", "KmsMasterKeyId", "DisplayName"].contains(&key.as_str())
                && value == "");
        // A Region in which there once was a queue.
        if key == "regions"
            && let Some(regions) = value.as_object_mut()
        {
            regions.retain(|_, region| region["queues"] != json!({}));
        }
        if is_history || is_default {
            continue;
        }
        if name == key {
            plainly.insert(key, canonical(value));
        } else {
            nameless.push(canonical(value));
        }
    }
    if !nameless.is_empty() {
        plainly.insert("-".to_owned(), sorted(nameless));
    }
    Value::Object(plainly)
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by_cached_key(ToString::to_string);
    Value::Array(items)
}

/// A text without what is random or a time in it. Policies are compared as the JSON that they are.
fn plain(text: &str) -> String {
    const UUID: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if text.starts_with('{')
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        return canonical(inner).to_string();
    }
    let is_time = text.len() >= 19
        && text.as_bytes().get(4) == Some(&b'-')
        && text.as_bytes().get(10) == Some(&b'T');
    if is_time {
        return "TIME".to_owned();
    }
    let shape: String =
        text.chars().map(|it| if it.is_ascii_hexdigit() { 'h' } else { it }).collect();
    match shape.find(UUID) {
        Some(at) => format!("{}UUID{}", &text[..at], plain(&text[at + UUID.len()..])),
        None if text.starts_with("ANPA") => "ANPA".to_owned(),
        None => text.to_owned(),
    }
}

fn each_object(value: &mut Value, see: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            see(members);
            members.values_mut().for_each(|member| each_object(member, see));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, see)),
        _ => {}
    }
}

fn each_pair(value: &Value, see: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                see(key, member);
                each_pair(member, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_pair(item, see)),
        _ => {}
    }
}

/// Where two worlds differ, as lines `path: one | other`.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", one, other, &mut found);
    found
}

fn compare(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        _ if one == other => {}
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> =
                left.keys().chain(right.keys()).collect();
            for key in keys {
                let of = |side: &Map<String, Value>| side.get(key).cloned().unwrap_or_default();
                compare(&format!("{path}/{key}"), &of(left), &of(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            let only = |side: &[Value], than: &[Value]| {
                let mut than = than.to_vec();
                let lacks = |it: &&Value| match than.iter().position(|that| that == *it) {
                    Some(at) => {
                        than.swap_remove(at);
                        false
                    }
                    None => true,
                };
                let only: Vec<String> =
                    side.iter().filter(lacks).map(ToString::to_string).collect();
                only.join(", ")
            };
            found.push(format!("{path}: [{}] | [{}]", only(left, right), only(right, left)));
        }
        _ => found.push(format!("{path}: {one} | {other}")),
    }
}
