//! The JSON Schema of environment files, made from the types that read them.

use super::types::Settings;
use serde_json::Value;

/// The schema that editors complete and check environment files with.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Settings).to_value()
}
