//! E-mail addresses, patterns of From addresses, and the names of identities.
//!
//! The domain of an address is folded to lower case, its local part never is: SES compares addresses with case
//! (developer guide, "Creating and verifying identities").

use super::{DomainName, NameError, text_format};
use std::fmt;

/// An e-mail address: a local part as it is written, and a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmailAddress {
    local: String,
    domain: DomainName,
}

impl EmailAddress {
    /// Parses `local@domain`; display names, quotes and comments are refused.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let remedy = "write a plain address such as `billing@example.com`";
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(NameError::new("has no `@`", remedy));
        };
        check_local(local, false).map_err(|reason| NameError::new(reason, remedy))?;
        let domain = DomainName::parse(domain).map_err(|error| {
            NameError::new(format!("has a domain that {}", error.reason), error.remedy)
        })?;
        Ok(Self { local: local.to_owned(), domain })
    }

    /// What stands before the `@`, with its case.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// What stands after the `@`.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.local, self.domain)
    }
}

text_format!(EmailAddress, "email-address");

/// A From address, or a pattern of them as IAM's `StringLike` reads it: `*` stands for any characters.
///
/// The domain is written out, save for one leading `*.` that stands for the subdomains: a pattern that left the
/// domain open would let the sender use every identity of the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FromPattern {
    local: String,
    subdomains: bool,
    domain: DomainName,
}

impl FromPattern {
    /// Parses `billing@example.com`, `*@example.com`, `no-reply+*@example.com` or `*@*.example.com`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let remedy = "write an address or a pattern such as `*@example.com`";
        let Some((local, host)) = text.rsplit_once('@') else {
            return Err(NameError::new("has no `@`", remedy));
        };
        check_local(local, true).map_err(|reason| NameError::new(reason, remedy))?;
        let (subdomains, host) = match host.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, host),
        };
        let domain = DomainName::parse(host).map_err(|error| {
            NameError::new(format!("has a domain that {}", error.reason), error.remedy)
        })?;
        Ok(Self { local: local.to_owned(), subdomains, domain })
    }

    /// The domain that every matching address has, or, where [`Self::subdomains`] holds, is under.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Whether the pattern means the subdomains of its domain (`*@*.example.com`) instead of the domain itself.
    #[must_use]
    pub fn subdomains(&self) -> bool {
        self.subdomains
    }

    /// Whether the pattern matches this address.
    #[must_use]
    pub fn matches(&self, address: &EmailAddress) -> bool {
        let domain = if self.subdomains {
            address.domain().is_under(&self.domain)
        } else {
            address.domain() == &self.domain
        };
        domain && wildcard_matches(self.local.as_bytes(), address.local().as_bytes())
    }

    /// Whether mail from some matching address can be sent with this identity: the domain or a parent of it, one of the
    /// subdomains that the pattern stands for, or an address that it matches.
    #[must_use]
    pub fn is_covered_by(&self, identity: &IdentityName) -> bool {
        match identity {
            IdentityName::Domain(domain) => {
                self.domain.is_within(domain) || (self.subdomains && domain.is_under(&self.domain))
            }
            IdentityName::Address(address) => self.matches(address),
        }
    }
}

/// Matches `text` against a pattern in which `*` stands for any run of bytes.
fn wildcard_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where to go on when a later byte does not fit: just after the last `*`, one byte further in the text.
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        if pattern.get(at) == Some(&b'*') {
            retry = Some((at + 1, position));
            at += 1;
        } else if pattern.get(at) == text.get(position) {
            at += 1;
            position += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            at = after;
            position = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for FromPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}@{}{}",
            self.local,
            if self.subdomains { "*." } else { "" },
            self.domain
        )
    }
}

text_format!(FromPattern, "from-pattern");

/// What SES sends from: a domain, or a single address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentityName {
    /// A domain; it covers its addresses and subdomains.
    Domain(DomainName),
    /// One address; a name with an `@`.
    Address(EmailAddress),
}

impl IdentityName {
    /// Parses a domain, or an address if there is an `@`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.contains('@') {
            true => EmailAddress::parse(text).map(Self::Address),
            false => DomainName::parse(text).map(Self::Domain),
        }
    }

    /// The domain itself, or the domain of the address.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        match self {
            Self::Domain(domain) => domain,
            Self::Address(address) => address.domain(),
        }
    }

    /// Whether this is an address identity.
    #[must_use]
    pub fn is_address(&self) -> bool {
        matches!(self, Self::Address(_))
    }
}

impl fmt::Display for IdentityName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(formatter),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

text_format!(IdentityName, "identity-name");

/// Checks a local part: the dot-atom of RFC 5322, at most 64 octets (RFC 5321).
fn check_local(local: &str, wildcard: bool) -> Result<(), String> {
    if local.is_empty() {
        return Err("has nothing before the `@`".to_owned());
    }
    if local.len() > 64 {
        return Err(format!("has {} characters before the `@`, where 64 are allowed", local.len()));
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("has a misplaced dot before the `@`".to_owned());
    }
    let allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || "!#$%&'+-/=^_`{|}~.".contains(character)
            || (wildcard && character == '*')
    };
    match local.chars().find(|character| !allowed(*character)) {
        Some('*') => Err("has a wildcard".to_owned()),
        Some(wrong) => Err(format!("contains {wrong:?} before the `@`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn the_domain_of_an_address_is_folded_and_its_local_part_is_not() {
        assert_eq!(address("Billing+EU@Pivot.App").to_string(), "Billing+EU@pivot.app");
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused() {
        for text in [
            "pivot.app",
            "@pivot.app",
            "a@",
            "Pivot <a@pivot.app>",
            "a b@pivot.app",
            "a..b@pivot.app",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text}");
        }
        assert!(EmailAddress::parse("*@pivot.app").unwrap_err().reason.contains("wildcard"));
    }

    #[test]
    fn a_pattern_matches_as_string_like_does() {
        let pattern = |text: &str| FromPattern::parse(text).unwrap();
        assert!(pattern("*@pivot.app").matches(&address("a@pivot.app")));
        assert!(!pattern("*@pivot.app").matches(&address("a@mail.pivot.app")));
        assert!(pattern("no-*-reply*@pivot.app").matches(&address("no-x-reply-reply@pivot.app")));
        assert!(!pattern("Billing@pivot.app").matches(&address("billing@pivot.app")));
        assert!(pattern("*@*.pivot.app").matches(&address("a@t1.pivot.app")));
        assert!(!pattern("*@*.pivot.app").matches(&address("a@pivot.app")));
    }

    #[test]
    fn a_pattern_that_leaves_the_domain_open_is_refused() {
        for text in ["*", "*@*", "*@*.app", "*@pi*.app"] {
            assert!(FromPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_domain_identity_covers_its_subdomains_and_an_address_only_itself() {
        let identity = |text: &str| IdentityName::parse(text).unwrap();
        let pattern = |text: &str| FromPattern::parse(text).unwrap();
        assert!(pattern("*@mail.pivot.app").is_covered_by(&identity("pivot.app")));
        assert!(pattern("*@pivot.app").is_covered_by(&identity("billing@pivot.app")));
        assert!(!pattern("help@pivot.app").is_covered_by(&identity("billing@pivot.app")));
        assert!(!pattern("*@pivot.app").is_covered_by(&identity("mail.pivot.app")));
        assert!(pattern("*@*.pivot.app").is_covered_by(&identity("mail.pivot.app")));
    }
}
