//! The command line: one file for each verb, and what they share.
//!
//! Invariant: a command decides and calls, views show; and nothing is loaded before it is needed, so that
//! `sesinfra --version` answers at once.

mod access;
mod advice;
mod apply;
mod arguments;
mod carry_out;
mod completions;
mod consent;
mod control;
mod destroy;
mod environments;
mod exit;
mod failure;
mod gate;
mod host;
mod list;
mod locked;
mod moving;
mod mv;
mod open;
mod output;
mod permissions;
mod plan;
mod plan_all;
mod plan_file;
mod planned;
mod quota;
mod records;
mod release;
mod root;
mod schema;
mod several;
mod show;
mod stale;
mod status;
mod throttling;
mod unlock;
mod validate;
mod wait;

pub use exit::Exit;
pub use host::{Host, Terminal};

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::view::{Level, Style, failure_text, log_to_standard_error};
use exit::EXIT_CODES;
use failure::Failure;

/// Plans and applies a company's transactional e-mail on AWS
///
/// Each environment is one file, environments/NAME.toml: domains, configuration sets, topics, queues and who may send.
/// `plan` shows what is different in AWS, `apply` makes AWS match, and nothing else is touched.
#[derive(Parser, Debug)]
#[command(
    name = "sesinfra",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}\n\n{VARIABLES}")
)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra validate               check every environment file, without AWS
  sesinfra plan staging           show what would change
  sesinfra apply staging          show it, ask, and do it
  sesinfra status prod            whether mail works, and what to do where it does not
  sesinfra destroy staging        show all that the environment owns, ask, and delete it";

const VARIABLES: &str = "\
Environment variables:
  AWS_PROFILE, AWS_ACCESS_KEY_ID, ...   credentials, found as the AWS CLI finds them
  AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_*  another endpoint than AWS's own, for all services or one
  GITHUB_OUTPUT                         plan writes `changes=true` or `changes=false` to this file
  NO_COLOR                              no colour
  SESINFRA_PACING=off                   no pause between calls, for a server that is not AWS and has no limits";

/// What every command takes.
#[derive(Args, Debug)]
struct Global {
    /// Look for the project here, and above, instead of in the current directory
    #[arg(long, value_name = "DIRECTORY", global = true, help_heading = "Everywhere")]
    dir: Option<PathBuf>,

    /// Log to standard error: names and codes, never a request's content
    #[arg(long, value_name = "LEVEL", global = true, help_heading = "Everywhere", value_enum)]
    log: Option<LogLevel>,

    /// Show all changes in full, also the many that are alike
    #[arg(long, global = true, help_heading = "Everywhere")]
    verbose: bool,

    /// No colour
    #[arg(long = "no-color", global = true, help_heading = "Everywhere", action = ArgAction::SetTrue)]
    no_color: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Subcommand, Debug)]
enum Command {
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Destroy(destroy::Arguments),
    Release(release::Arguments),
    Mv(mv::Arguments),
    Show(show::Arguments),
    List(list::Arguments),
    Status(status::Arguments),
    Quota(quota::Arguments),
    Access(access::Arguments),
    Output(output::Arguments),
    Permissions(permissions::Arguments),
    Unlock(unlock::Arguments),
    Environments(environments::Arguments),
    Validate(validate::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
}

/// One run of a command.
struct Run<'a> {
    host: &'a Host,
    global: Global,
}

impl Run<'_> {
    fn output_style(&self) -> Style {
        self.telling(self.host.output_style(self.global.no_color))
    }

    fn error_style(&self) -> Style {
        self.telling(self.host.error_style(self.global.no_color))
    }

    const fn telling(&self, style: Style) -> Style {
        if self.global.verbose { style.verbose() } else { style }
    }

    /// Writes the answer, or a part of it.
    fn answer(&self, text: &str) -> Result<(), Failure> {
        let written = self.host.screen().answer(text);
        written.map_err(|error| Failure::input(unwritten(&error)))
    }

    /// Writes a long answer piece by piece.
    fn answer_in_pieces(
        &self,
        write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
    ) -> Result<(), Failure> {
        let mut pieces = Pieces { run: self, piece: String::new(), failure: None };
        let written = write(&mut pieces).and_then(|()| pieces.pass_on());
        match pieces.failure {
            Some(failure) => Err(failure),
            None => written.map_err(Failure::internal),
        }
    }

    /// Says something beside the answer.
    fn say(&self, text: &str) {
        self.host.screen().say(text);
    }

    /// The project's root.
    fn root(&self) -> Result<PathBuf, Failure> {
        let start = match &self.global.dir {
            Some(dir) => self.host.directory.join(dir),
            None => self.host.directory.clone(),
        };
        root::find_root(&start, &self.host.program)
    }
}

