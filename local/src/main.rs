//! The `sesinfra-local` command.

fn main() {}
