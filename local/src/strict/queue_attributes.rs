//! The values that AWS accepts for a queue's attributes.

/// The numeric attributes and their bounds.
const NUMBERS: [(&str, i64, i64); 6] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
];

const OTHERS: [&str; 9] = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "SqsManagedSseEnabled",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

/// The code and message with which AWS would refuse a value; the policy's content is not looked at.
pub(super) fn problem(name: &str, value: &str) -> Option<(&'static str, String)> {
    if let Some((_, least, most)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
        let fits = value.parse::<i64>().is_ok_and(|value| (*least..=*most).contains(&value));
        return (!fits).then(|| invalid(name));
    }
    if !OTHERS.contains(&name) {
        return Some(("InvalidAttributeName", format!("Unknown Attribute {name}.")));
    }
    let fits = match name {
        "SqsManagedSseEnabled" | "FifoQueue" | "ContentBasedDeduplication" => {
            ["true", "false"].contains(&value)
        }
        "RedrivePolicy" => value.is_empty() || redrives(value),
        "RedriveAllowPolicy" => {
            value.is_empty() || serde_json::from_str::<serde_json::Value>(value).is_ok()
        }
        _ => true,
    };
    (!fits).then(|| invalid(name))
}

fn invalid(name: &str) -> (&'static str, String) {
    ("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

fn redrives(value: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(value) else { return false };
    let count = &policy["maxReceiveCount"];
    let count = count.as_i64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
    count.is_some_and(|count| (1..=1000).contains(&count))
        && policy["deadLetterTargetArn"].as_str().is_some_and(|arn| arn.starts_with("arn:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_bounds() {
        assert_eq!(problem("MessageRetentionPeriod", "1209600"), None);
        assert!(problem("MessageRetentionPeriod", "59").is_some());
        assert!(problem("ReceiveMessageWaitTimeSeconds", "many").is_some());
        assert!(problem("Colour", "red").is_some_and(|(code, _)| code == "InvalidAttributeName"));
        assert!(
            problem("RedrivePolicy", r#"{"maxReceiveCount":0,"deadLetterTargetArn":"arn:x"}"#)
                .is_some()
        );
        assert_eq!(
            problem("RedrivePolicy", r#"{"maxReceiveCount":"5","deadLetterTargetArn":"arn:x"}"#),
            None
        );
    }
}
