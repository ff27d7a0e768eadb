//! `cargo local` as a program of its own, and a cloud that it serves.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::folder::Folder;

/// Runs `cargo local ARGUMENTS` in a folder.
pub(crate) fn local(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A served cloud that ends with the test.
pub(crate) struct Served {
    process: Child,
    endpoint: String,
    key: String,
    aws: PathBuf,
    region: &'static str,
}

impl Served {
    /// Serves the data of a folder; `aws` is the AWS command line, used in `region`.
    pub(crate) fn start(folder: &Path, aws: PathBuf, region: &'static str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
            .args(["serve", "--port", "0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let endpoint =
            lines.next().unwrap().trim_start_matches("export AWS_ENDPOINT_URL=").to_owned();
        let key = lines.next().unwrap();
        let key = key
            .trim_start_matches("export AWS_ACCESS_KEY_ID=")
            .split(' ')
            .next()
            .unwrap()
            .to_owned();
        Self { process, endpoint, key, aws, region }
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Ends it as an operating system does, and waits until its data is kept.
    pub(crate) fn end(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    /// What `aws ARGUMENTS` answers.
    pub(crate) fn aws(&self, arguments: &[&str]) -> Value {
        let output = Command::new(&self.aws)
            .args(["--endpoint-url", &self.endpoint, "--region", self.region, "--output", "json"])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_PAGER", "")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        if output.stdout.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads as many lines as `serve` prints, and ends it.
fn printed(folder: &Path, count: usize) -> Vec<String> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
        .args(["serve", "--port", "0"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().take(count);
    let lines = lines.map(Result::unwrap).collect();
    process.kill().unwrap();
    process.wait().unwrap();
    lines
}

#[test]
fn serve_prints_all_that_a_client_needs_for_each_account() {
    let folder = Folder::new("served-exports");
    let file = |account: &str, region: &str| {
        format!("project = \"pivot\"\n[aws]\naccount = \"{account}\"\nregion = \"{region}\"\n")
    };
    folder.write("environments/prod.toml", &file("123456789012", "eu-west-1"));
    folder.write("environments/staging.toml", &file("210987654321", "us-east-1"));
    let lines = printed(folder.path(), 4);
    assert!(lines[0].starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:"), "{lines:?}");
    assert!(lines[1].starts_with("export AWS_ACCESS_KEY_ID=LOCALADMIN123456789012 "), "{lines:?}");
    assert!(lines[1].contains(" AWS_SECRET_ACCESS_KEY="), "{lines:?}");
    assert_eq!(lines[2], "export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1");
    let staging =
        "# staging (account 210987654321): export AWS_ACCESS_KEY_ID=LOCALADMIN210987654321 ";
    assert!(lines[3].starts_with(staging), "{lines:?}");
    assert!(lines[3].ends_with("AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1"), "{lines:?}");
}
