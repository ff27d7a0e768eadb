//! Every member of every input that a kind writes with is managed, or left out for a reason. The members are those of
//! the SDK's own sources, so that a member that AWS adds is noticed with the next version.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use sesinfra::kinds::{Input, documentation};

/// What is left out for no other reason than that nobody should need it.
const NEVER: [&str; 2] = ["Pinpoint", "S/MIME"];

/// The folders of the SDK crates, by service.
fn crates() -> &'static BTreeMap<String, PathBuf> {
    static CRATES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    CRATES.get_or_init(|| {
        // Only what this machine builds is on it: other platforms' crates were never fetched.
        let host = run("rustc", &["-vV"]);
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let arguments = ["metadata", "--format-version", "1", "--offline", "--locked"];
        let filter = ["--filter-platform", host];
        let metadata = run("cargo", &[&arguments[..], &filter[..]].concat());
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        let packages = metadata["packages"].as_array().unwrap().iter();
        packages
            .filter_map(|package| {
                let service = package["name"].as_str()?.strip_prefix("aws-sdk-")?.to_owned();
                Some((service, Path::new(package["manifest_path"].as_str()?).parent()?.to_owned()))
            })
            .collect()
    })
}

/// What a program of the toolchain prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let named = std::env::var(program.to_uppercase()).unwrap_or_else(|_| program.to_owned());
    let output = Command::new(named)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `CreateEmailIdentity` as the file of its module is called: `create_email_identity`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The public members of a struct in a generated file, each with the type of the SDK that it holds, if it is a struct.
fn members(root: &Path, file: &Path) -> Option<BTreeMap<String, Option<PathBuf>>> {
    let text = std::fs::read_to_string(file).ok()?;
    let body = text.split_once("\npub struct ")?.1.split_once("\n}")?.0;
    let lines = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    let member = |line: &str| {
        let (name, of) = line.split_once(": ")?;
        let of = of.split_once("crate::types::").map(|(_, rest)| {
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
            let name = rest.split_at(end.unwrap_or(rest.len())).0;
            root.join(format!("src/types/_{}.rs", snake(name)))
        });
        let is_struct = |file: &PathBuf| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            // A tag is a key and a value, and nothing else ever.
            text.contains("\npub struct ") && !file.ends_with("_tag.rs")
        };
        Some((name.to_owned(), of.filter(is_struct)))
    };
    Some(lines.filter_map(member).collect())
}

/// Members that hold attributes by their names, which are written as `attributes.DelaySeconds`.
const ATTRIBUTES: [&str; 2] = ["attributes", "attribute_name"];

/// What stands in the documentation of SNS as the name of an attribute does, and is one's value.
const VALUES: [&str; 6] =
    ["Completed", "Failed", "MessageBody", "MessageGroup", "Pending", "Topic"];

/// The names of the attributes that the member `of` of an input in a generated file may hold: SQS has a type of them, SNS lists
/// them in the documentation of the member.
fn attributes(service: &str, root: &Path, file: &Path, of: &str) -> BTreeSet<String> {
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    if service == "sqs" {
        let text = text(&root.join("src/types/_queue_attribute_name.rs"));
        let body = text.split_once("pub enum QueueAttributeName {").unwrap().1;
        let body = body.split_once("\n}").unwrap().0;
        let variants = body.lines().filter_map(|line| line.trim().strip_suffix(','));
        return variants.filter(|line| !line.contains('(')).map(str::to_owned).collect();
    }
    let text = text(file);
    let body = text.split_once("\npub struct ").unwrap().1;
    let above = body.split_once(&format!("pub {of}: ")).unwrap().0;
    let above = above.rsplit_once("\n    pub ").map_or(above, |(_, rest)| rest);
    let listed = above.split("<p><code>").skip(1);
    let listed = listed.filter_map(|rest| Some(rest.split_once("</code> – ")?.0));
    let is_name = |it: &&str| it.chars().all(char::is_alphanumeric) && !VALUES.contains(it);
    listed.filter(is_name).map(str::to_owned).collect()
}

/// The attributes that a kind speaks of, whichever call it sets them by.
fn known_attributes(inputs: &'static [Input]) -> BTreeSet<&'static str> {
    let excluded = |input: &'static Input| input.excluded.iter().map(|(path, _)| *path);
    let paths =
        inputs.iter().flat_map(|input| input.managed.iter().copied().chain(excluded(input)));
    let name = |path: &'static str| {
        let (member, name) = path.split_once('.')?;
        ATTRIBUTES.contains(&member).then_some(name)
    };
    paths.filter_map(name).collect()
}

