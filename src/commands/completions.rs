//! `sesinfra completions`: the command line, for a shell that completes it.

use clap::Args;
use clap_complete::Shell;

use super::exit::Exit;
use super::failure::Failure;
use super::{Run, command};

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra completions bash > /etc/bash_completion.d/sesinfra
  sesinfra completions zsh  > ~/.zfunc/_sesinfra
  sesinfra completions fish > ~/.config/fish/completions/sesinfra.fish";

pub(super) fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(run.host), "sesinfra", &mut script);
    run.answer(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
