//! `cargo local` as a program of its own, and a cloud that it serves.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

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
