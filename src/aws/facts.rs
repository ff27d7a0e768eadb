//! What is true of the account before any plan, read once: everything a blueprint needs, so that it makes no call.

use std::collections::BTreeMap;

use super::{Arns, Owner, Zones};
use crate::environment::names::IdentityName;

/// What a blueprint needs to know of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Every ARN.
    pub arns: Arns,
    /// Whose everything will be.
    pub owner: Owner,
    /// The public hosted zones within reach.
    pub zones: Zones,
    /// The public key, in base64, of each identity that signs with a key of its own.
    pub keys: BTreeMap<IdentityName, String>,
}
