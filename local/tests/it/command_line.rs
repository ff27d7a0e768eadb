//! `cargo local` as it is typed.

use super::folder::Folder;
use super::python_tools::AWS;
use super::served::{Served, local, text};

const STAGING: &str = "project = \"pivot\"\n[aws]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\n[identities.\"pivot.app\"]\n";

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
    let Some(aws) = AWS.find() else { return };
    let folder = Folder::new("aws");
    folder.write("environments/staging.toml", STAGING);
    let served = Served::start(folder.path(), aws.clone(), "eu-west-1");
    let account = served.aws(&["sts", "get-caller-identity"]);
    assert_eq!(account["Account"], "111122223333");
    let zones = served.aws(&["route53", "list-hosted-zones"]);
    assert_eq!(zones["HostedZones"][0]["Name"], "pivot.app.");
    served.aws(&["sesv2", "create-email-identity", "--email-identity", "pivot.app"]);
    served.end();
    let served = Served::start(folder.path(), aws, "eu-west-1");
    let listed = served.aws(&["sesv2", "list-email-identities"]);
    assert_eq!(listed["EmailIdentities"][0]["IdentityName"], "pivot.app");
}
