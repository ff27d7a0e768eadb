//! `sesinfra`: one command, and its exit code.

use std::process::ExitCode;

use sesinfra::commands::{Exit, Host, run};

fn main() -> ExitCode {
    match Host::of_process() {
        Ok(host) => ExitCode::from(run(std::env::args_os(), &host)),
        // Without a current directory there is no project to find, and nobody to tell but the exit code.
        Err(_) => ExitCode::from(Exit::Failed.code()),
    }
}
