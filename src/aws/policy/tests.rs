//! The normal form: what means the same is equal, what does not is not, and writing it out and reading it is no change.

use super::*;

fn form(document: &Value) -> Policy {
    Policy::of(document).unwrap()
}

fn topic_policy() -> Value {
    json!({
        "Version": "2012-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "owner", "Effect": "Allow", "Principal": { "AWS": "*" },
                "Action": ["SNS:Publish", "SNS:Subscribe"],
                "Resource": "arn:aws:sns:us-east-1:123456789012:feedback",
                "Condition": { "StringEquals": { "AWS:SourceOwner": "123456789012" } }
            },
            {
                "Sid": "ses", "Effect": "Allow",
                "Principal": { "Service": ["ses.amazonaws.com", "cloudwatch.amazonaws.com"] },
                "Action": "sns:publish", "Resource": ["b", "a"],
                "Condition": { "ArnLike": { "aws:sourcearn": ["x/*", "y/*"] }, "Bool": { "aws:SecureTransport": true } }
            },
            { "Effect": "Deny", "NotPrincipal": { "AWS": "arn:aws:iam::123456789012:root" }, "NotAction": "s3:*", "NotResource": "z" },
            { "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "q" }
        ]
    })
}

/// A generator of test data: the same on every run, so a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// The same document spelled otherwise: lists shuffled, doubled, unwrapped; case changed where it does not count.
fn respelled(value: &Value, within: &str, dice: &mut Dice) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> =
                items.iter().map(|item| respelled(item, within, dice)).collect();
            for at in (1..items.len()).rev() {
                items.swap(at, dice.below(at + 1));
            }
            if !items.is_empty() && dice.coin() {
                items.push(items[dice.below(items.len())].clone());
            }
            match items.as_slice() {
                [only] if dice.coin() => only.clone(),
                _ => Value::Array(items),
            }
        }
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                let spelled = if within == "operator" && dice.coin() {
                    key.to_uppercase()
                } else {
                    key.clone()
                };
                let inner = match (within, key.as_str()) {
                    (_, "Condition") => "condition",
                    ("condition", _) => "operator",
                    ("operator", _) | (_, "Resource" | "NotResource") => "value",
                    (_, "Action" | "NotAction") => "action",
                    (_, "Principal" | "NotPrincipal") => "principal",
                    (outer, _) => outer,
                };
                (spelled, respelled(value, inner, dice))
            });
            Value::Object(members.collect())
        }
        Value::String(text) => {
            let text = match within {
                "action" if dice.coin() => text.to_uppercase(),
                "principal" if text.ends_with(":root") && dice.coin() => "123456789012".to_owned(),
                _ => text.clone(),
            };
            let listed = ["action", "value"].contains(&within) && dice.coin();
            if listed { json!([text]) } else { json!(text) }
        }
        Value::Bool(flag) if dice.coin() => json!(flag.to_string()),
        other => other.clone(),
    }
}

/// Lists inside lists are no policy; a wrapped item of a list is unwrapped again.
fn flat(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().flat_map(|item| match flat(item) {
                Value::Array(inner) => inner,
                other => vec![other],
            });
            Value::Array(items.collect())
        }
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, flat(value))).collect()
        }
        other => other,
    }
}

#[test]
fn the_form_does_not_depend_on_how_a_document_is_spelled() {
    let original = topic_policy();
    let wanted = form(&original);
    let mut dice = Dice(1);
    for round in 0..2_000 {
        let other = flat(respelled(&original, "", &mut dice));
        assert_eq!(form(&other), wanted, "round {round}: {other}");
        let spaced = serde_json::to_string_pretty(&other).unwrap();
        assert_eq!(Policy::parse(&format!("\n\t {spaced} \r\n")).unwrap(), wanted, "round {round}");
    }
}

#[test]
fn writing_a_form_and_reading_it_again_changes_nothing() {
    let form = form(&topic_policy());
    assert_eq!(Policy::parse(&form.document()).unwrap(), form);
    let value = normal_form(&form.document()).unwrap();
    assert_eq!(normal(value.clone()), value);
    assert_eq!(serde_json::from_value::<Policy>(value).unwrap(), form);
}

