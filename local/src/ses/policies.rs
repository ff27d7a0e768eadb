//! Identity policies, which let others send as an identity.

use fakecloud_core::service::AwsServiceError;
use serde_json::{Value, json};

use super::call::Call;
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::identities::{Identity, key, missing};
use super::input::simple_name;
use super::verification;

const MOST: usize = 20;
const LONGEST: usize = 4096;

/// What a policy may allow.
const ACTIONS: &[&str] = &[
    "ses:sendemail",
    "ses:sendrawemail",
    "ses:sendtemplatedemail",
    "ses:sendbulktemplatedemail",
    "ses:sendbulkemail",
    "ses:sendbounce",
    "ses:send*",
    "ses:*",
];

fn identity<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Identity, AwsServiceError> {
    call.here().identities.get_mut(name).ok_or_else(|| missing(name))
}

/// The document of a request, checked against the identity, without insignificant whitespace.
fn document(call: &mut Call<'_>, name: &str) -> Result<String, AwsServiceError> {
    let text = call.input()?.required_bounded("Policy", 1, usize::MAX)?;
    let policy = call.label(1);
    simple_name("policy name", policy)?;
    verification::refresh(call, name);
    let needs_verified = call.settings.choices.policies_need_verification;
    let verified = identity(call, name)?.verified;
    if needs_verified && !verified {
        return Err(bad_request(format!("Email identity {name} is not verified.")));
    }
    if text.len() > LONGEST {
        return Err(bad_request(format!("The policy is longer than {LONGEST} bytes.")));
    }
    let invalid = |why: &str| bad_request(format!("Policy <{policy}> is invalid: {why}."));
    let parsed: Value = serde_json::from_str(text).map_err(|_| invalid("it is not JSON"))?;
    let arn = call.place.arn(&format!("identity/{name}"));
    let statements = one_or_more(parsed.get("Statement"));
    if statements.is_empty() {
        return Err(invalid("it has no statement"));
    }
    statements
        .iter()
        .try_for_each(|statement| check_statement(statement, &arn))
        .map_err(invalid)?;
    Ok(compact(text))
}

/// JSON text without the whitespace between its tokens.
fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = text.chars().filter(|letter| {
        let keep = quoted || !letter.is_ascii_whitespace();
        match letter {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && !escaped && *letter == '\\';
        keep
    });
    kept.collect()
}

fn check_statement(statement: &Value, arn: &str) -> Result<(), &'static str> {
    if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
        return Err("the Effect must be Allow or Deny");
    }
    if statement.get("Principal").is_none_or(Value::is_null) {
        return Err("a statement needs a Principal");
    }
    let actions = one_or_more(statement.get("Action"));
    let known = |action: &&Value| {
        action
            .as_str()
            .is_some_and(|action| ACTIONS.contains(&action.to_ascii_lowercase().as_str()))
    };
    if actions.is_empty() || !actions.iter().all(known) {
        return Err("an Action is not one of sending");
    }
    let resources = one_or_more(statement.get("Resource"));
    if resources.is_empty() || !resources.iter().all(|resource| resource.as_str() == Some(arn)) {
        return Err("the Resource must be the identity's ARN");
    }
    Ok(())
}

fn one_or_more(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

fn no_such_policy(name: &str) -> AwsServiceError {
    not_found(format!("Policy <{name}> does not exist"))
}

/// `CreateEmailIdentityPolicy`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    let document = document(call, &name)?;
    let policy = call.label(1);
    let policies = &mut identity(call, &name)?.policies;
    if policies.contains_key(policy) {
        return Err(already_exists(format!("Policy <{policy}> already exists")));
    }
    if policies.len() >= MOST {
        return Err(limit_exceeded(format!("An identity may have {MOST} policies.")));
    }
    policies.insert(policy.to_owned(), document);
    Ok(json!({}))
}

/// `UpdateEmailIdentityPolicy`.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    let document = document(call, &name)?;
    let policy = call.label(1);
    let kept = identity(call, &name)?.policies.get_mut(policy);
    *kept.ok_or_else(|| no_such_policy(policy))? = document;
    Ok(json!({}))
}

/// `DeleteEmailIdentityPolicy`.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    let policy = call.label(1);
    let removed = identity(call, &name)?.policies.remove(policy);
    removed.ok_or_else(|| no_such_policy(policy))?;
    Ok(json!({}))
}

/// `GetEmailIdentityPolicies`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    let policies = &identity(call, &name)?.policies;
    Ok(json!({ "Policies": policies }))
}
