//! `cargo local` as it is typed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::folder::Folder;

const STAGING: &str = "project = \"pivot\"\n[aws]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\n[identities.\"pivot.app\"]\n";

fn local(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A served cloud that ends with the test.
struct Served {
    process: Child,
    endpoint: String,
    key: String,
}

impl Served {
    fn start(folder: &Path) -> Self {
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
        Self { process, endpoint, key }
    }

    /// Ends it as an operating system does, and waits until its data is kept.
    fn end(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    fn aws(&self, arguments: &[&str]) -> Output {
        let command = Command::new("aws")
            .args(["--endpoint-url", &self.endpoint, "--region", "eu-west-1", "--output", "text"])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_PAGER", "")
            .env("NO_PROXY", "127.0.0.1")
            .output();
        command.unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn help_names_its_own_commands_and_sesinfras() {
    let folder = Folder::new("help");
    let answer = local(folder.path(), &["--help"]);
    assert!(answer.status.success());
    let help = text(&answer.stdout);
    assert!(
        help.contains("serve")
            && help.contains("reset")
            && help.contains("cargo local plan staging"),
        "{help}"
    );
    let version = local(folder.path(), &["--version"]);
    assert!(text(&version.stdout).starts_with("sesinfra "), "{}", text(&version.stdout));
}

#[test]
fn sesinfras_commands_run_here_and_their_data_stays() {
    let folder = Folder::new("commands");
    folder.write("environments/staging.toml", STAGING);
    let answer = local(folder.path(), &["validate"]);
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    let deep = folder.path().join("environments");
    assert!(local(&deep, &["validate", "staging"]).status.success());
    assert!(folder.path().join(".local/route53.json").is_file());
    assert!(!deep.join(".local").exists());
    assert!(local(folder.path(), &["reset"]).status.success());
    assert!(!folder.path().join(".local").exists());
    assert!(local(folder.path(), &["reset"]).status.success());
}

#[test]
fn broken_data_is_not_thrown_away() {
    let folder = Folder::new("broken");
    folder.write("environments/staging.toml", STAGING);
    folder.write(".local/sns.json", "{");
    let answer = local(folder.path(), &["validate"]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(text(&answer.stderr).contains("`reset` clears it"), "{}", text(&answer.stderr));
}

#[test]
fn a_port_that_is_taken_is_said() {
    let folder = Folder::new("port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = local(folder.path(), &["serve", "--port", &port]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(text(&answer.stderr).contains(&format!("cannot listen on 127.0.0.1:{port}")));
}

#[test]
fn the_aws_command_line_works_against_a_served_cloud() {
    if Command::new("aws").arg("--version").output().is_err() {
        eprintln!("skipped: the `aws` command line is not installed");
        return;
    }
    let folder = Folder::new("aws");
    folder.write("environments/staging.toml", STAGING);
    let served = Served::start(folder.path());
    let account = served.aws(&["sts", "get-caller-identity", "--query", "Account"]);
    assert_eq!(text(&account.stdout).trim(), "111122223333", "{}", text(&account.stderr));
    let zones = served.aws(&["route53", "list-hosted-zones", "--query", "HostedZones[].Name"]);
    assert_eq!(text(&zones.stdout).trim(), "pivot.app.");
    let made = served.aws(&["sesv2", "create-email-identity", "--email-identity", "pivot.app"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    served.end();
    let served = Served::start(folder.path());
    let listed = served.aws(&[
        "sesv2",
        "list-email-identities",
        "--query",
        "EmailIdentities[].IdentityName",
    ]);
    assert_eq!(text(&listed.stdout).trim(), "pivot.app", "{}", text(&listed.stderr));
}
