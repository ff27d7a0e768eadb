//! `sesinfra-local`, or `cargo local`: the local cloud on the command line. `serve` leaves one running, `reset` clears
//! its data, and everything else is a command of sesinfra's, run against a cloud in this process.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the command line; the library prints nothing"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sesinfra::environment;
use sesinfra_local::{Cloud, CloudError, Options, seeds};

/// Where the data is kept, below the folder that holds `environments/`.
const DATA: &str = ".local";
/// The port of a served cloud unless another is asked for.
const PORT: u16 = 4566;
/// How often a served cloud writes its data down.
const INTERVAL: Duration = Duration::from_secs(5);

/// An AWS on this machine: `serve` it, `reset` it, or run any command of sesinfra's against it.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local")]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers AWS clients on 127.0.0.1 until it is interrupted.
    Serve {
        /// The port; 0 takes any free one.
        #[arg(long, default_value_t = PORT)]
        port: u16,
        /// Keeps nothing and begins empty.
        #[arg(long)]
        ephemeral: bool,
    },
    /// Clears the data of all runs so far.
    Reset,
}

fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("cannot start: {error}")),
    };
    let outcome = match line.command {
        Command::Serve { port, ephemeral } => runtime.block_on(serve(port, ephemeral)),
        Command::Reset => reset(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

async fn serve(port: u16, ephemeral: bool) -> Result<(), CloudError> {
    let data = (!ephemeral).then(|| PathBuf::from(DATA));
    let cloud = Cloud::start(Options { port, data, ..Options::default() }).await?;
    let accounts = seed(&cloud);
    println!("{}", cloud.endpoint());
    let (key, secret) = Cloud::administrator(
        accounts.first().map_or(sesinfra_local::options::ACCOUNT, String::as_str),
    );
    println!(
        "AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}",
        cloud.endpoint()
    );
    let mut interval = tokio::time::interval(INTERVAL);
    let end = ended();
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            _ = interval.tick() => cloud.save()?,
        }
    }
    cloud.save()
}

/// Waits until the process is told to end.
async fn ended() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn reset() -> Result<(), CloudError> {
    match fs::remove_dir_all(DATA) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CloudError::Reset { path: PathBuf::from(DATA), source: error }),
    }
}

/// Gives the accounts of all environment files here what they take for granted; a file that is wrong is passed over,
/// since the command itself will say what is wrong with it. Returns the accounts.
fn seed(cloud: &Cloud) -> Vec<String> {
    let root = Path::new(".");
    let names = environment::names(root).unwrap_or_default();
    let environments = names.iter().filter_map(|name| environment::load(root, name).ok());
    environments
        .map(|environment| {
            seeds::seed(cloud.world(), &environment);
            environment.settings.aws.account.to_string()
        })
        .collect()
}
