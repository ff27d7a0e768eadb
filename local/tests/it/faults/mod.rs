//! Faults on the real kinds: whatever becomes of any single call of a run, a clean run afterwards ends where an
//! undisturbed one does.
//!
//! `SESINFRA_FAULTS=all cargo test -p sesinfra-local --test it faults -- --nocapture` runs every fault at every call;
//! without the variable a fixed sample runs.

mod dump;
mod jobs;
mod marks;
mod matrix;
mod named;
mod run;
mod together;

pub(crate) use dump::{differences, owned};
pub(crate) use run::Watched;
