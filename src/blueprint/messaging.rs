//! Topics, queues and subscriptions.

use super::Draft;
use crate::aws::Facts;
use crate::environment::Environment;

/// Adds them to `into`.
pub(super) fn messaging(_environment: &Environment, _facts: &Facts, _into: &mut Draft) {}
