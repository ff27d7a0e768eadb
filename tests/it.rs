//! The tests that need no cloud, in one binary: link time counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod it {
    mod cli;
    mod environment;
    mod golden;
    mod laws;
    mod tidy;
    mod view;
}
