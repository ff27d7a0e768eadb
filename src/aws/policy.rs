//! Policy documents of IAM, SNS, SQS, SES and KMS in one normal form: as a structure that can be compared field by field.
//!
//! Invariant: two documents that grant the same by IAM's grammar (order, white space, scalar or list, the case of
//! actions and condition keys) have equal normal forms, and the normal form of a document made from one is that same
//! form. So a stored document is written only when it means something else than it should.

mod grants;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use grants::SENDERS;

/// The version that every document of ours has. Without one AWS reads a document as `2008-10-17`.
pub const VERSION: &str = "2012-10-17";
/// What a document without a `Version` is: policy variables are plain text in it.
const VERSION_OLD: &str = "2008-10-17";

/// A text that is not a policy document.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON.
    #[error("the policy document is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another form.
    #[error("the policy document {0}")]
    WrongForm(String),
}

/// A policy document in normal form.
///
/// Statements are held by their Sid, so that a difference names the statement it is in. Those without one are held
/// as `#1`, `#2`, ... in the order of their content, which does not depend on their order in the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Policy {
    /// The version of the policy language.
    pub version: String,
    /// The statements, by Sid.
    pub statement: BTreeMap<String, Statement>,
}

/// One statement of a policy in normal form. What is empty is absent from the document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Statement {
    /// The Sid, only where more than one statement has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sid: String,
    /// `Allow` or `Deny`.
    pub effect: String,
    /// Who: names by type (`AWS`, `Service`, `Federated`, `CanonicalUser`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub principal: BTreeMap<String, BTreeSet<String>>,
    /// Everyone but these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_principal: BTreeMap<String, BTreeSet<String>>,
    /// What may be done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub action: BTreeSet<String>,
    /// Everything but this.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_action: BTreeSet<String>,
    /// To what.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resource: BTreeSet<String>,
    /// To everything but this.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_resource: BTreeSet<String>,
    /// Under which conditions: operator, key, values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// The normal form of a document as AWS gives it, URL-encoded (IAM) or not.
pub fn normal_form(document: &str) -> Result<Value, PolicyError> {
    Policy::parse(document).map(|policy| policy.to_value())
}

/// The normal form of a document that is JSON already. What is in normal form, or no policy at all, stays as it is.
#[must_use]
pub fn normal(document: Value) -> Value {
    Policy::of(&document).map_or(document, |policy| policy.to_value())
}

impl Policy {
    /// A document of ours with these statements, by Sid.
    #[must_use]
    pub fn new<S: Into<String>>(statements: impl IntoIterator<Item = (S, Statement)>) -> Self {
        let statement = statements.into_iter().map(|(sid, body)| (sid.into(), body)).collect();
        Self { version: VERSION.to_owned(), statement }
    }

