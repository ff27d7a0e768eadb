//! Environment files: those that are shipped are right, and every fault has one clear finding.
//!
//! A case is a directory under `tests/it/environment/`: a project whose environment `broken` is loaded, and what is
//! shown of it.

mod hostile;
mod layers;
mod shipped;

use super::golden::assert_golden;
use sesinfra::environment::names::FileName;
use sesinfra::environment::{self, Environment, Findings, Severity};
use sesinfra::view;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CASES: &str = "tests/it/environment";

/// The root of this repository, which is a project as well.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file_name(name: &str) -> FileName {
    FileName::parse(name).unwrap()
}

/// A project in a new directory, with these environment files.
fn project(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("environment").join(name);
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(root.join("environments")).unwrap();
    for (name, text) in files {
        std::fs::write(root.join("environments").join(format!("{name}.toml")), text).unwrap();
    }
    root
}

/// What is found in a project's environment, right or not.
fn findings(root: &Path, name: &str) -> Findings {
    match environment::load(root, &file_name(name)) {
        Ok(environment) => environment.warnings,
        Err(findings) => findings,
    }
}

fn loaded(root: &Path, name: &str) -> Environment {
    environment::load(root, &file_name(name)).unwrap_or_else(|findings| panic!("{findings}"))
}

fn cases() -> BTreeSet<String> {
    let entries = std::fs::read_dir(repository().join(CASES)).unwrap();
    let directories =
        entries.map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_dir());
    directories.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn every_fault_is_shown_as_expected() {
    for case in cases() {
        let found = findings(&repository().join(CASES).join(&case), "broken");
        assert!(found.has_errors(), "{case} is right");
        assert_golden(
            &format!("{CASES}/{case}/expected.txt"),
            &view::findings::render(&found, false),
        );
    }
}

#[test]
fn every_error_says_where() {
    for case in cases() {
        for finding in &findings(&repository().join(CASES).join(&case), "broken") {
            assert!(finding.location.is_some(), "{case}: {finding:?}");
        }
    }
}

#[test]
fn every_error_says_what_to_do() {
    for case in cases() {
        for finding in &findings(&repository().join(CASES).join(&case), "broken") {
            let is_said = finding.help.as_ref().is_some_and(|help| !help.is_empty());
            assert!(is_said || finding.severity != Severity::Error, "{case}: {finding:?}");
        }
    }
}

#[test]
fn every_rule_is_known_and_has_a_case() {
    let known: BTreeSet<&str> = environment::rules().iter().map(|rule| rule.id).collect();
    let mut shown = BTreeSet::new();
    for case in cases() {
        for finding in &findings(&repository().join(CASES).join(&case), "broken") {
            assert!(known.contains(finding.id), "{} is no rule", finding.id);
            shown.insert(finding.id);
        }
    }
    // What a directory of text files cannot hold has tests of its own.
    shown.extend(["file-missing", "file-unreadable", "file-too-large", "secret-source-empty"]);
    let unseen: Vec<_> = known.difference(&shown).collect();
    assert!(unseen.is_empty(), "no case shows {unseen:?}");
}

#[test]
fn a_rule_has_one_severity_and_a_sentence() {
    let mut seen = BTreeSet::new();
    for rule in environment::rules() {
        assert!(rule.text.ends_with('.'), "{}", rule.id);
        assert!(
            rule.id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
        );
        assert!(seen.insert(rule.id), "{} twice", rule.id);
        assert!(matches!(rule.severity, Severity::Error | Severity::Warning));
    }
}
