//! Random environments on the real kinds: whatever stood before, applying the next one leaves nothing to do, and
//! applying none leaves the account as it was.
//!
//! `SESINFRA_PAIRS=1000 cargo test -p sesinfra-local --test it pairs -- --nocapture` runs a thousand pairs and asserts
//! that every field and kind is among them; without the variable a few pairs run.

#![expect(
    clippy::print_stdout,
    reason = "what was covered, and which pairs went wrong, is for whoever runs them"
)]

mod coverage;
mod generate;
mod random;
mod run;
