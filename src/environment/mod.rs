//! Environment files: the TOML, and nothing else in the program knows TOML.
//!
//! Invariant: an [`Environment`] that was loaded has passed every check, so the rest of the program never meets a
//! name it must validate or a reference that leads nowhere.

pub mod names;
pub mod types;

pub use types::Settings;
