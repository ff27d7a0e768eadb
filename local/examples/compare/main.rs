//! `cargo compare`: the same job done by sesinfra and by Terraform, side by side, on local clouds of their own.
//!
//! For each number of domains, and without and with AWS's limits and latency: a first apply, a plan with nothing to do, a
//! change of one field, and destroying it all. Measured are wall time, the most memory that the program and what it
//! started held at a time, the calls that reached the cloud, and how many of those it throttled.
//!
//! Invariant: both tools declare the same resources, and a step that fails is shown as failed, never as a time.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line, whose answer is a table"
)]

mod files;
mod measure;
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use sesinfra::environment;
use sesinfra_local::options::{ACCOUNT, Limits, REGION};
use sesinfra_local::{Cloud, Options, seeds};

use measure::{Measured, measured};
use table::Row;

/// How much later each answer comes where AWS is imitated: what a call from another Region or an office takes.
const LATENCY: Duration = Duration::from_millis(40);
/// The steps, in the order in which they are done.
const STEPS: [&str; 4] = ["first apply", "no-change plan", "one-field change", "destroy"];

/// Runs one job with sesinfra and with Terraform, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "cargo compare", bin_name = "cargo compare")]
struct Line {
    /// How many domains, one job for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10])]
    domains: Vec<usize>,
    /// Imitate AWS's limits, and its latency, as well.
    #[arg(long)]
    limits: bool,
    /// Leave the DNS records to others (`dns = "manual"`), and Terraform out, which has no such thing. The DNS of this machine
    /// is asked for each of them.
    #[arg(long)]
    manual: bool,
    /// Leave Terraform out.
    #[arg(long)]
    alone: bool,
    /// A folder with providers for Terraform, as `terraform providers mirror` makes it; otherwise Terraform finds its own.
    #[arg(long, value_name = "DIRECTORY")]
    mirror: Option<PathBuf>,
    /// Where the table is written, as compare.md and compare.json.
    #[arg(long, value_name = "DIRECTORY", default_value = "target/compare")]
    out: PathBuf,
}

/// A tool that does the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Sesinfra,
    Terraform,
}

