//! References to resources: a name that this file declares, or the ARN or id of something made elsewhere, which is
//! used and never changed.

use super::amazon::arn_of;
use super::{
    Arn, DomainName, IamName, IdentityName, NameError, QueueName, SetName, TopicName, text_format,
    text_name,
};
use crate::secrets::secret_parameter;
use std::fmt;

/// Declares a reference: a declared name, or an ARN of one service and resource type.
macro_rules! reference {
    ($(#[$doc:meta])* $name:ident, $format:literal, $declared:ident, $service:literal, $resource:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            /// A name of this environment: declared in the file, or, for what sesinfra does not make, found in its
            /// account and Region.
            Named($declared),
            /// Made elsewhere, given by its ARN.
            Elsewhere(Arn),
        }

        impl $name {
            /// Parses an ARN if the text starts with `arn:`, otherwise a name.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                match text.starts_with("arn:") {
                    true => Arn::parse(&arn_of(text, $service, $resource, $example)?).map(Self::Elsewhere),
                    false => $declared::parse(text).map(Self::Named),
                }
            }

            /// The name, unless it was given as an ARN.
            #[must_use]
            pub fn named(&self) -> Option<&$declared> {
                match self {
                    Self::Named(name) => Some(name),
                    Self::Elsewhere(_) => None,
                }
            }

            /// The last part of the name or ARN: what AWS calls the resource.
            #[must_use]
            pub fn short_name(&self) -> String {
                match self {
                    Self::Named(name) => name.to_string(),
                    Self::Elsewhere(arn) => arn.resource().trim_start_matches($resource).to_owned(),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Named(name) => name.fmt(formatter),
                    Self::Elsewhere(arn) => arn.fmt(formatter),
                }
            }
        }

        text_format!($name, $format);
    };
}

reference! {
    /// A configuration set: declared in this file, or an ARN.
    SetReference, "set", SetName,
    "ses", "configuration-set/", "arn:aws:ses:us-east-1:123456789012:configuration-set/transactional"
}

reference! {
    /// An SNS topic: declared in this file, or an ARN.
    TopicReference, "topic", TopicName, "sns", "", "arn:aws:sns:us-east-1:123456789012:ses-feedback"
}

reference! {
    /// An SQS queue: declared in this file, or an ARN.
    QueueReference, "queue", QueueName, "sqs", "", "arn:aws:sqs:us-east-1:123456789012:ses-feedback"
}

reference! {
    /// An SES identity: declared in this file, or an ARN.
    IdentityReference, "identity", IdentityName,
    "ses", "identity/", "arn:aws:ses:us-east-1:123456789012:identity/example.com"
}

reference! {
    /// An IAM role made elsewhere: its name in this account, or its ARN.
    RoleReference, "role", IamName, "iam", "role/", "arn:aws:iam::123456789012:role/ses-firehose"
}

reference! {
    /// A Firehose delivery stream made elsewhere: its name in this account and Region, or its ARN.
    StreamReference, "stream", StreamName,
    "firehose", "deliverystream/", "arn:aws:firehose:us-east-1:123456789012:deliverystream/mail"
}

reference! {
    /// A Lambda function made elsewhere: its name in this account and Region, or its ARN.
    FunctionReference, "function", FunctionName,
    "lambda", "function:", "arn:aws:lambda:us-east-1:123456789012:function:feedback"
}

text_name! {
    /// The name of a Firehose delivery stream: 1 to 64 letters, digits and `_.-`.
    StreamName, "stream-name", |text| super::labels::run_of(
        text, 64, |character| character.is_ascii_alphanumeric() || "_.-".contains(character), "letters, digits and `_.-`",
    )
}

text_name! {
    /// The name of a Lambda function: 1 to 64 letters, digits, `-` and `_`.
    FunctionName, "function-name", |text| super::labels::run_of(
        text, 64, |character| character.is_ascii_alphanumeric() || "_-".contains(character), "letters, digits, `-` and `_`",
    )
}

text_name! {
    /// The ARN of a Mail Manager archive.
    ArchiveArn, "archive-arn", |text| arn_of(
        text, "ses", "mailmanager-archive/",
        "arn:aws:ses:us-east-1:123456789012:mailmanager-archive/a-abcdefghijklmnopqrstuvwx",
    )
}

text_name! {
    /// An https endpoint: `https://HOST/PATH`, without user name, password or fragment.
    HttpsUrl, "https-url", https
}

/// An EventBridge bus. SES publishes only to the account's default bus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventBus {
    /// The default bus of this account and Region.
    Default,
    /// A bus given by its ARN.
    Elsewhere(Arn),
}

impl EventBus {
    /// Parses `default` or the ARN of the default bus; other buses are refused, as SES refuses them.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let remedy = "write `default`: SES publishes only to the account's default bus";
        if text == "default" {
            return Ok(Self::Default);
        }
        let example = "arn:aws:events:us-east-1:123456789012:event-bus/default";
        let arn = arn_of(text, "events", "event-bus/", example)
            .map_err(|_| NameError::new("is not the default event bus", remedy))?;
        let arn = Arn::parse(&arn)?;
        match arn.resource() {
            "event-bus/default" => Ok(Self::Elsewhere(arn)),
            _ => Err(NameError::new("is not the default event bus", remedy)),
        }
    }
}

