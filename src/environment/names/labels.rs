//! Names that are a run of allowed characters of a bounded length, each with the rule of the service it goes to.

use super::NameError;

/// Declares a name type: a checked string with the usual conversions.
macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $format:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Parses the text, or says what is wrong with it and what would be right.
            pub fn parse(text: &str) -> Result<Self, $crate::environment::names::NameError> {
                let check: fn(&str) -> Result<String, $crate::environment::names::NameError> = $check;
                check(text).map(Self)
            }

            /// The name in its normal form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        $crate::environment::names::text_format!($name, $format);
    };
}
pub(crate) use text_name;

/// Accepts 1 to `longest` characters that `allowed` accepts; `characters` names them in the remedy.
pub(super) fn run_of(
    text: &str,
    longest: usize,
    allowed: fn(char) -> bool,
    characters: &str,
) -> Result<String, NameError> {
    let remedy = || format!("use 1 to {longest} of {characters}");
    if text.is_empty() {
        return Err(NameError::new("is empty", remedy()));
    }
    if let Some(wrong) = text.chars().find(|character| !allowed(*character)) {
        return Err(NameError::new(format!("contains {wrong:?}"), remedy()));
    }
    let length = text.chars().count();
    if length > longest {
        return Err(NameError::new(format!("is {length} characters long"), remedy()));
    }
    Ok(text.to_owned())
}

const WORD: &str = "letters, digits, `-` and `_`";

fn word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// The names that become part of tags, policy names and lock names: lower-case, so that no two differ only by case.
fn slug(text: &str) -> Result<String, NameError> {
    let slug = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
    };
    let name = run_of(text, 32, slug, "lower-case letters, digits and `-`")?;
    if name.starts_with('-') || name.ends_with('-') {
        return Err(NameError::new(
            "starts or ends with `-`",
            "start and end with a letter or a digit",
        ));
    }
    Ok(name)
}

/// A topic or queue name; `.fifo` is let through here so that the check for FIFO can explain itself.
fn message_name(text: &str, longest: usize) -> Result<String, NameError> {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    run_of(stem, longest, word, WORD)?;
    if text.len() > longest {
        return Err(NameError::new(
            format!("is {} characters long", text.len()),
            format!("use at most {longest} characters"),
        ));
    }
    Ok(text.to_owned())
}

text_name! {
    /// The name of a project: lower-case letters, digits and `-`, at most 32. It goes into tags and IAM policy names.
    ProjectName, "project-name", slug
}

text_name! {
    /// The name of an environment file without `.toml`: lower-case letters, digits and `-`, at most 32.
    FileName, "file-name", slug
}

text_name! {
    /// The name of a configuration set: 1 to 64 letters, digits, `-` and `_` (SES `CreateConfigurationSet`).
    SetName, "set-name", |text| run_of(text, 64, word, WORD)
}

text_name! {
    /// The name of an event destination within its set: 1 to 64 letters, digits, `-` and `_`.
    DestinationName, "destination-name", |text| run_of(text, 64, word, WORD)
}

text_name! {
    /// The name of a sending-authorization policy on an identity: 1 to 64 letters, digits, `-` and `_`.
    IdentityPolicyName, "identity-policy-name", |text| run_of(text, 64, word, WORD)
}

text_name! {
    /// The name of a dedicated IP pool: 1 to 64 lower-case letters, digits, `-` and `_`.
    PoolName, "pool-name", |text| run_of(
        text,
        64,
        |character| character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '_'),
        "lower-case letters, digits, `-` and `_`",
    )
}

text_name! {
    /// The name of an SNS topic: 1 to 256 letters, digits, `-` and `_`.
    TopicName, "topic-name", |text| message_name(text, 256)
}

text_name! {
    /// The name of an SQS queue: 1 to 80 letters, digits, `-` and `_`.
    QueueName, "queue-name", |text| message_name(text, 80)
}

text_name! {
    /// The name of a send policy. The IAM policy is called `PROJECT-ENVIRONMENT-NAME`, at most 128 in all.
    SendPolicyName, "send-policy-name", |text| run_of(text, 62, word, WORD)
}

text_name! {
    /// The name of an IAM role, user or group: 1 to 128 letters, digits and `+=,.@_-` (IAM API).
    IamName, "iam-name", |text| run_of(
        text,
        128,
        |character| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character),
        "letters, digits and `+=,.@_-` (the name alone, without its path or ARN)",
    )
}

text_name! {
    /// The key of a tag: 1 to 128 letters, digits, spaces and `+-=._:/@`, not starting with `aws:`.
    TagKey, "tag-key", |text| run_of(text, 128, tag_character, "letters, digits, spaces and `+-=._:/@`")
}

text_name! {
    /// Which tags: the key of one, or what keys start with and `*`, such as `cost-*`.
    TagPattern, "tag-pattern", tag_pattern
}