impl Tool {
    const fn name(self) -> &'static str {
        match self {
            Self::Sesinfra => "sesinfra",
            Self::Terraform => "Terraform",
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let line = Line::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no project")?;
    let program = build(root)?;
    let tools = match line.alone || line.manual || !is_installed("terraform") {
        true => {
            println!("Terraform is left out, or not installed: sesinfra alone.\n");
            vec![Tool::Sesinfra]
        }
        false => vec![Tool::Sesinfra, Tool::Terraform],
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut rows = Vec::new();
    for is_limited in [false, true].into_iter().filter(|limited| line.limits || !limited) {
        for &domains in &line.domains {
            for &tool in &tools {
                let job = Job { tool, domains, is_limited, program: &program, line: &line };
                rows.extend(runtime.block_on(job.run())?);
            }
        }
    }
    let text = table::markdown(&rows);
    println!("{text}");
    std::fs::create_dir_all(&line.out)?;
    std::fs::write(line.out.join("compare.md"), text)?;
    std::fs::write(line.out.join("compare.json"), serde_json::to_string_pretty(&rows)?)?;
    println!("Written to {0}/compare.md and {0}/compare.json.", line.out.display());
    Ok(())
}

/// Builds sesinfra as it is released.
fn build(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--quiet", "--package", "sesinfra"];
    let built = Command::new(cargo).args(arguments).current_dir(root).status()?;
    if !built.success() {
        return Err("sesinfra does not build".into());
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/sesinfra"))
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("version").output().is_ok_and(|output| output.status.success())
}

struct Job<'a> {
    tool: Tool,
    domains: usize,
    is_limited: bool,
    program: &'a Path,
    line: &'a Line,
}

impl Job<'_> {
    /// Does the job on a cloud of its own, step by step.
    async fn run(&self) -> Result<Vec<Row>, Box<dyn Error>> {
        let cloud = Cloud::start(Options { enforce_iam: false, ..Options::default() }).await?;
        let folder = std::env::temp_dir().join(format!("compare-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("environments"))?;
        // Both find the same zone there.
        std::fs::write(
            folder.join("environments/bench.toml"),
            files::environment(self.domains, "", self.line.manual),
        )?;
        let name = environment::names(&folder)?.pop().ok_or("no environment")?;
        let environment = environment::load(&folder, &name).map_err(|_| "the file is wrong")?;
        seeds::seed(cloud.world(), &environment);
        if self.tool == Tool::Terraform {
            self.write_terraform(&folder, &cloud, "")?;
            let ran =
                self.terraform(&folder, &cloud, &["init", "-input=false", "-no-color"]).output()?;
            if !ran.status.success() {
                return Err(
                    format!("terraform init: {}", String::from_utf8_lossy(&ran.stderr)).into()
                );
            }
        }
        if self.is_limited {
            cloud.change(|options| {
                options.limits = Limits::PerOperation;
                options.latency = LATENCY;
            });
        }
        let mut rows = Vec::new();
        for step in STEPS {
            if step == "one-field change" {
                self.change(&folder, &cloud)?;
            }
            cloud.calls().clear();
            let command = self.command(step, &folder, &cloud);
            let measured = tokio::task::spawn_blocking(move || measured(command)).await??;
            eprintln!("{} {} {step}: {measured}", self.tool.name(), self.domains);
            rows.push(self.row(step, &measured, &cloud));
        }
        std::fs::remove_dir_all(&folder)?;
        Ok(rows)
    }

    fn row(&self, step: &str, measured: &Measured, cloud: &Cloud) -> Row {
        Row {
            limited: self.is_limited,
            domains: self.domains,
            step: step.to_owned(),
            tool: self.tool.name().to_owned(),
            succeeded: measured.succeeded,
            seconds: measured.time.as_secs_f64(),
            peak_mib: measured.peak_mib,
            calls: cloud.calls().total(),
            throttled: cloud.calls().throttled(),
        }
    }

    fn change(&self, folder: &Path, cloud: &Cloud) -> Result<(), Box<dyn Error>> {
        let changed = "optional";
        match self.tool {
            Tool::Sesinfra => {
                let text = files::environment(self.domains, changed, self.line.manual);
                std::fs::write(folder.join("environments/bench.toml"), text)?;
            }
            Tool::Terraform => self.write_terraform(folder, cloud, changed)?,
        }
        Ok(())
    }

    fn write_terraform(&self, folder: &Path, cloud: &Cloud, tls: &str) -> std::io::Result<()> {
        std::fs::write(
            folder.join("main.tf"),
            files::terraform(self.domains, tls, cloud.endpoint()),
        )?;
        match &self.line.mirror {
            Some(mirror) => std::fs::write(folder.join("terraform.rc"), files::mirrored(mirror)),
            None => Ok(()),
        }
    }

    fn command(&self, step: &str, folder: &Path, cloud: &Cloud) -> Command {
        match self.tool {
            Tool::Sesinfra => {
                let arguments: &[&str] = match step {
                    "no-change plan" => &["plan", "bench"],
                    "destroy" => &["destroy", "bench", "--yes"],
                    _ => &["apply", "bench", "--yes"],
                };
                let mut command = Command::new(self.program);
                command.args(arguments).current_dir(folder);
                signed_in(&mut command, cloud);
                if !self.is_limited {
                    command.env("SESINFRA_PACING", "off");
                }
                command
            }
            Tool::Terraform => {
                let arguments: &[&str] = match step {
                    "no-change plan" => &["plan", "-input=false", "-no-color"],
                    "destroy" => &["destroy", "-auto-approve", "-input=false", "-no-color"],
                    _ => &["apply", "-auto-approve", "-input=false", "-no-color"],
                };
                self.terraform(folder, cloud, arguments)
            }
        }
    }

    fn terraform(&self, folder: &Path, cloud: &Cloud, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(folder);
        if self.line.mirror.is_some() {
            command.env("TF_CLI_CONFIG_FILE", folder.join("terraform.rc"));
        }
        signed_in(&mut command, cloud);
        command
    }
}

/// The administrator of the cloud's account, and no other credentials or proxies.
fn signed_in(command: &mut Command, cloud: &Cloud) {
    let (key, secret) = Cloud::administrator(ACCOUNT);
    command
        .env("AWS_ENDPOINT_URL", cloud.endpoint())
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_REGION", REGION)
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN");
}
