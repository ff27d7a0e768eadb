//! Everything that needs the local cloud, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::unsafe_derive_deserialize,
    reason = "a test that cannot go on fails, one that is skipped says so; what is derived here has no unsafe code"
)]

mod it {
    mod account;
    mod aws_access;
    mod aws_cli;
    mod bad_input;
    mod bench_job;
    mod binary;
    mod calls;
    mod cases;
    mod command_line;
    mod contract;
    mod cut_short;
    mod delivery;
    mod dns;
    mod environments;
    mod exact;
    mod faults;
    mod faulty_files;
    mod fields;
    mod folder;
    mod health;
    mod impacts;
    mod inputs;
    mod kept;
    mod large_zones;
    mod least_privilege;
    mod locks;
    mod mail;
    mod manual_records;
    mod marks;
    mod messaging;
    mod moto;
    mod one_writer;
    mod ownership;
    mod pacing;
    mod pairs;
    mod permissions;
    mod policies;
    mod program;
    mod project;
    mod protection;
    mod python_tools;
    mod queues;
    mod records;
    mod refresh;
    mod saved_plans;
    mod secrets;
    mod sending;
    mod served;
    mod ses;
    mod shipped;
    mod sign_in;
    mod stage;
    mod tags;
    mod topics;
}
