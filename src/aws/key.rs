//! KMS keys that encrypt topics and queues: whether two names mean one key, and whether the service that has to
//! publish through a key may use it.
//!
//! Invariant: nothing is encrypted with a key that is known to make messages vanish; a key that cannot be looked at is
//! said to be unchecked, never said to be right.

use serde_json::json;

use super::policy::{Policy, Statement, matches};
use super::{AwsError, Class, Session, failed};

/// Who puts messages into something encrypted, and what is lost if the key does not let it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// The service principal.
    pub service: &'static str,
    /// The key that AWS manages for the encrypted resource, which no publisher may use.
    pub managed_alias: &'static str,
    /// What does not arrive if the publisher may not use the key.
    pub lost: &'static str,
}

/// SES publishing events to an encrypted topic.
pub const SES_TO_TOPIC: Publisher = Publisher {
    service: "ses.amazonaws.com",
    managed_alias: "alias/aws/sns",
    lost: "events of the configuration sets",
};

/// CloudWatch telling of an alarm on an encrypted topic.
pub const CLOUDWATCH_TO_TOPIC: Publisher = Publisher {
    service: "cloudwatch.amazonaws.com",
    managed_alias: "alias/aws/sns",
    lost: "notices of alarms",
};

/// SNS delivering to an encrypted queue.
pub const SNS_TO_QUEUE: Publisher = Publisher {
    service: "sns.amazonaws.com",
    managed_alias: "alias/aws/sqs",
    lost: "messages of the topics",
};

/// What a publisher does with a key: encrypt with a data key, and check that it can decrypt.
const NEEDED: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// AWS manages it.
    #[error(
        "the key `{key}` is managed by AWS, and its policy cannot be changed to let {service} use it, so {lost} would be \
         lost: use a key of your own"
    )]
    ManagedByAws {
        /// The key as it is named.
        key: String,
        /// Who could not use it.
        service: &'static str,
        /// What would be lost.
        lost: &'static str,
    },
    /// It is not there.
    #[error("there is no KMS key `{key}` in this account and Region")]
    Absent {
        /// The key as it is named.
        key: String,
    },
    /// It cannot encrypt, now or ever.
    #[error("the KMS key `{key}` cannot be used: {reason}")]
    Unusable {
        /// The key as it is named.
        key: String,
        /// Why.
        reason: String,
    },
    /// Its policy does not let the publisher use it.
    #[error(
        "the policy of the KMS key `{key}` does not let {service} use it, so {lost} would be lost: add this statement to \
         the key policy:\n{statement}"
    )]
    NotAllowed {
        /// The key as it is named.
        key: String,
        /// Who may not use it.
        service: &'static str,
        /// What would be lost.
        lost: &'static str,
        /// The statement that is missing.
        statement: String,
    },
    /// KMS did not answer.
    #[error("cannot look at the KMS key `{key}`")]
    Aws {
        /// The key as it is named.
        key: String,
        /// What KMS said.
        source: AwsError,
    },
}

/// What was found out about a key that is not known to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Its policy lets the publisher use it.
    Allowed,
    /// It could not be looked at; the text says why and what the key policy must hold.
    Unknown(String),
}

