//! The identities, how they are signed and answered, and who may send as them.

use super::Draft;
use crate::aws::Facts;
use crate::environment::Environment;

/// Adds them to `into`.
pub(super) fn domains(_environment: &Environment, _facts: &Facts, _into: &mut Draft) {}
