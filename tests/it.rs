//! The tests that need no cloud, in one binary: link time counts.

#![allow(
    unreachable_pub,
    unused_qualifications,
    clippy::assigning_clones,
    clippy::needless_for_each,
    clippy::needless_pass_by_value,
    clippy::nonminimal_bool,
    clippy::similar_names,
    clippy::too_many_lines,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod it {
    mod cli;
    mod environment;
    mod fuzz;
    mod golden;
    mod laws;
    mod supply_chain;
    mod tidy;
    mod view;
}