/// Whether `publisher` may use `key`, which is an id, an ARN or an alias.
pub async fn check(
    session: &Session,
    key: &str,
    publisher: Publisher,
) -> Result<Checked, KeyProblem> {
    let managed = || KeyProblem::ManagedByAws {
        key: key.to_owned(),
        service: publisher.service,
        lost: publisher.lost,
    };
    if is_managed_alias(key) {
        return Err(managed());
    }
    let unknown = |error: &AwsError| {
        Checked::Unknown(format!(
            "could not check the policy of the KMS key `{key}` ({}): it must hold\n{}",
            error.code,
            missing_statement(publisher, session.arns.account().as_str()),
        ))
    };
    let described = session.kms().describe_key().key_id(key).send().await;
    let found = match described.map_err(failed("kms:DescribeKey", key)) {
        Ok(found) => found.key_metadata,
        Err(error) if error.is(Class::Absent) => {
            return Err(KeyProblem::Absent { key: key.to_owned() });
        }
        Err(error) if error.is(Class::Denied) => return Ok(unknown(&error)),
        Err(source) => return Err(KeyProblem::Aws { key: key.to_owned(), source }),
    };
    let Some(found) = found else { return Err(KeyProblem::Absent { key: key.to_owned() }) };
    if found.key_manager.as_ref().is_some_and(|manager| manager.as_str() == "AWS") {
        return Err(managed());
    }
    if let Some(reason) = unusable(&found) {
        return Err(KeyProblem::Unusable { key: key.to_owned(), reason });
    }
    // GetKeyPolicy takes an id or an ARN, no alias, and only of a key of this account.
    let policy = session.kms().get_key_policy().key_id(&found.key_id).send().await;
    let policy = match policy.map_err(failed("kms:GetKeyPolicy", key)) {
        Ok(answer) => answer.policy.unwrap_or_default(),
        Err(error) if error.is(Class::Denied) || error.is(Class::Absent) => {
            return Ok(unknown(&error));
        }
        Err(source) => return Err(KeyProblem::Aws { key: key.to_owned(), source }),
    };
    let account = session.arns.account().as_str();
    let allowed = Policy::parse(&policy).is_ok_and(|policy| {
        NEEDED.iter().all(|it| allows(&policy, publisher.service, account, it))
    });
    if allowed {
        return Ok(Checked::Allowed);
    }
    Err(KeyProblem::NotAllowed {
        key: key.to_owned(),
        service: publisher.service,
        lost: publisher.lost,
        statement: missing_statement(publisher, account),
    })
}

/// Whether two names (id, ARN or alias) mean one key. When KMS does not say, they are taken as different.
pub async fn is_same(session: &Session, one: &str, other: &str) -> bool {
    if one == other || tail(one) == tail(other) {
        return true;
    }
    // Without an alias the names are ids, and different ids are different keys.
    if !tail(one).starts_with("alias/") && !tail(other).starts_with("alias/") {
        return false;
    }
    let id = async |key: &str| {
        let described = session.kms().describe_key().key_id(key).send().await.ok()?;
        described.key_metadata.map(|found| found.key_id)
    };
    let (one, other) = (id(one).await, id(other).await);
    one.is_some() && one == other
}

/// The key id, or `alias/NAME`, of a name or ARN.
fn tail(key: &str) -> &str {
    let resource = if key.starts_with("arn:") { key.splitn(6, ':').nth(5) } else { Some(key) };
    let resource = resource.unwrap_or(key);
    resource.strip_prefix("key/").unwrap_or(resource)
}

/// Whether `key` is an alias of a key that AWS manages.
#[must_use]
pub fn is_managed_alias(key: &str) -> bool {
    tail(key).starts_with("alias/aws/")
}

fn unusable(found: &aws_sdk_kms::types::KeyMetadata) -> Option<String> {
    let state = found.key_state.as_ref().map_or("Enabled", |state| state.as_str());
    if state != "Enabled" {
        return Some(format!("its state is {state}"));
    }
    let specification = found.key_spec.as_ref().map_or("SYMMETRIC_DEFAULT", |it| it.as_str());
    (specification != "SYMMETRIC_DEFAULT")
        .then(|| format!("it is a {specification} key, where a symmetric encryption key is needed"))
}

/// Whether a key policy lets a service use an action for this account. Conditions other than the source are taken to hold:
/// this is to find what certainly fails.
fn allows(policy: &Policy, service: &str, account: &str, action: &str) -> bool {
    let applies = |statement: &&Statement, effect: &str| {
        statement.effect == effect
            && names(statement, service)
            && statement
                .action
                .iter()
                .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
    };
    let denied = policy
        .statement
        .values()
        .any(|statement| applies(&statement, "Deny") && statement.condition.is_empty());
    let allowed = policy
        .statement
        .values()
        .any(|statement| applies(&statement, "Allow") && may_hold(statement, account));
    allowed && !denied
}

