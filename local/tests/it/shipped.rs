//! The environments that are shipped: what a newcomer copies must apply as it is, and converge.

use std::process::Command;

use crate::it::folder::Folder;

/// Runs `cargo local ARGUMENTS` on a copy of the shipped files, and gives what it printed.
fn local(folder: &Folder, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{arguments:?} ended with {}\n{text}\n{errors}",
        output.status
    );
    text
}

fn shipped(name: &str) -> Folder {
    let folder = Folder::new(name);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../environments");
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        folder.write(&format!("environments/{}", entry.file_name().to_str().unwrap()), &text);
    }
    folder
}

fn converges(name: &str) {
    let folder = shipped(name);
    let plan = local(&folder, &["plan", name]);
    assert!(plan.contains("Plan: "), "{plan}");
    local(&folder, &["apply", name, "--yes"]);
    let again = local(&folder, &["plan", name, "--detailed-exitcode"]);
    assert!(
        again.contains("No changes. Your infrastructure matches the configuration."),
        "{again}"
    );
    local(&folder, &["destroy", name, "--yes"]);
    let left = local(&folder, &["list", name]);
    assert!(!left.contains("identity."), "{left}");
}

#[test]
fn staging_applies_converges_and_goes() {
    converges("staging");
}