    /// Reads a document as AWS gives it, URL-encoded (IAM) or not.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        let text = decoded(document);
        let value: Value = serde_json::from_str(&text).map_err(PolicyError::NotJson)?;
        Self::of(&value)
    }

    /// Reads a document that is JSON already.
    pub fn of(document: &Value) -> Result<Self, PolicyError> {
        let members = object(document, "is not an object")?;
        let version = match members.get("Version") {
            None => VERSION_OLD.to_owned(),
            Some(version) => text_of(version, "Version")?,
        };
        // `Id` has no effect, and services fill it in by themselves.
        if let Some(unknown) =
            members.keys().find(|key| !["Version", "Id", "Statement"].contains(&key.as_str()))
        {
            return Err(PolicyError::WrongForm(format!("has an unknown element `{unknown}`")));
        }
        let statements: Vec<&Value> = match members.get("Statement") {
            None => Vec::new(),
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement) => vec![statement],
        };
        let parsed =
            statements.into_iter().map(statement).collect::<Result<BTreeSet<_>, PolicyError>>()?;
        Ok(Self { version, statement: by_sid(parsed) })
    }

    /// The document to be written, on one line: white space counts for SNS and SQS.
    #[must_use]
    pub fn document(&self) -> String {
        let statements: Vec<Value> =
            self.statement.iter().map(|(key, body)| body.document(key)).collect();
        json!({ "Version": self.version, "Statement": statements }).to_string()
    }

    /// How long IAM finds the document: it does not count white space.
    #[must_use]
    pub fn length(&self) -> usize {
        self.document().chars().filter(|character| !character.is_whitespace()).count()
    }

    /// Principals that were deleted: IAM then shows a unique id (`AROA...`, `AIDA...`) in place of the ARN, which
    /// matches nobody, a new principal of the old name included.
    #[must_use]
    pub fn lost_principals(&self) -> BTreeSet<&str> {
        let named = self.statement.values().filter_map(|statement| statement.principal.get("AWS"));
        named.flatten().map(String::as_str).filter(|name| is_unique_id(name)).collect()
    }

    fn to_value(&self) -> Value {
        // Plain maps of text always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Statement {
    /// A statement that allows.
    #[must_use]
    pub fn allow() -> Self {
        Self { effect: "Allow".to_owned(), ..Self::default() }
    }

    /// The same for a principal: a type and a name.
    #[must_use]
    pub fn to(mut self, kind: &str, name: &str) -> Self {
        self.principal.entry(kind.to_owned()).or_default().insert(principal(kind, name));
        self
    }

    /// The same for these actions.
    #[must_use]
    pub fn may<'a>(mut self, actions: impl IntoIterator<Item = &'a str>) -> Self {
        self.action.extend(actions.into_iter().map(action));
        self
    }

    /// The same on these resources.
    #[must_use]
    pub fn on<S: Into<String>>(mut self, resources: impl IntoIterator<Item = S>) -> Self {
        self.resource.extend(resources.into_iter().map(Into::into));
        self
    }

    /// The same only if a condition holds: an operator, a key, and the values that it accepts.
    #[must_use]
    pub fn when<S: Into<String>>(
        mut self,
        operator: &str,
        key: &str,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        let keys = self.condition.entry(operator.to_owned()).or_default();
        keys.entry(condition_key(key)).or_default().extend(values.into_iter().map(Into::into));
        self
    }

    fn document(&self, key: &str) -> Value {
        let sid = match key.strip_prefix('#') {
            Some(escaped) if escaped.starts_with('#') => escaped,
            Some(_) => &self.sid,
            None => key,
        };
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            let is_empty = value.as_object().is_some_and(Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_str().is_some_and(str::is_empty);
            if !is_empty {
                members.insert(name.to_owned(), value);
            }
        };
        put("Sid", json!(sid));
        put("Effect", json!(self.effect));
        put("Principal", principals_document(&self.principal));
        put("NotPrincipal", principals_document(&self.not_principal));
        put("Action", list(&self.action));
        put("NotAction", list(&self.not_action));
        put("Resource", list(&self.resource));
        put("NotResource", list(&self.not_resource));
        let conditions = self.condition.iter().map(|(operator, keys)| {
            let keys = keys.iter().map(|(key, values)| (key.clone(), list(values)));
            (operator.clone(), Value::Object(keys.collect()))
        });
        put("Condition", Value::Object(conditions.collect()));
        Value::Object(members)
    }
}

/// One value is written without brackets, as AWS's own examples do. An empty text is a value too.
fn list(values: &BTreeSet<String>) -> Value {
    match values.first() {
        Some(only) if values.len() == 1 && !only.is_empty() => json!(only),
        _ => json!(values),
    }
}

fn principals_document(principals: &BTreeMap<String, BTreeSet<String>>) -> Value {
    principals.iter().map(|(kind, names)| (kind.clone(), list(names))).collect()
}

/// Gives each statement its key. Statements that are equal in everything are one.
fn by_sid(statements: BTreeSet<Statement>) -> BTreeMap<String, Statement> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for statement in &statements {
        *uses.entry(statement.sid.clone()).or_default() += 1;
    }
    let mut unnamed = 0;
    let keyed = statements.into_iter().map(|mut statement| {
        let is_only = uses.get(&statement.sid) == Some(&1);
        if statement.sid.is_empty() || !is_only {
            unnamed += 1;
            return (format!("#{unnamed}"), statement);
        }
        let sid = std::mem::take(&mut statement.sid);
        // A Sid that looks like our own numbers is told apart by a second mark.
        let key = if sid.starts_with('#') { format!("#{sid}") } else { sid };
        (key, statement)
    });
    keyed.collect()
}

fn statement(value: &Value) -> Result<Statement, PolicyError> {
    let members = object(value, "has a statement that is not an object")?;
    let mut statement = Statement::default();
    for (name, value) in members {
        match name.as_str() {
            "Sid" => statement.sid = text_of(value, name)?,
            "Effect" => statement.effect = text_of(value, name)?,
            "Principal" => statement.principal = principals(value)?,
            "NotPrincipal" => statement.not_principal = principals(value)?,
            "Action" => statement.action = texts(value, name, action)?,
            "NotAction" => statement.not_action = texts(value, name, action)?,
            "Resource" => statement.resource = texts(value, name, str::to_owned)?,
            "NotResource" => statement.not_resource = texts(value, name, str::to_owned)?,
            "Condition" => statement.condition = conditions(value)?,
            unknown => {
                return Err(PolicyError::WrongForm(format!(
                    "has an unknown element `{unknown}` in a statement"
                )));
            }
        }
    }
    Ok(statement)
}