fn names(statement: &Statement, service: &str) -> bool {
    let has = |kind: &str, name: &str| {
        statement.principal.get(kind).is_some_and(|names| names.contains(name))
    };
    has("Service", service) || has("AWS", "*")
}

/// Whether the source conditions of a statement can be met by a source of this account.
fn may_hold(statement: &Statement, account: &str) -> bool {
    let pairs = statement.condition.iter().flat_map(|(operator, keys)| {
        keys.iter().map(move |(key, values)| (operator.as_str(), key.as_str(), values))
    });
    pairs.into_iter().all(|(operator, key, values)| {
        if operator.contains("Not") {
            return true;
        }
        match key {
            "aws:SourceAccount" => values.iter().any(|value| matches(value, account)),
            "aws:SourceArn" => values
                .iter()
                .any(|value| value.split(':').nth(4).is_none_or(|owner| matches(owner, account))),
            _ => true,
        }
    })
}

fn missing_statement(publisher: Publisher, account: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": publisher.service },
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
        "Condition": { "StringEquals": { "aws:SourceAccount": account } },
    });
    format!("{statement:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows_ses(statement: &serde_json::Value) -> bool {
        let policy =
            Policy::of(&json!({ "Version": "2012-10-17", "Statement": statement })).unwrap();
        NEEDED.iter().all(|action| allows(&policy, SES_TO_TOPIC.service, "123456789012", action))
    }

    #[test]
    fn a_key_policy_must_name_the_service_and_both_actions() {
        let right = json!({ "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" },
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" });
        assert!(allows_ses(&right));
        for (pointer, wrong) in [
            ("/Effect", json!("Deny")),
            ("/Principal", json!({ "Service": "sns.amazonaws.com" })),
            ("/Principal", json!({ "AWS": "arn:aws:iam::123456789012:root" })),
            ("/Action", json!(["kms:Decrypt"])),
            ("/Action", json!(["kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"])),
        ] {
            let mut statement = right.clone();
            *statement.pointer_mut(pointer).unwrap() = wrong.clone();
            assert!(!allows_ses(&statement), "{pointer} {wrong}");
        }
        let mut everything = right.clone();
        everything["Action"] = json!("KMS:*");
        assert!(allows_ses(&everything));
    }

    #[test]
    fn a_source_condition_must_be_able_to_hold_for_this_account() {
        let with = |condition: serde_json::Value| {
            allows_ses(&json!({ "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" },
                "Action": "kms:*", "Resource": "*", "Condition": condition }))
        };
        assert!(with(json!({ "StringEquals": { "AWS:SourceAccount": "123456789012" } })));
        assert!(!with(json!({ "StringEquals": { "aws:SourceAccount": "210987654321" } })));
        assert!(with(json!({ "ArnLike": { "aws:SourceArn": "arn:aws:ses:*:123456789012:*" } })));
        assert!(!with(json!({ "ArnLike": { "aws:SourceArn": "arn:aws:ses:*:210987654321:*" } })));
        assert!(with(json!({ "StringEquals": { "kms:EncryptionContext:a": "b" } })));
    }

    #[test]
    fn a_plain_deny_wins() {
        assert!(!allows_ses(&json!([
            { "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" }, "Action": "kms:*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*" },
        ])));
    }

    #[test]
    fn keys_of_aws_are_known_by_their_alias() {
        assert!(is_managed_alias("alias/aws/sns"));
        assert!(is_managed_alias("arn:aws:kms:us-east-1:123456789012:alias/aws/sns"));
        assert!(!is_managed_alias("alias/mail"));
        assert_eq!(tail("arn:aws:kms:us-east-1:123456789012:key/1234"), "1234");
    }
}
