//! `sesinfra-local`, or `cargo local`: the local cloud on the command line. `serve` leaves one running, `reset` clears
//! its data, and everything else is a command of sesinfra's, run against a cloud in this process.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the command line; the library prints nothing"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use clap::{Parser, Subcommand};
use sesinfra::aws::Access;
use sesinfra::commands::{self, Host};
use sesinfra::environment;
use sesinfra_local::dns::Dns;
use sesinfra_local::{Cloud, CloudError, Options, options, seeds};
use tokio::runtime::Runtime;

/// Where the data is kept, below the folder that holds `environments/`.
const DATA: &str = ".local";
/// The port of a served cloud unless another is asked for.
const PORT: u16 = 4566;
/// How often a served cloud writes its data down.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a step that waits for a verification waits before it looks again: here nothing takes long.
const PAUSE: Duration = Duration::from_millis(50);

/// An AWS on this machine: serve it, reset it, or run sesinfra against it.
///
/// Every command of sesinfra's works: `cargo local plan staging` plans against an account of this machine's own, in
/// which the zones, roles and keys that the environment file refers to exist. What is applied is still there the next
/// time.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local")]
#[command(
    after_help = "Every other command is sesinfra's: cargo local plan staging, cargo local apply staging, ..."
)]
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
    /// Plans and applies an environment without asking, and plans it again.
    Try {
        /// The environment, such as `staging`.
        environment: OsString,
    },
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let root = root(&arguments);
    let ours = ["serve", "reset", "try", "help", "--help", "-h"];
    let first = arguments.get(1).and_then(|first| first.to_str());
    if first.is_some_and(|first| !ours.contains(&first)) {
        return sesinfra(&[arguments], &root).unwrap_or_else(|error| failed(&error));
    }
    let outcome = match Line::parse_from(arguments).command {
        Command::Serve { port, ephemeral } => {
            let data = (!ephemeral).then(|| root.join(DATA));
            runtime().and_then(|runtime| {
                runtime.block_on(serve(&root, Options { port, data, ..Options::default() }))
            })
        }
        Command::Reset => reset(root.join(DATA)),
        Command::Try { environment } => {
            let run = |verb: &str, options: &[&str]| {
                let words = ["sesinfra", verb].into_iter().map(OsString::from);
                words
                    .chain([environment.clone()])
                    .chain(options.iter().map(OsString::from))
                    .collect()
            };
            let runs = [run("apply", &["--yes"]), run("plan", &[])];
            return sesinfra(&runs, &root).unwrap_or_else(|error| failed(&error));
        }
    };
    outcome.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn failed(error: &CloudError) -> ExitCode {
    eprintln!("Error: {error}");
    ExitCode::FAILURE
}

fn administrator(account: &str) -> Credentials {
    let (key, secret) = Cloud::administrator(account);
    Credentials::new(key, secret, None, None, "local cloud")
}

/// The cloud answers on a thread of its own, while the command runs on this one.
fn runtime() -> Result<Runtime, CloudError> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.map_err(CloudError::Runtime)
}

/// The nearest folder that holds `environments/`, at or above where the command is to run.
fn root(arguments: &[OsString]) -> PathBuf {
    let given = arguments
        .iter()
        .zip(arguments.iter().skip(1))
        .find_map(|(option, value)| (option == "--dir").then(|| PathBuf::from(value)));
    let joined = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix("--dir="));
    let given = given.or_else(|| joined.map(PathBuf::from).next()).unwrap_or_default();
    let start = std::env::current_dir().unwrap_or_default().join(given);
    let found = start.ancestors().find(|folder| folder.join("environments").is_dir());
    found.map_or_else(|| start.clone(), Path::to_path_buf)
}

/// Account and Region by the name of an environment.
type Places = BTreeMap<String, (String, String)>;

