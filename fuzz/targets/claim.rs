//! Fuzzes `claim` of the harness.

#![no_main]

#[path = "../harness.rs"]
#[allow(dead_code, reason = "each target runs one of the functions")]
mod harness;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::claim(bytes));
