//! The `sesinfra` program itself, as a process of its own, against a cloud of this one.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sesinfra_local::Cloud;

use super::account::ACCOUNT;

/// Long enough for everything that is to happen; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program, which is built beside that of the local cloud.
fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_sesinfra-local")).with_file_name("sesinfra");
    assert!(path.is_file(), "no {}: run the tests with `cargo test --workspace`", path.display());
    path
}

/// `sesinfra ARGUMENTS` in a folder, as the administrator of the account at this endpoint, and with nothing else of the
/// process environment than the path.
pub(crate) fn command(endpoint: &str, folder: &Path, arguments: &[&str]) -> Command {
    let (key, secret) = Cloud::administrator(ACCOUNT);
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("NO_PROXY", "127.0.0.1");
    command.env("AWS_ENDPOINT_URL", endpoint);
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// A program that is running; whatever becomes of the test, it ends.
pub(crate) struct Running {
    process: Child,
    lines: Receiver<String>,
    output: JoinHandle<String>,
    errors: String,
}

impl Running {
    /// Starts a command whose output and errors are pipes.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut output = process.stdout.take().unwrap();
        let errors = BufReader::new(process.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let output = std::thread::spawn(move || {
            let mut text = String::new();
            // What was read before an error is still worth looking at.
            let _ = output.read_to_string(&mut text);
            text
        });
        Self { process, lines, output, errors: String::new() }
    }

    /// Waits for a line on standard error that contains `words`.
    pub(crate) fn says(&mut self, words: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("it never said `{words}`: {}", self.errors)
            };
            let is_it = line.contains(words);
            self.errors += &(line + "\n");
            if is_it {
                return;
            }
        }
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait(&mut self.process);
        self.errors.extend(self.lines.iter().map(|line| line + "\n"));
        Ended { code: status.code(), output: self.output.join().unwrap(), errors: self.errors }
    }
}

/// Waits for the end; if that does not come, brings it about.
fn wait(process: &mut Child) -> ExitStatus {
    let (ended, over) = channel::<()>();
    let id = process.id().to_string();
    let watch = std::thread::spawn(move || {
        let is_late = over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        if is_late {
            // It may have ended by itself at the last moment.
            let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
        }
        is_late
    });
    let status = process.wait().unwrap();
    drop(ended);
    assert!(!watch.join().unwrap(), "it did not end within {PATIENCE:?}");
    status
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Ended {
    Running::start(command).end()
}