/// What an input says of its members.
struct Said<'a> {
    root: &'a Path,
    named: BTreeSet<&'a str>,
    seen: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Said<'_> {
    fn check(&mut self, members: &BTreeMap<String, Option<PathBuf>>, above: &str) {
        for (name, of) in members {
            let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            let inner = format!("{path}.");
            if self.named.contains(path.as_str()) {
                self.seen.insert(path.clone());
            } else if !self.named.iter().any(|named| named.starts_with(&inner)) {
                self.wrong.push(format!("{path} is neither managed nor left out"));
                continue;
            }
            let is_left_whole = self.named.contains(path.as_str());
            if let (Some(file), false) = (of, is_left_whole) {
                let members = super::inputs::members(self.root, file).unwrap_or_default();
                self.check(&members, &path);
            }
        }
    }

    fn check_attributes(&mut self, member: &str, names: &BTreeSet<String>, known: &BTreeSet<&str>) {
        for name in names {
            let path = format!("{member}.{name}");
            if self.named.contains(path.as_str()) {
                self.seen.insert(path);
            } else if !known.contains(name.as_str()) {
                self.wrong.push(format!("{path} is neither managed nor left out"));
            }
        }
    }
}

#[test]
fn every_member_of_every_input_is_accounted_for() {
    let crates = crates();
    let mut wrong = Vec::new();
    for kind in documentation() {
        for input in kind.inputs {
            let place = format!("{}: {}", kind.kind, input.operation);
            let root = &crates[input.service];
            let operation = snake(input.operation);
            let file = root.join(format!("src/operation/{operation}/_{operation}_input.rs"));
            let Some(members) = members(root, &file) else {
                wrong.push(format!("{place}: there is no such operation"));
                continue;
            };
            let excluded = input.excluded.iter().map(|(path, _)| *path);
            let named: Vec<&str> = input.managed.iter().copied().chain(excluded).collect();
            let mut said = Said {
                root,
                named: named.iter().copied().collect(),
                seen: BTreeSet::new(),
                wrong: Vec::new(),
            };
            if said.named.len() != named.len() {
                said.wrong.push("something is named twice".to_owned());
            }
            said.check(&members, "");
            let known = known_attributes(kind.inputs);
            let has_names =
                |it: &&str| members.contains_key(*it) && matches!(input.service, "sns" | "sqs");
            for member in ATTRIBUTES.into_iter().filter(has_names) {
                let documented = attributes(input.service, root, &file, member);
                assert!(documented.len() > 3, "{place}: {documented:?}");
                said.check_attributes(member, &documented, &known);
            }
            let unknown = said.named.iter().filter(|named| !said.seen.contains(**named));
            let unknown: Vec<_> =
                unknown.map(|named| format!("{named} is no member of it")).collect();
            wrong.extend(
                said.wrong.iter().chain(&unknown).map(|problem| format!("{place}: {problem}")),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A structure that is managed is managed member by member.
#[test]
fn no_structure_is_managed_as_a_whole() {
    let crates = crates();
    let mut wrong = Vec::new();
    for kind in documentation() {
        for input in kind.inputs {
            let root = &crates[input.service];
            let operation = snake(input.operation);
            let file = root.join(format!("src/operation/{operation}/_{operation}_input.rs"));
            for path in input.managed {
                let mut members_here = members(root, &file).unwrap_or_default();
                let mut of = None;
                for part in path.split('.') {
                    of = members_here.get(part).cloned().flatten();
                    let file = of.as_ref();
                    members_here = file.and_then(|file| members(root, file)).unwrap_or_default();
                }
                if of.is_some() {
                    wrong.push(format!("{}: {}: {path}", kind.kind, input.operation));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_left_out_has_a_reason() {
    let mut never: BTreeSet<&str> = BTreeSet::new();
    for kind in documentation() {
        for (path, reason) in kind.inputs.iter().flat_map(|input| input.excluded) {
            assert!(reason.split_whitespace().count() >= 3, "{}: {path}: {reason}", kind.kind);
            never.extend(NEVER.into_iter().filter(|word| reason.contains(word)));
        }
    }
    assert_eq!(never.len(), NEVER.len(), "{never:?}");
}

/// What a kind calls with is among its inputs: every error that names a write says which.
#[test]
fn every_write_is_among_the_inputs() {
    let known: BTreeSet<&str> =
        documentation().iter().flat_map(|kind| kind.inputs).map(|input| input.operation).collect();
    let missing: BTreeSet<&str> = documentation()
        .iter()
        .flat_map(|kind| kind.permissions)
        .filter_map(|permission| {
            let (service, operation) = permission.action.split_once(':')?;
            let reads = ["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb));
            let elsewhere = matches!(service, "tag" | "kms" | "ssm" | "secretsmanager");
            // These are rights that other calls need, and no calls.
            let no_call = ["PassRole", "ReplicateEmailIdentityDkimSigningKey"].contains(&operation);
            (!reads && !elsewhere && !no_call).then_some(operation)
        })
        .filter(|operation| !known.contains(operation))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
