//! The `sesinfra` command.

fn main() {}
