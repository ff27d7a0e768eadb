//! Configuration sets, their tracking domains and their event destinations.

use super::Draft;
use crate::aws::Facts;
use crate::environment::Environment;

/// Adds them to `into`.
pub(super) fn events(_environment: &Environment, _facts: &Facts, _into: &mut Draft) {}