/// An answer on its way out.
struct Pieces<'a, 'b> {
    run: &'a Run<'b>,
    /// What is not passed on yet.
    piece: String,
    /// Why it could not be.
    failure: Option<Failure>,
}

impl Pieces<'_, '_> {
    /// How long a piece is, in bytes.
    const LONG: usize = 64 * 1024;

    fn pass_on(&mut self) -> fmt::Result {
        if let Err(failure) = self.run.answer(&self.piece) {
            self.failure = Some(failure);
            return Err(fmt::Error);
        }
        self.piece.clear();
        Ok(())
    }
}

impl fmt::Write for Pieces<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.piece.push_str(text);
        if self.piece.len() < Self::LONG { Ok(()) } else { self.pass_on() }
    }
}

/// Runs the command that `arguments` ask for (the first is the program's own name) and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, host: &Host) -> u8 {
    let parsed = command(host).try_get_matches_from(arguments);
    let command_line = match parsed.and_then(|matches| CommandLine::from_arg_matches(&matches)) {
        Ok(command_line) => command_line,
        Err(error) => return usage(&error, host).code(),
    };
    let run = Run { host, global: command_line.global };
    if let Some(level) = run.global.log {
        log_to_standard_error(level.into(), run.error_style().is_coloured());
    }
    let ended = match host.misread_variable() {
        Some(fault) => Err(Failure::input(fault)),
        None => run.command(command_line.command),
    };
    match ended {
        Ok(exit) => exit.code(),
        Err(failure) => {
            run.say(&failure_text(failure.source.as_ref(), &failure.hints, run.error_style()));
            failure.exit().code()
        }
    }
}

/// The whole command line, called as the host calls it.
fn command(host: &Host) -> clap::Command {
    CommandLine::command().bin_name(&host.program)
}

impl Run<'_> {
    fn command(&self, command: Command) -> Result<Exit, Failure> {
        match command {
            Command::Plan(arguments) => block_on(plan::run(self, &arguments)),
            Command::Apply(arguments) => block_on(apply::run(self, &arguments)),
            Command::Destroy(arguments) => block_on(destroy::run(self, &arguments)),
            Command::Mv(arguments) => block_on(mv::run(self, &arguments)),
            Command::Release(arguments) => block_on(release::run(self, &arguments)),
            Command::Show(arguments) => show::run(self, &arguments),
            Command::List(arguments) => block_on(list::run(self, &arguments)),
            Command::Status(arguments) => block_on(status::run(self, &arguments)),
            Command::Quota(arguments) => block_on(quota::run(self, &arguments)),
            Command::Access(arguments) => block_on(access::run(self, &arguments)),
            Command::Output(arguments) => block_on(output::run(self, &arguments)),
            Command::Permissions(arguments) => block_on(permissions::run(self, &arguments)),
            Command::Unlock(arguments) => block_on(unlock::run(self, &arguments)),
            Command::Environments(arguments) => environments::run(self, &arguments),
            Command::Validate(arguments) => validate::run(self, &arguments),
            Command::Schema(schema::Arguments {}) => schema::run(self),
            Command::Completions(arguments) => completions::run(self, &arguments),
        }
    }
}

fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::internal)?;
    let ended = runtime.block_on(command);
    // A name lookup that hangs in a thread must not keep a run from ending.
    runtime.shutdown_background();
    ended
}

fn unwritten(error: &std::io::Error) -> String {
    format!("the answer cannot be written: {error}")
}

/// Help and version are answers; everything else is a wrong usage, which clap would end with 2: the code for changes.
fn usage(error: &clap::Error, host: &Host) -> Exit {
    let text = error.render();
    let is_coloured = |style: Style| style.is_coloured();
    if !error.use_stderr() {
        let no_color = host.output_style(false);
        let text = if is_coloured(no_color) { text.ansi().to_string() } else { text.to_string() };
        return match host.screen().answer(&text) {
            Ok(()) => Exit::Done,
            Err(error) => {
                host.screen().say(&format!("Error: {}\n", unwritten(&error)));
                Exit::Failed
            }
        };
    }
    let text = text.to_string();
    let text = text.strip_prefix("error: ").map_or(text.clone(), |rest| format!("Error: {rest}"));
    host.screen().say(&text);
    Exit::Failed
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::Error,
            LogLevel::Warn => Self::Warn,
            LogLevel::Info => Self::Info,
            LogLevel::Debug => Self::Debug,
            LogLevel::Trace => Self::Trace,
        }
    }
}