impl fmt::Display for EventBus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Elsewhere(arn) => arn.fmt(formatter),
        }
    }
}

text_format!(EventBus, "event-bus");

/// A Route 53 hosted zone: by the name of the zone, or by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZoneReference {
    /// The zone of this name.
    Name(DomainName),
    /// The zone of this id (`Z0123456789ABCDEFGHIJ`), without `/hostedzone/`.
    Id(ZoneId),
}

text_name! {
    /// The id of a Route 53 hosted zone, such as `Z0123456789ABC`; a leading `/hostedzone/` is dropped.
    ZoneId, "zone-id", |text| {
        let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
        let allowed = |character: char| character.is_ascii_uppercase() || character.is_ascii_digit();
        match id.starts_with('Z') && id.len() <= 32 && id.len() > 1 && id.chars().all(allowed) {
            true => Ok(id.to_owned()),
            false => Err(NameError::new("is not the id of a hosted zone", "write an id such as `Z0123456789ABC`")),
        }
    }
}

impl ZoneReference {
    /// Parses an id if the text is one, otherwise a domain name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match ZoneId::parse(text) {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => DomainName::parse(text).map(Self::Name).map_err(|error| {
                NameError::new(error.reason, "write the zone's name such as `example.com`, or its id such as `Z0123456789ABC`")
            }),
        }
    }
}

impl fmt::Display for ZoneReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(formatter),
            Self::Id(id) => id.fmt(formatter),
        }
    }
}

text_format!(ZoneReference, "zone");

fn https(text: &str) -> Result<String, NameError> {
    let remedy = "write a URL such as `https://api.example.com/hooks/ses`";
    let wrong = |reason: &str| Err(NameError::new(reason, remedy));
    if text.starts_with("http://") {
        return wrong("is not encrypted");
    }
    let Some(rest) = text.strip_prefix("https://") else {
        return wrong("does not start with `https://`");
    };
    if text.chars().any(|character| {
        character.is_whitespace() || character.is_control() || !character.is_ascii()
    }) {
        return wrong("contains a character that a URL does not");
    }
    if rest.contains('#') {
        return wrong("has a fragment");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // A password in a subscription's endpoint can be read by everyone who may list subscriptions.
    if authority.contains('@') {
        return wrong("carries a user name or password");
    }
    // So can one in its query, and this file, its plans and the pull requests with them show it to more.
    if let Some(name) = secret_parameter(text) {
        return Err(NameError::new(
            format!("carries what looks like a secret, `{name}`"),
            "leave it out: SNS signs what it delivers, and the receiver can verify the signature",
        ));
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    if port.parse::<u16>().is_err() {
        return wrong("has a wrong port");
    }
    match DomainName::parse(host) {
        Ok(host) => Ok(format!(
            "https://{host}{}",
            &rest[authority.split(':').next().map_or(0, str::len)..]
        )),
        Err(error) => Err(NameError::new(format!("has a host that {}", error.reason), remedy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_name_or_an_arn_of_the_right_service() {
        let topic = TopicReference::parse("ses-feedback").unwrap();
        assert_eq!(topic.named().map(TopicName::as_str), Some("ses-feedback"));
        let arn = "arn:aws:sns:us-east-1:123456789012:ses-feedback";
        assert_eq!(TopicReference::parse(arn).unwrap().short_name(), "ses-feedback");
        assert!(TopicReference::parse("arn:aws:sqs:us-east-1:123456789012:ses-feedback").is_err());
        let set = SetReference::parse("arn:aws:ses:us-east-1:123456789012:configuration-set/web")
            .unwrap();
        assert_eq!(set.short_name(), "web");
    }

    #[test]
    fn only_the_default_event_bus_is_accepted() {
        assert_eq!(EventBus::parse("default").unwrap(), EventBus::Default);
        assert!(EventBus::parse("arn:aws:events:us-east-1:123456789012:event-bus/default").is_ok());
        assert!(EventBus::parse("arn:aws:events:us-east-1:123456789012:event-bus/mail").is_err());
        assert!(EventBus::parse("mail").is_err());
    }

    #[test]
    fn a_zone_is_a_name_or_an_id() {
        assert_eq!(
            ZoneReference::parse("/hostedzone/Z0123ABC").unwrap(),
            ZoneReference::Id(ZoneId::parse("Z0123ABC").unwrap())
        );
        assert!(matches!(ZoneReference::parse("pivot.app").unwrap(), ZoneReference::Name(_)));
        assert!(ZoneReference::parse("zone").is_err());
    }

    #[test]
    fn an_endpoint_is_https_and_carries_no_password() {
        assert_eq!(
            HttpsUrl::parse("https://API.pivot.app:8443/Hooks?x=1").unwrap().as_str(),
            "https://api.pivot.app:8443/Hooks?x=1"
        );
        assert_eq!(
            HttpsUrl::parse("https://api.pivot.app").unwrap().as_str(),
            "https://api.pivot.app"
        );
        for wrong in [
            "http://api.pivot.app",
            "api.pivot.app",
            "https://a:b@api.pivot.app/",
            "https://",
            "https://api.pivot.app:x/",
            "https://api.pivot.app/#a",
            "https://api.pivot.app/hooks?tenant=1&token=abc",
        ] {
            assert!(HttpsUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
