//! The first half of what marks promise, looked up in the cloud itself and not with sesinfra's own eyes: whatever of
//! ours exists and cannot carry tags is named by the tags of its parent, at every instant.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sesinfra::kinds::subscription;
use sesinfra_local::Cloud;

use super::jobs::STRANGER;

/// What others made below ours; whoever made it, no marks are to name it.
const OTHERS: [&str; 3] = ["theirs", "ses-firehose", "somebody@pivot.app"];
/// Asked for by mail and never confirmed: SNS forgets it after a while and lets nobody remove it meanwhile.
const UNCONFIRMED: &str = "ops@pivot.app";

/// Every child of ours that no marks name.
pub(super) fn unnamed(cloud: &Cloud) -> Vec<String> {
    let values = cloud.world().values().unwrap();
    let mut found = Found::default();
    for value in values.values() {
        look(value, &mut found);
    }
    let is_lost = |(child, token): &(String, String)| {
        !OTHERS.iter().any(|other| child.contains(other)) && !found.named.contains(token)
    };
    found.children.into_iter().filter(is_lost).map(|(child, _)| child).collect()
}

/// Children with the token that must be named, and the tokens that are, each behind its parent.
#[derive(Default)]
struct Found {
    children: Vec<(String, String)>,
    named: BTreeSet<String>,
}

impl Found {
    fn child(&mut self, parent: &str, name: &str, token: &str) {
        self.children.push((format!("{name} under {parent}"), format!("{parent} {token}")));
    }

    fn parent(&mut self, parent: &str, tags: &Value) {
        for (key, value) in pairs(tags) {
            if key.starts_with("sesinfra:children") {
                self.named.extend(value.split(' ').map(|token| format!("{parent} {token}")));
            }
        }
    }
}

/// Tags in any of the forms in which services keep them.
fn pairs(tags: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match tags {
        Value::Object(tags) => tags.iter().map(|(key, tag)| (key.clone(), text(tag))).collect(),
        Value::Array(tags) => tags
            .iter()
            .map(|tag| match tag {
                Value::Array(pair) => (text(&pair[0]), text(&pair[1])),
                tag => (text(&tag["key"]), text(&tag["value"])),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn look(value: &Value, found: &mut Found) {
    match value {
        Value::Object(members) => {
            identities(members, found);
            topics(members, found);
            policies(members, found);
            zones(members, found);
            members.values().for_each(|member| look(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, found)),
        _ => {}
    }
}

/// The entries of a map of resources.
fn entries<'a>(members: &'a Map<String, Value>, name: &str) -> Vec<(&'a String, &'a Value)> {
    members.get(name).and_then(Value::as_object).into_iter().flatten().collect()
}

fn names(of: &Value) -> Vec<String> {
    of.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn identities(members: &Map<String, Value>, found: &mut Found) {
    if !members.contains_key("sets") {
        return;
    }
    for (name, identity) in entries(members, "identities") {
        found.parent(name, &identity["tags"]);
        for policy in names(&identity["policies"]) {
            found.child(name, &policy, &format!("policy:{policy}"));
        }
    }
    for (name, set) in entries(members, "sets") {
        found.parent(name, &set["tags"]);
        // The records of its tracking domain are found by that domain.
        for (key, value) in pairs(&set["tags"]) {
            let tokens = value.split(' ').filter(|_| key.starts_with("sesinfra:children"));
            for (zone, domain) in tokens.filter_map(|token| token.split_once('/')) {
                found.named.insert(format!("{domain} {zone}"));
            }
        }
        for destination in names(&set["destinations"]) {
            found.child(name, &destination, &format!("dest:{destination}"));
        }
    }
}

fn topics(members: &Map<String, Value>, found: &mut Found) {
    for (arn, topic) in entries(members, "topics") {
        found.parent(arn, &topic["tags"]);
    }
    for (_, one) in entries(members, "subscriptions") {
        let of = |key: &str| one[key].as_str().unwrap_or_default();
        if of("endpoint") != UNCONFIRMED {
            let token = subscription::token(of("protocol"), of("endpoint"));
            found.child(of("topic_arn"), of("endpoint"), &token);
        }
    }
}

fn policies(members: &Map<String, Value>, found: &mut Found) {
    if !members.contains_key("role_policies") {
        return;
    }
    for (arn, policy) in entries(members, "policies") {
        found.parent(arn, &policy["tags"]);
    }
    let groups = entries(members, "groups").into_iter();
    let attached = groups.map(|(name, group)| ("group", name, &group["attached_policies"]));
    let attached = attached
        .chain(entries(members, "role_policies").into_iter().map(|(name, of)| ("role", name, of)))
        .chain(entries(members, "user_policies").into_iter().map(|(name, of)| ("user", name, of)));
    for (kind, name, policies) in attached {
        for policy in policies.as_array().into_iter().flatten().filter_map(Value::as_str) {
            found.child(policy, name, &format!("{kind}:{name}"));
        }
    }
}

/// Records stand beside a claim, so a claim stands for all of them.
fn zones(members: &Map<String, Value>, found: &mut Found) {
    for (zone, hosted) in entries(members, "hosted_zones") {
        for set in hosted["resource_record_sets"].as_array().into_iter().flatten() {
            let name = set["Name"].as_str().or(set["name"].as_str()).unwrap_or_default();
            let Some(domain) = name.strip_prefix("_sesinfra.") else { continue };
            let claims = set.to_string();
            let is_ours = claims.split("owner=").skip(1).any(|claim| !claim.starts_with(STRANGER));
            if is_ours {
                found.child(domain.trim_end_matches('.'), name, &format!("zone:{zone}"));
            }
        }
    }
}

#[tokio::test]
async fn a_child_that_no_marks_name_is_noticed() {
    let scene = super::jobs::scene(super::jobs::Job::Change).await;
    assert_eq!(unnamed(&scene.cloud), Vec::<String>::new());
    let set = "arn:aws:ses:us-east-1:123456789012:configuration-set/web";
    let ses = aws_sdk_sesv2::Client::new(&scene.clients);
    ses.untag_resource().resource_arn(set).tag_keys("sesinfra:children").send().await.unwrap();
    let identity = "arn:aws:ses:us-east-1:123456789012:identity/easy.pivot.app";
    ses.untag_resource().resource_arn(identity).tag_keys("sesinfra:children").send().await.unwrap();
    let topics = aws_sdk_sns::Client::new(&scene.clients);
    let topic = "arn:aws:sns:us-east-1:123456789012:feedback";
    let untag = topics.untag_resource().resource_arn(topic).tag_keys("sesinfra:children");
    untag.send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&scene.clients);
    let policy = "arn:aws:iam::123456789012:policy/pivot-test-api";
    iam.untag_policy().policy_arn(policy).tag_keys("sesinfra:children").send().await.unwrap();
    let lost = unnamed(&scene.cloud).join("\n");
    for child in ["metrics under web", "_sesinfra.easy.pivot.app", ":inbox under", "senders under"]
    {
        assert!(lost.contains(child), "{child} is not among\n{lost}");
    }
}
