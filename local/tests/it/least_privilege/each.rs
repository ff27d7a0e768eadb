//! Each permission taken away in turn: then something cannot be done, and what is missing is said by its name.
//!
//! A plain run takes away a fixed choice of them; all of them go with
//!
//! ```text
//! SESINFRA_PERMISSIONS=all cargo test --workspace --test it least_privilege -- --nocapture
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::command_line::{CHANGED, FILE, Place};

/// How many are taken away in a plain run.
const SAMPLE: usize = 10;

/// Permissions that these runs do without, each with the reason why it is asked for all the same.
const SPARE: [(&str, &str); 13] = [
    ("iam:getgroup", "what may not be looked at is attached to all the same"),
    ("iam:getrole", "as above"),
    ("iam:getuser", "as above"),
    ("kms:describekey", "a key that may not be looked at is said to be unchecked"),
    ("kms:getkeypolicy", "as above"),
    (
        "ses:deleteconfigurationseteventdestination",
        "needed once a destination is taken out of a set that stays",
    ),
    (
        "ses:deleteemailidentitypolicy",
        "needed once a policy is taken out of an identity that stays",
    ),
    ("ses:listconfigurationsets", "what may not be listed is read by a plan by tags all the same"),
    ("ses:putconfigurationsetarchivingoptions", "needed to undo what somebody else has set"),
    ("ses:putconfigurationsetvdmoptions", "as above"),
    ("sns:listtopics", "what may not be listed is read by a plan by tags all the same"),
    ("sns:unsubscribe", "needed once a subscription is taken out of a topic that stays"),
    ("sqs:listqueues", "as above"),
];

/// One permission of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Permission {
    statement: usize,
    action: String,
    resources: Vec<String>,
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        other => panic!("no text: {other}"),
    }
}

fn permissions(policy: &Value) -> Vec<Permission> {
    let statements = policy["Statement"].as_array().unwrap().iter().enumerate();
    statements
        .flat_map(|(index, statement)| {
            let resources = texts(&statement["Resource"]);
            texts(&statement["Action"]).into_iter().map(move |action| Permission {
                statement: index,
                action,
                resources: resources.clone(),
            })
        })
        .collect()
}

fn without(policy: &Value, permission: &Permission) -> Value {
    let mut policy = policy.clone();
    let statement = &mut policy["Statement"][permission.statement];
    let mut actions = texts(&statement["Action"]);
    actions.retain(|action| *action != permission.action);
    statement["Action"] = actions.into();
    if statement["Action"] == Value::Array(Vec::new()) {
        policy["Statement"].as_array_mut().unwrap().remove(permission.statement);
    }
    policy
}

/// Makes, changes and destroys with all but one permission: what the first run said that failed.
async fn first_failure(
    place: &Place,
    policies: &[Value; 2],
    permission: &Permission,
) -> Option<String> {
    for (file, policy, verb) in [
        (FILE, &policies[0], "apply"),
        (CHANGED, &policies[1], "apply"),
        (CHANGED, &policies[1], "destroy"),
    ] {
        place.write(file);
        // Both files need the same on the same; should they not, there is nothing to take away from the other.
        let same = permissions(policy).into_iter().find(|other| {
            other.action == permission.action && other.resources == permission.resources
        });
        let policy = same.map_or_else(|| policy.clone(), |same| without(policy, &same));
        place.grant(&policy).await;
        let ran = place.run(&[verb, "test", "--yes"]).await;
        // A lock that is not given back is no failure, but it is said.
        if ran.code != 0 || ran.errors.contains("Warning: ") {
            return Some(format!("{verb} ended with {}\n{}{}", ran.code, ran.output, ran.errors));
        }
    }
    None
}

/// What is wrong with what was said without a permission.
fn complaint(permission: &Permission, said: Option<String>) -> Option<String> {
    let reason = SPARE.iter().find(|(action, _)| action.eq_ignore_ascii_case(&permission.action));
    let Some(said) = said else {
        return reason.is_none().then(|| "is never missed".to_owned());
    };
    if reason.is_some() {
        return Some("is missed after all".to_owned());
    }
    // SNS spells its own name in capitals.
    if !said.to_lowercase().contains(&permission.action.to_lowercase()) {
        return Some(format!("is not named: {said}"));
    }
    let is_named = |resource: &String| {
        let known = resource.split(['*', '?']).next().unwrap_or_default();
        said.contains(&format!("on resource: {known}"))
    };
    (!permission.resources.iter().any(is_named)).then(|| format!("on what is not said: {said}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_that_is_missing_is_missed_and_named() {
    let place = Place::new("each").await;
    place.write(CHANGED);
    let changed = place.printed("--apply").await;
    place.write(FILE);
    let policies = [place.printed("--apply").await, changed];
    let all = permissions(&policies[0]);
    let whole = all.len();
    assert_eq!(BTreeSet::from_iter(&all).len(), whole, "a permission is printed twice");
    let is_spelled = |action: &str| {
        action.split_once(':').is_some_and(|(_, name)| name.starts_with(char::is_uppercase))
    };
    assert!(all.iter().all(|one| is_spelled(&one.action)), "{all:?}");
    let chosen: Vec<Permission> = match std::env::var("SESINFRA_PERMISSIONS").as_deref() {
        Ok("all") => all,
        // Multiples of a prime that does not divide their number meet each once.
        _ => (0..SAMPLE).map(|index| all[index * 7_919 % whole].clone()).collect(),
    };
    assert!(!whole.is_multiple_of(7_919) && whole > SAMPLE);
    let count = chosen.len();
    let (place, policies, chosen) = (Arc::new(place), Arc::new(policies), Arc::new(chosen));
    let next = Arc::new(AtomicUsize::new(0));
    let workers = (0..3).map(|_| {
        let (place, policies) = (Arc::clone(&place), Arc::clone(&policies));
        let (chosen, next) = (Arc::clone(&chosen), Arc::clone(&next));
        tokio::spawn(async move {
            let mut wrong = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(permission) = chosen.get(index) else { return wrong };
                let again = place.again(&format!("each-{index}")).await;
                let said = first_failure(&again, &policies, permission).await;
                if let Some(complaint) = complaint(permission, said) {
                    println!("{permission:?} {complaint}");
                    wrong.push(format!("{permission:?} {complaint}"));
                }
            }
        })
    });
    let mut wrong = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        wrong.extend(worker.await.unwrap());
    }
    println!("{count} of {whole} permissions taken away in turn, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong, the first: {}", wrong.len(), wrong[0]);
}
