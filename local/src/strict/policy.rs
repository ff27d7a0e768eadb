//! What makes a resource policy acceptable: a JSON document whose statements name an effect, principals that exist,
//! actions of the service, and the resource itself.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

/// What a policy is for.
pub(crate) struct Subject<'a> {
    /// The prefix of its actions, `sns` or `sqs`.
    pub(crate) service: &'a str,
    /// The resource that carries it.
    pub(crate) resource: &'a str,
}

/// Why a document would be refused.
pub(crate) fn problem(world: &World, subject: &Subject<'_>, document: &str) -> Option<String> {
    let Ok(Value::Object(policy)) = serde_json::from_str(document) else {
        return Some("Policy is not a JSON object".to_owned());
    };
    let version = policy.get("Version").and_then(Value::as_str).unwrap_or("2008-10-17");
    if !["2008-10-17", "2012-10-17"].contains(&version) {
        return Some(format!("Policy version {version} is not known"));
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Some("Policy has no statement".to_owned()),
    };
    let mut sids = BTreeSet::new();
    statements.into_iter().find_map(|statement| {
        let sid = statement.get("Sid").and_then(Value::as_str);
        if sid.is_some_and(|sid| !sids.insert(sid.to_owned())) {
            return Some("Statement ids are not unique".to_owned());
        }
        statement_problem(world, subject, statement)
    })
}

fn statement_problem(world: &World, subject: &Subject<'_>, statement: &Value) -> Option<String> {
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Some("Effect must be Allow or Deny".to_owned());
    }
    let Some(principal) = statement.get("Principal").or_else(|| statement.get("NotPrincipal"))
    else {
        return Some("Policy statement must contain principals".to_owned());
    };
    if let Some(unknown) = unknown_principal(world, principal) {
        return Some(format!("Invalid principal in policy: {unknown}"));
    }
    let actions = texts(statement.get("Action").or_else(|| statement.get("NotAction")));
    if actions.is_empty() {
        return Some("Policy statement must contain actions".to_owned());
    }
    let prefix = format!("{}:", subject.service);
    if actions
        .iter()
        .any(|action| *action != "*" && !action.to_ascii_lowercase().starts_with(&prefix))
    {
        return Some("Policy statement action out of service scope!".to_owned());
    }
    let resources = texts(statement.get("Resource").or_else(|| statement.get("NotResource")));
    if resources.is_empty() {
        return Some("Policy statement must contain resources".to_owned());
    }
    let covers =
        |pattern: &&str| *pattern == "*" || *pattern == subject.resource || pattern.contains('*');
    if !resources.iter().all(covers) {
        return Some("Policy statement resource is not this resource".to_owned());
    }
    None
}

/// An IAM principal of an account that this cloud knows must exist; accounts and services always do.
fn unknown_principal(world: &World, principal: &Value) -> Option<String> {
    let names = match principal {
        Value::Object(kinds) => texts(kinds.get("AWS")),
        _ => return None,
    };
    let accounts = world.iam.read();
    names.into_iter().find_map(|name| {
        let fields: Vec<&str> = name.splitn(6, ':').collect();
        let [_, _, "iam", _, account, resource] = fields[..] else { return None };
        let state = accounts.get(account)?;
        let (kind, path) = resource.split_once('/')?;
        let last = path.rsplit('/').next().unwrap_or(path);
        let exists = match kind {
            "role" => state.roles.contains_key(last),
            "user" => state.users.contains_key(last),
            _ => true,
        };
        (!exists).then(|| name.to_owned())
    })
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:t";

    fn of(principal: &str, action: &str, resource: &str) -> Option<String> {
        let world = World::new(Options::default(), "");
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"{resource}"}}}}"#
        );
        problem(&world, &Subject { service: "sns", resource: TOPIC }, &document)
    }

    #[test]
    fn a_policy_for_a_service_is_fine() {
        assert_eq!(of(r#"{"Service":"ses.amazonaws.com"}"#, "sns:Publish", TOPIC), None);
    }

    #[test]
    fn principals_must_exist() {
        let role = r#"{"AWS":"arn:aws:iam::123456789012:role/nobody"}"#;
        assert!(
            of(role, "sns:Publish", TOPIC).is_some_and(|why| why.contains("Invalid principal"))
        );
        assert_eq!(of(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#, "sns:Publish", TOPIC), None);
    }

    #[test]
    fn actions_and_resources_must_be_its_own() {
        assert!(of(r#""*""#, "sqs:SendMessage", TOPIC).is_some());
        assert!(of(r#""*""#, "SNS:Publish", "arn:aws:sns:us-east-1:123456789012:other").is_some());
        let world = World::new(Options::default(), "");
        assert!(problem(&world, &Subject { service: "sns", resource: TOPIC }, "no json").is_some());
    }
}
