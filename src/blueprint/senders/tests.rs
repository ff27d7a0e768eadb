//! Send policies as documents: what they grant, and how they stay within what IAM allows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

fn facts() -> Facts {
    Facts::of_an_empty_account()
}

fn settings(rest: &Value) -> Settings {
    let mut whole =
        json!({ "project": "pivot", "aws": { "account": "123456789012", "region": "us-east-1" } });
    whole.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn compiled_document(rest: &Value) -> Value {
    let settings = settings(rest);
    let policy =
        document(&settings, &facts(), &settings.send_policies.first_key_value().unwrap().1.clone());
    serde_json::from_str(&policy.unwrap().document()).unwrap()
}

fn arn(rest: &str) -> String {
    format!("arn:aws:ses:us-east-1:123456789012:{rest}")
}

#[test]
fn a_policy_names_the_identities_their_sets_and_the_addresses() {
    let document = compiled_document(&json!({
        "identities": {
            "pivot.app": { "configuration_set": "transactional" },
            "billing@pivot.app": { "configuration_set": "billing" },
            "other.app": { "configuration_set": "other" }
        },
        "configuration_sets": { "transactional": {}, "billing": {}, "other": {} },
        "send_policies": { "api": { "from": ["*@pivot.app"] } }
    }));
    assert_eq!(
        document,
        json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "Send", "Effect": "Allow",
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": [
                arn("configuration-set/billing"), arn("configuration-set/transactional"),
                arn("identity/billing@pivot.app"), arn("identity/pivot.app")
            ],
            "Condition": { "StringLike": { "ses:FromAddress": "*@pivot.app" } }
        }] })
    );
}

#[test]
fn named_identities_and_sets_are_taken_as_they_are_named() {
    let document = compiled_document(&json!({
        "identities": { "pivot.app": { "configuration_set": "transactional" } },
        "configuration_sets": { "transactional": {}, "bulk": {} },
        "send_policies": { "api": {
            "from": ["*@pivot.app", "a@partner.com"],
            "identities": ["pivot.app", "arn:aws:ses:us-east-1:210987654321:identity/partner.com"],
            "configuration_sets": ["bulk", "arn:aws:ses:us-east-1:123456789012:configuration-set/elsewhere"]
        } }
    }));
    assert_eq!(
        document["Statement"][0]["Resource"],
        json!([
            arn("configuration-set/bulk"),
            arn("configuration-set/elsewhere"),
            arn("identity/pivot.app"),
            "arn:aws:ses:us-east-1:210987654321:identity/partner.com"
        ])
    );
    let none = compiled_document(&json!({
        "identities": { "pivot.app": { "configuration_set": "transactional" } },
        "configuration_sets": { "transactional": {} },
        "send_policies": { "api": { "from": ["*@pivot.app"], "configuration_sets": [] } }
    }));
    assert_eq!(none["Statement"][0]["Resource"], json!(arn("identity/pivot.app")));
}

#[test]
fn a_pattern_for_subdomains_reaches_identities_of_subdomains() {
    let document = compiled_document(&json!({
        "identities": { "pivot.app": {}, "t1.pivot.app": {}, "mail.t1.pivot.app": {}, "pivot.com": {}, "x@t1.pivot.app": {} },
        "send_policies": { "api": { "from": ["*@*.pivot.app"] } }
    }));
    let identities = ["mail.t1.pivot.app", "pivot.app", "t1.pivot.app", "x@t1.pivot.app"];
    let wanted: Vec<String> =
        identities.iter().map(|name| arn(&format!("identity/{name}"))).collect();
    assert_eq!(document["Statement"][0]["Resource"], json!(wanted));
}

fn tenants(count: usize, set_each: bool) -> Value {
    let name = |index: usize| format!("tenant-{index:04}.pivot.app");
    let set = |index: usize| {
        if set_each { format!("tenant-{index:04}") } else { "transactional".to_owned() }
    };
    let identities: BTreeMap<String, Value> =
        (0..count).map(|index| (name(index), json!({ "configuration_set": set(index) }))).collect();
    let sets: BTreeMap<String, Value> = (0..count).map(|index| (set(index), json!({}))).collect();
    json!({
        "identities": identities,
        "configuration_sets": sets,
        "send_policies": { "api": { "from": ["*@*.pivot.app"] } }
    })
}

#[test]
fn many_identities_are_named_by_their_tags_under_the_same_condition() {
    let listed = compiled_document(&tenants(80, false));
    assert_eq!(listed["Statement"].as_array().unwrap().len(), 1);
    let document = compiled_document(&tenants(81, false));
    assert_eq!(
        document,
        json!({ "Version": "2012-10-17", "Statement": [
            {
                "Sid": "Send", "Effect": "Allow", "Action": ["ses:SendEmail", "ses:SendRawEmail"],
                "Resource": arn("configuration-set/transactional"),
                "Condition": { "StringLike": { "ses:FromAddress": "*@*.pivot.app" } }
            },
            {
                "Sid": "SendTagged", "Effect": "Allow", "Action": ["ses:SendEmail", "ses:SendRawEmail"],
                "Resource": arn("identity/*"),
                "Condition": {
                    "StringEquals": {
                        "aws:ResourceTag/sesinfra:environment": "prod", "aws:ResourceTag/sesinfra:project": "pivot"
                    },
                    "StringLike": { "ses:FromAddress": "*@*.pivot.app" }
                }
            }
        ] })
    );
    let both = compiled_document(&tenants(1_000, true));
    assert_eq!(both["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(
        both["Statement"][0]["Resource"],
        json!([arn("configuration-set/*"), arn("identity/*")])
    );
}

#[test]
fn a_policy_that_cannot_be_short_enough_is_refused_with_its_length() {
    let from: Vec<String> = (0..400).map(|index| format!("sender-{index:04}@pivot.app")).collect();
    let settings = settings(&json!({
        "identities": { "pivot.app": {} },
        "send_policies": { "api": { "from": from } }
    }));
    let length =
        document(&settings, &facts(), settings.send_policies.values().next().unwrap()).unwrap_err();
    assert!(length > DOCUMENT_LENGTH_MAX, "{length}");
}

#[test]
fn a_policy_variable_in_an_address_is_plain_text() {
    let document = compiled_document(&json!({
        "identities": { "pivot.app": {} },
        "send_policies": { "api": { "from": ["a${b}@pivot.app", "a$@pivot.app"] } }
    }));
    assert_eq!(
        document["Statement"][0]["Condition"]["StringLike"]["ses:FromAddress"],
        json!(["a$@pivot.app", "a${$}{b}@pivot.app"])
    );
}

#[test]
fn holders_are_children_of_the_policy() {
    let settings = settings(&json!({ "send_policies": { "api": {
        "from": ["*@pivot.app"],
        "attach": { "roles": ["pivot-api"], "users": ["Ann"], "groups": ["ops"] }
    } } }));
    let (name, policy) = settings.send_policies.first_key_value().unwrap();
    let names: Vec<String> = principals(&policy.attach)
        .iter()
        .map(|it| attachment::name(&iam_name(&facts().owner, name), it))
        .collect();
    assert_eq!(
        names,
        ["pivot-prod-api/role/pivot-api", "pivot-prod-api/user/Ann", "pivot-prod-api/group/ops"]
    );
}