#[test]
fn every_element_of_a_statement_counts() {
    let original = topic_policy();
    let wanted = form(&original);
    for (pointer, other) in [
        ("/Version", json!("2008-10-17")),
        ("/Statement/0/Sid", json!("Owner")),
        ("/Statement/0/Effect", json!("Deny")),
        ("/Statement/0/Principal", json!({ "Federated": "*" })),
        ("/Statement/0/Action", json!("SNS:Publish")),
        ("/Statement/0/Resource", json!("arn:aws:sns:us-east-1:123456789012:Feedback")),
        ("/Statement/0/Condition", json!({ "StringLike": { "AWS:SourceOwner": "123456789012" } })),
        (
            "/Statement/0/Condition/StringEquals",
            json!({ "AWS:SourceOwner": ["123456789012", "1"] }),
        ),
        ("/Statement/2/NotPrincipal", json!({ "AWS": "210987654321" })),
        ("/Statement/2/NotAction", json!("s3:Get*")),
        ("/Statement/2/NotResource", json!("Z")),
    ] {
        let mut changed = original.clone();
        *changed.pointer_mut(pointer).unwrap() = other;
        assert_ne!(form(&changed), wanted, "{pointer}");
    }
}

#[test]
fn statements_are_held_by_sid_and_nameless_ones_by_content() {
    let policy = form(&json!({ "Statement": [
        { "Sid": "twice", "Effect": "Deny", "Action": "b", "Resource": "*" },
        { "Effect": "Allow", "Action": "a", "Resource": "*" },
        { "Effect": "Allow", "Action": "a", "Resource": ["*"] },
        { "Sid": "twice", "Effect": "Allow", "Action": "b", "Resource": "*" },
        { "Sid": "#1", "Effect": "Allow", "Action": "c", "Resource": "*" },
        { "Sid": "one", "Effect": "Allow", "Action": "d", "Resource": "*" },
    ] }));
    let keys: Vec<&str> = policy.statement.keys().map(String::as_str).collect();
    assert_eq!(keys, ["##1", "#1", "#2", "#3", "one"]);
    assert_eq!(policy.version, "2008-10-17");
    assert_eq!(policy.statement["#2"].sid, "twice");
    assert_eq!(Policy::parse(&policy.document()).unwrap(), policy);
}

#[test]
fn a_url_encoded_document_is_decoded_and_a_bare_one_is_not() {
    let bare = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ses:SendEmail","Resource":"a%20b+c"}}"#;
    let encoded: String = bare
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let policy = Policy::parse(bare).unwrap();
    assert_eq!(Policy::parse(&encoded).unwrap(), policy);
    assert!(policy.statement["#1"].resource.contains("a%20b+c"));
}

#[test]
fn what_is_no_policy_is_refused_with_the_reason() {
    for (document, reason) in [
        ("[]", "is not an object"),
        ("not json", "is not JSON"),
        (r#"{"Statment":[]}"#, "`Statment`"),
        (r#"{"Statement":["x"]}"#, "statement that is not an object"),
        (r#"{"Statement":{"Effect":{}}}"#, "`Effect`"),
        (r#"{"Statement":{"Resources":"*"}}"#, "`Resources`"),
        (r#"{"Statement":{"Condition":{"StringLike":"x"}}}"#, "condition"),
    ] {
        let error = Policy::parse(document).unwrap_err().to_string();
        assert!(error.contains(reason), "{document}: {error}");
    }
    assert_eq!(normal(json!("text")), json!("text"));
}

#[test]
fn deleted_principals_are_found() {
    let policy = form(
        &json!({ "Statement": { "Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*",
        "Principal": { "AWS": ["AROAJ2UCCR6DPCEXAMPLE", "arn:aws:iam::123456789012:role/AROA", "123456789012"] } } }),
    );
    assert_eq!(policy.lost_principals(), BTreeSet::from(["AROAJ2UCCR6DPCEXAMPLE"]));
}

#[test]
fn the_length_leaves_out_white_space() {
    let policy = Policy::new([("A", Statement::allow().may(["ses:SendEmail"]).on(["a b"]))]);
    assert_eq!(policy.length(), policy.document().len() - 1);
}

#[test]
fn patterns_match_as_iam_compares_them() {
    for (pattern, text, matching) in [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "abb", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*@pivot.app", "a@pivot.app", true),
        ("*@pivot.app", "a@Pivot.app", false),
        ("a*b*c", "a-b-b-c", true),
    ] {
        assert_eq!(matches(pattern, text), matching, "{pattern} {text}");
    }
}