/// Runs commands of sesinfra's against one cloud in this process, up to the first that does not succeed.
fn sesinfra(runs: &[Vec<OsString>], root: &Path) -> Result<ExitCode, CloudError> {
    let data = Some(root.join(DATA));
    let runtime = runtime()?;
    let cloud = runtime.block_on(Cloud::start(Options { data, ..Options::default() }))?;
    let places = seed(&cloud, root);
    // An environment is named by its file, or by a plan of it.
    let named = runs
        .iter()
        .flatten()
        .skip(1)
        .find_map(|argument| places.get(Path::new(argument).file_stem()?.to_str()?));
    let account = named
        .or_else(|| places.values().next())
        .map_or(options::ACCOUNT, |(account, _)| account.as_str());
    let mut host = Host::of_process().map_err(CloudError::Runtime)?;
    host.access = Access {
        endpoint: Some(cloud.endpoint().to_owned()),
        credentials: Some(administrator(account)),
        accounts: places.values().map(|(of, _)| (of.clone(), administrator(of))).collect(),
        ..Access::default()
    };
    host.lookup = Arc::new(Dns(Arc::clone(cloud.world())));
    "cargo local".clone_into(&mut host.program);
    host.first_pause = PAUSE;
    let mut code = 0;
    for arguments in runs {
        if runs.len() > 1 {
            let words: Vec<_> =
                arguments.iter().skip(1).map(|word| word.to_string_lossy()).collect();
            println!("\n$ cargo local {}\n", words.join(" "));
        }
        code = commands::run(arguments.iter().cloned(), &host);
        cloud.save()?;
        if code != 0 {
            break;
        }
    }
    Ok(ExitCode::from(code))
}

async fn serve(root: &Path, options: Options) -> Result<(), CloudError> {
    let cloud = Cloud::start(options).await?;
    print!("{}", exports(cloud.endpoint(), &seed(&cloud, root)));
    eprintln!(
        "Answering until interrupted. Controls: {}/_local/calls, options, faults, clock.",
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

/// What a shell takes so that any client calls this cloud: as the first environment, and beside it how to be the others.
fn exports(endpoint: &str, places: &Places) -> String {
    let mut by_place: BTreeMap<&(String, String), Vec<&str>> = BTreeMap::new();
    for (name, place) in places {
        by_place.entry(place).or_default().push(name);
    }
    let nowhere = (options::ACCOUNT.to_owned(), options::REGION.to_owned());
    let first = places.values().next().unwrap_or(&nowhere);
    let variables = |(account, region): &(String, String)| {
        let (key, secret) = Cloud::administrator(account);
        // Version 1 of the AWS CLI knows only the second name of the Region, SDKs only the first.
        [
            format!("export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}"),
            format!("export AWS_REGION={region} AWS_DEFAULT_REGION={region}"),
        ]
    };
    let mut text = format!("export AWS_ENDPOINT_URL={endpoint}\n{}\n", variables(first).join("\n"));
    for (place, names) in by_place.into_iter().filter(|(place, _)| *place != first) {
        let (names, (account, _)) = (names.join(", "), place);
        let variables = variables(place).join("; ");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {names} (account {account}): {variables}");
    }
    text
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

fn reset(path: PathBuf) -> Result<(), CloudError> {
    match fs::remove_dir_all(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(CloudError::Reset { path, source }),
    }
}

/// Gives the accounts of all environment files here what they take for granted; a file that is wrong is passed over,
/// since the command itself will say what is wrong with it. Returns the account and Region of each environment.
fn seed(cloud: &Cloud, root: &Path) -> Places {
    let names = environment::names(root).unwrap_or_default();
    let environments = names.iter().filter_map(|name| environment::load(root, name).ok());
    environments
        .map(|environment| {
            seeds::seed(cloud.world(), &environment);
            let aws = &environment.settings.aws;
            (environment.name.to_string(), (aws.account.to_string(), aws.region.to_string()))
        })
        .collect()
}
