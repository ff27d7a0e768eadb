//! `sesinfra`: one command, and its exit code.

use std::process::ExitCode;

use sesinfra::commands::{Exit, Host, run};
use sesinfra::view::Screen;

fn main() -> ExitCode {
    match Host::of_process() {
        Ok(host) => ExitCode::from(run(std::env::args_os(), &host)),
        Err(error) => {
            let said = format!("Error: the current directory cannot be read: {error}\n");
            Screen::of_process().say(&said);
            ExitCode::from(Exit::Failed.code())
        }
    }
}
