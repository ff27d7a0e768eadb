//! Every rule that a finding can name, with what it demands: for documentation, and for tests that each is shown.

use super::checks::CHECKS;
use super::finding::Severity;

/// A rule about environment files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as findings carry it.
    pub id: &'static str,
    /// How bad a finding of it is.
    pub severity: Severity,
    /// What it demands, and why.
    pub text: &'static str,
}

/// The rules about files and the form of values, which are no checks of their own.
const FORM: &[(&str, &str)] = &[
    ("file-missing", "The environment has a file `environments/NAME.toml`."),
    ("file-unreadable", "The file can be read."),
    ("file-too-large", "The file has at most 4 MiB."),
    ("file-not-utf8", "The file is UTF-8 text."),
    ("file-empty", "The file says something."),
    ("toml-syntax", "The file is TOML."),
    ("duplicate-key", "A table has a key once."),
    ("extends-missing", "The file that another extends exists."),
    ("extends-cycle", "No file extends itself, over whatever detour."),
    ("unknown-key", "Every key means something."),
    ("missing-key", "What has no default is there."),
    ("conflicting-keys", "Of keys that exclude each other, one is there."),
    ("wrong-type", "A value has the type of its key."),
    ("unknown-value", "Where words are to choose from, it is one of them."),
    ("invalid-value", "A name, an ARN, a length of time and the like have their form."),
    ("duplicate-name", "Two names of one table are different also in their normal form."),
    ("duplicate-item", "A value is listed once."),
    ("statement-unreadable", "The files that a statement for AWS is read from can be read."),
    (
        "statement-placeholder",
        "A placeholder of a statement stands for something that the file says.",
    ),
    ("statement-length", "AWS takes a statement of 1 to 5,000 characters."),
    ("too-few", "A list that needs a member has one."),
];

/// All rules: those about files and the form of values first, then the checks by area.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let form = FORM.iter().map(|(id, text)| Rule { id, severity: Severity::Error, text });
    let unset = Rule {
        id: "unset-nothing",
        severity: Severity::Warning,
        text: "`\"unset\"` removes something that a file underneath says.",
    };
    let checks = CHECKS.iter().copied().flatten();
    let checks =
        checks.map(|check| Rule { id: check.id, severity: check.severity, text: check.rule });
    form.chain([unset]).chain(checks).collect()
}
