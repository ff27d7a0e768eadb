//! The name of a resource: `kind.name`, where the name is AWS's own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// `kind.name`, for example `identity.pivot.app` or `event_destination.transactional/feedback`.
///
/// The kind has no dot, so the first one separates; the name may hold anything. Cheap to copy: plans are full of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Arc<str>);

/// A text that is not `kind.name`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an address: write `kind.name`, for example `identity.pivot.app`")]
pub struct InvalidAddress(pub String);

impl Address {
    /// Names the resource `name` of `kind`.
    #[must_use]
    pub fn new(kind: &str, name: impl AsRef<str>) -> Self {
        debug_assert!(!kind.contains('.'), "a kind has no dot");
        Self([kind, ".", name.as_ref()].concat().into())
    }

    /// All of it, as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind's name, for example `identity`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.parts().0
    }

    /// AWS's own name of the resource, for example `pivot.app`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().1
    }

    /// Looked for each time, since it is near the start: addresses are many, and each is kept small.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('.').unwrap_or_default()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('.') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self(text.into())),
            _ => Err(InvalidAddress(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_dot_parts_kind_and_name() {
        let address: Address = "event_destination.transactional/feed.back".parse().unwrap();
        assert_eq!(
            (address.kind(), address.name()),
            ("event_destination", "transactional/feed.back")
        );
        assert_eq!(address, Address::new("event_destination", "transactional/feed.back"));
        for wrong in ["", "identity", "identity.", ".pivot.app"] {
            assert_eq!(wrong.parse::<Address>(), Err(InvalidAddress(wrong.to_owned())));
        }
    }

    #[test]
    fn addresses_sort_by_kind_and_then_by_name() {
        let mut addresses = ["identity_policy.a", "identity.b", "identity.a", "dns.z"]
            .map(|it| it.parse::<Address>().unwrap());
        addresses.sort();
        let sorted = addresses.map(|it| it.to_string());
        assert_eq!(sorted, ["dns.z", "identity.a", "identity.b", "identity_policy.a"]);
    }
}
