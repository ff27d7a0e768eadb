//! What the user sees.
//!
//! Invariant: nothing else in the program prints, and no view decides anything.

pub mod findings;