impl TagPattern {
    /// Whether it is about the tag `key`.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == self.0,
        }
    }
}

fn tag_pattern(text: &str) -> Result<String, NameError> {
    let start = text.strip_suffix('*').unwrap_or(text);
    if text == "*" {
        return Err(NameError::new(
            "is every tag",
            "write what the keys start with, such as `cost-*`; `ignore = [\"tags\"]` leaves all tags of one resource to others",
        ));
    }
    let characters =
        "letters, digits, spaces and `+-=._:/@`, with `*` at the end for all keys that start so";
    run_of(start, 128, tag_character, characters)?;
    let lower = start.to_lowercase();
    if lower.starts_with("aws:") {
        return Err(NameError::new(
            "is of AWS's own tags",
            "remove it: those are left alone anyway",
        ));
    }
    if lower.starts_with("sesinfra:") {
        return Err(NameError::new(
            "is of the tags by which sesinfra knows what it owns",
            "remove it: those cannot be left to others",
        ));
    }
    Ok(text.to_owned())
}

text_name! {
    /// The value of a tag: at most 256 letters, digits, spaces and `+-=._:/@`; may be empty.
    TagValue, "tag-value", |text| match text {
        "" => Ok(String::new()),
        _ => run_of(text, 256, tag_character, "letters, digits, spaces and `+-=._:/@`"),
    }
}

text_name! {
    /// The name of a CloudWatch dimension: letters, digits, `-` and `_`; a message tag of SES may start with `ses:`.
    DimensionName, "dimension-name", |text| {
        run_of(text.strip_prefix("ses:").unwrap_or(text), 250, word, WORD)?;
        Ok(text.to_owned())
    }
}

text_name! {
    /// The default value of a CloudWatch dimension: 1 to 255 letters, digits and `-_@.`.
    DimensionValue, "dimension-value", |text| run_of(
        text,
        255,
        |character| word(character) || matches!(character, '@' | '.'),
        "letters, digits and `-_@.`",
    )
}

text_name! {
    /// The display name of a topic, the sender's name of its mails: 1 to 100 characters, none of them a control character.
    DisplayName, "display-name", |text| run_of(text, 100, |character| !character.is_control(), "printable characters")
}

text_name! {
    /// A DKIM selector: 1 to 63 letters, digits and `-`, without dots (SES accepts one label).
    Selector, "selector", |text| {
        let remedy = "use 1 to 63 letters, digits and `-`, starting and ending with a letter or digit, such as `s1`";
        let name = run_of(text, 63, |character| character.is_ascii_alphanumeric() || character == '-', "letters, digits and `-`")
            .map_err(|error| NameError::new(error.reason, remedy))?;
        match name.starts_with('-') || name.ends_with('-') {
            true => Err(NameError::new("starts or ends with `-`", remedy)),
            false => Ok(name.to_ascii_lowercase()),
        }
    }
}

fn tag_character(character: char) -> bool {
    character.is_alphanumeric() || " +-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_accepted_up_to_its_longest_and_no_longer() {
        assert!(SetName::parse(&"a".repeat(64)).is_ok());
        assert_eq!(SetName::parse(&"a".repeat(65)).unwrap_err().reason, "is 65 characters long");
        assert!(QueueName::parse(&"q".repeat(80)).is_ok());
        assert!(QueueName::parse(&format!("{}.fifo", "q".repeat(76))).is_err());
    }

    #[test]
    fn a_wrong_character_is_named() {
        assert_eq!(SetName::parse("web mail").unwrap_err().reason, "contains ' '");
        assert!(TagKey::parse("cost centre").is_ok());
        assert!(TagPattern::parse("cost centre").unwrap().matches("cost centre"));
        assert!(!TagPattern::parse("cost").unwrap().matches("cost-1"));
        assert!(TagPattern::parse("cost-*").unwrap().matches("cost-1"));
        assert!(!TagPattern::parse("cost-*").unwrap().matches("Cost-1"));
        for wrong in ["", "*", "a*b", "*a", "aws:*", "SESinfra:seal", "sesinfra:*"] {
            assert!(TagPattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(TagValue::parse("").is_ok());
        assert!(TagKey::parse("").is_err());
    }

    #[test]
    fn project_names_are_lower_case_slugs() {
        assert!(ProjectName::parse("pivot-2").is_ok());
        assert!(ProjectName::parse("Pivot").is_err());
        assert!(ProjectName::parse("-pivot").is_err());
    }

    #[test]
    fn a_selector_is_one_label_and_case_does_not_matter() {
        assert_eq!(Selector::parse("S1").unwrap().as_str(), "s1");
        assert!(Selector::parse("s1.mail").is_err());
        assert!(Selector::parse("s1-").is_err());
    }
}