fn principals(value: &Value) -> Result<BTreeMap<String, BTreeSet<String>>, PolicyError> {
    // In a resource policy `"*"` alone and `{"AWS": "*"}` mean the same.
    if let Value::String(text) = value {
        return Ok(BTreeMap::from([("AWS".to_owned(), BTreeSet::from([principal("AWS", text)]))]));
    }
    let members = object(value, "has a principal that is neither `*` nor an object")?;
    members
        .iter()
        .map(|(kind, names)| {
            let names = texts(names, "Principal", |name| principal(kind, name))?;
            Ok((kind.clone(), names))
        })
        .collect()
}

/// An account is `123456789012` or `arn:aws:iam::123456789012:root`, and AWS stores the one it likes: the id is kept,
/// which says as much because an account is in one partition.
fn principal(kind: &str, name: &str) -> String {
    let account = (kind == "AWS").then(|| name.strip_suffix(":root")).flatten();
    let account = account.and_then(|arn| arn.strip_prefix("arn:")?.split_once(":iam::"));
    account.map_or_else(|| name.to_owned(), |(_, account)| account.to_owned())
}

fn conditions(
    value: &Value,
) -> Result<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>, PolicyError> {
    let mut conditions: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (operator, keys) in object(value, "has a condition that is not an object")? {
        for (key, values) in object(keys, "has a condition that is not an object")? {
            let values = texts(values, "Condition", str::to_owned)?;
            let keys = conditions.entry(operator.clone()).or_default();
            keys.entry(condition_key(key)).or_default().extend(values);
        }
    }
    Ok(conditions)
}

fn object<'a>(value: &'a Value, otherwise: &str) -> Result<&'a Map<String, Value>, PolicyError> {
    value.as_object().ok_or_else(|| PolicyError::WrongForm(otherwise.to_owned()))
}

/// A scalar as text: conditions may hold `true` or `5` for `"true"` and `"5"`.
fn text_of(value: &Value, element: &str) -> Result<String, PolicyError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(PolicyError::WrongForm(format!("has an element `{element}` that is not text")))
        }
    }
}

fn texts(
    value: &Value,
    element: &str,
    normal: impl Fn(&str) -> String,
) -> Result<BTreeSet<String>, PolicyError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    items.iter().map(|item| text_of(item, element).map(|text| normal(&text))).collect()
}

/// Actions whose usual spelling is kept, because case does not count and lower case is hard to read.
const ACTIONS: &[&str] = &[
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKey*",
    "ses:SendBounce",
    "ses:SendBulkEmail",
    "ses:SendBulkTemplatedEmail",
    "ses:SendCustomVerificationEmail",
    "ses:SendEmail",
    "ses:SendRawEmail",
    "ses:SendTemplatedEmail",
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:Receive",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
];

/// Condition keys whose usual spelling is kept.
const CONDITION_KEYS: &[&str] = &[
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:ResourceTag/sesinfra:environment",
    "aws:ResourceTag/sesinfra:project",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceOwner",
    "kms:ViaService",
    "ses:ApiVersion",
    "ses:FeedbackAddress",
    "ses:FromAddress",
    "ses:FromDisplayName",
    "ses:Recipients",
];

/// Prefixes and names of actions are compared without case.
fn action(text: &str) -> String {
    usual(text, ACTIONS)
}

/// Names of condition keys are compared without case, the tag key after the slash included.
fn condition_key(text: &str) -> String {
    usual(text, CONDITION_KEYS)
}

fn usual(text: &str, spellings: &[&str]) -> String {
    let known = spellings.iter().find(|spelling| spelling.eq_ignore_ascii_case(text));
    known.map_or_else(|| text.to_ascii_lowercase(), |spelling| (*spelling).to_owned())
}

/// Whether `text` is what `pattern` stands for, `*` meaning any characters and `?` any one, as IAM compares them.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut position) = (0, 0);
    // Where to go on when something later does not fit: after the last `*`, one character further in the text.
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, position));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                at = after;
                position = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

fn is_unique_id(name: &str) -> bool {
    let prefix = ["AIDA", "AROA", "AGPA"].iter().any(|prefix| name.starts_with(prefix));
    prefix && name.len() >= 16 && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// Undoes the URL encoding (RFC 3986) in which IAM returns documents. Other services return them bare, and a bare
/// document starts with a brace, which an encoded one cannot.
fn decoded(document: &str) -> String {
    if document.trim_start().starts_with('{') {
        return document.to_owned();
    }
    let bytes = document.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%').then(|| document.get(at + 1..at + 3)).flatten();
        if let Some(value) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            plain.push(value);
            at += 3;
        } else {
            plain.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests;
