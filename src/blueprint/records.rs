//! The DNS records of domains: published by us, or listed for somebody else.

use super::Draft;
use crate::aws::Facts;
use crate::engine::Arg;
use crate::environment::Environment;
use crate::environment::names::IdentityName;

pub use crate::kinds::dns::RecordType;

/// A record that somebody else publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualRecord {
    /// The identity it is for.
    pub identity: IdentityName,
    /// Its name.
    pub name: Arg<String>,
    /// Its type.
    pub kind: RecordType,
    /// Its value, a text without quotes.
    pub value: Arg<String>,
    /// What it is for.
    pub purpose: &'static str,
}

/// Adds them to `into`.
pub(super) fn records(_environment: &Environment, _facts: &Facts, _into: &mut Draft) {}
