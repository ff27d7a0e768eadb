//! The command line as a user runs it, where it needs no cloud.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use sesinfra::commands::{Host, run};

use super::golden::assert_golden;

/// What a run said, and how it ended.
struct Ran {
    code: u8,
    output: String,
    errors: String,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn sesinfra_in(directory: &Path, arguments: &[&str]) -> Ran {
    let (output, errors) = (Buffer::default(), Buffer::default());
    let input = Box::new(Cursor::new(Vec::new()));
    let host = Host::new(
        directory.to_path_buf(),
        input,
        Box::new(output.clone()),
        Box::new(errors.clone()),
    );
    let arguments = ["sesinfra"].iter().chain(arguments).map(OsString::from);
    let code = run(arguments, &host);
    Ran { code, output: output.text(), errors: errors.text() }
}

fn sesinfra(arguments: &[&str]) -> Ran {
    sesinfra_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// A project with these environment files, gone when it is dropped.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("sesinfra-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("environments/deep/below")).unwrap();
        for (file, text) in files {
            std::fs::write(root.join("environments").join(file), text).unwrap();
        }
        Self(root)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const SMALL: &str =
    "project = \"pivot\"\n\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n";

#[test]
fn the_help_of_everything() {
    let mut text = sesinfra(&["--help"]).output;
    let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs: Vec<String> = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next().map(ToOwned::to_owned))
        .collect();
    assert!(verbs.len() >= 9, "{verbs:?}");
    for verb in &verbs {
        let help = sesinfra(&[verb, "--help"]);
        assert_eq!((help.code, help.errors.as_str()), (0, ""), "{verb}");
        write!(text, "\n---- sesinfra {verb} --help\n\n{}", help.output).unwrap();
    }
    assert_golden("tests/it/cli/help.txt", &text);
}

/// An example that is broken over two lines cannot be copied.
#[test]
fn no_example_is_wider_than_the_help() {
    let help = sesinfra(&["--help"]).output;
    let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let commands = commands.lines().filter_map(|line| line.split_whitespace().next());
    for command in commands.filter(|command| *command != "help") {
        let help = sesinfra(&[command, "--help"]).output;
        let examples = help.split_once("Examples:\n").map_or("", |(_, rest)| rest);
        for line in examples.lines().take_while(|line| !line.is_empty()) {
            let is_whole = line.starts_with("  sesinfra ") || line.starts_with("  git ");
            assert!(is_whole, "{command}: {line}");
        }
    }
}

#[test]
fn a_wrong_usage_is_no_plan_with_changes() {
    for arguments in [
        &["plan"][..],
        &["plan", "a", "b"],
        &["fly"],
        &["plan", "--bogus"],
        &["plan", "UPPER/CASE"],
        &[],
    ] {
        let ran = sesinfra(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}");
        assert_eq!(ran.output, "", "{arguments:?}");
        assert!(!ran.errors.is_empty(), "{arguments:?}");
    }
    assert!(
        sesinfra(&["plan", "--bogus"]).errors.starts_with("Error: unexpected argument '--bogus'")
    );
}

#[test]
fn the_version_is_an_answer() {
    let ran = sesinfra(&["--version"]);
    assert_eq!(
        (ran.code, ran.output.as_str()),
        (0, concat!("sesinfra ", env!("CARGO_PKG_VERSION"), "\n"))
    );
}

#[test]
fn a_project_is_found_from_any_folder_inside_it() {
    let project = Project::new("root", &[("staging.toml", SMALL)]);
    let inside = sesinfra_in(&project.0.join("environments/deep/below"), &["validate"]);
    assert_eq!(inside.output, "environments/staging.toml is right\n", "{}", inside.errors);
    assert_eq!(inside.code, 0);
    let outside = sesinfra_in(Path::new("/"), &["validate"]);
    assert_eq!(outside.code, 1);
    assert!(
        outside.errors.starts_with("Error: no folder `environments` in / or above it\n  hint: ")
    );
    let directory = project.0.to_str().unwrap();
    let named = sesinfra_in(Path::new("/"), &["--dir", directory, "validate", "staging"]);
    assert_eq!(named.code, 0, "{}", named.errors);
}

#[test]
fn faults_are_shown_with_their_places_and_end_with_one() {
    let faulty = format!("{SMALL}\n[topicz.a]\n");
    let project = Project::new("faults", &[("staging.toml", SMALL), ("prod.toml", &faulty)]);
    let ran = sesinfra_in(&project.0, &["validate"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.output, "environments/staging.toml is right\n");
    assert!(ran.errors.contains("topicz"), "{}", ran.errors);
    assert!(
        ran.errors.ends_with("Error: the environment `prod` has a fault, shown above\n"),
        "{}",
        ran.errors
    );
}

#[test]
fn without_a_terminal_nobody_can_consent() {
    for verb in ["apply", "destroy"] {
        let ran = sesinfra(&[verb, "staging"]);
        assert_eq!((ran.code, ran.output.as_str()), (3, ""));
        assert!(ran.errors.contains(&format!("sesinfra {verb} staging --yes")), "{}", ran.errors);
    }
}

#[test]
fn the_schema_is_json() {
    let ran = sesinfra(&["schema"]);
    assert_eq!(ran.code, 0);
    let schema: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    assert!(schema["properties"]["identities"].is_object());
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = sesinfra(&["completions", shell]);
        assert_eq!(ran.code, 0, "{shell}");
        assert!(ran.output.contains("validate"), "{shell}");
    }
}

#[test]
fn a_plan_file_reads_as_the_plan_did_and_a_changed_one_is_refused() {
    let project = Project::new("show", &[]);
    let document = super::view::plans::stories().remove(0).document.sealed();
    let path = project.0.join("plan.json");
    std::fs::write(&path, serde_json::to_string(&document).unwrap()).unwrap();
    let shown = sesinfra_in(&project.0, &["show", "plan.json"]);
    let style = sesinfra::view::Style::plain();
    assert_eq!((shown.code, shown.output), (0, sesinfra::view::plan_text(&document, style)));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("ops@pivot.app", "eve@example.com")).unwrap();
    let changed = sesinfra_in(&project.0, &["show", "plan.json"]);
    assert_eq!(changed.code, 3);
    assert!(changed.errors.contains("was changed after it was written"), "{}", changed.errors);
    std::fs::write(&path, "{}").unwrap();
    assert!(sesinfra_in(&project.0, &["show", "plan.json"]).errors.contains("is no plan"));
    assert!(
        sesinfra_in(&project.0, &["show", "nowhere.json"])
            .errors
            .contains("nowhere.json: cannot be read")
    );
}

#[test]
fn a_closed_pipe_is_no_noise() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sesinfra"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(0));
}
