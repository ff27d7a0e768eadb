//! What comes into the build, held against `deny.toml` without a network: licences, bans and sources of every package, by
//! the lock file. `cargo deny --workspace check` does the same where it is installed, and looks for known faults as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

/// Packages that name a file instead of a licence, and the licence that the file is. cargo-deny reads such files itself.
const BY_FILE: [(&str, &str); 1] = [("jsonpath-rust", "MIT")];

/// Licences that bind what is linked with them; however a file may spell the rest of the name.
const COPYLEFT: [&str; 9] =
    ["AGPL", "GPL", "LGPL", "MPL", "EUPL", "CDDL", "EPL", "OSL", "CC-BY-SA"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

/// A package of the build.
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    /// Version requirements of its dependencies that are not paths.
    requirements: Vec<(String, String)>,
    /// Ids of what it is built from; what only its tests need is left out.
    built_from: Vec<String>,
}

/// Every package that is built on this machine, by id.
struct Build(BTreeMap<String, Package>);

impl Build {
    fn read() -> Self {
        let rustc = Command::new("rustc").arg("-vV").output().unwrap();
        let said = String::from_utf8(rustc.stdout).unwrap();
        let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        // Offline and locked: what the tests were built from is here, and nothing else counts.
        let arguments = ["metadata", "--format-version=1", "--locked", "--offline"];
        let metadata = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--filter-platform", host])
            .current_dir(repository())
            .output()
            .unwrap();
        assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
        let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
        let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
        let built_from = |id: &str| {
            let node = nodes.iter().find(|node| node["id"] == id).unwrap();
            let all = node["deps"].as_array().unwrap().iter();
            let built = all.filter(|one| {
                one["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev")
            });
            built.map(|one| text(&one["pkg"])).collect()
        };
        let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
            let id = text(&package["id"]);
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let named = dependencies.filter(|one| one["path"].is_null());
            let built_from = built_from(&id);
            let package = Package {
                name: text(&package["name"]),
                version: text(&package["version"]),
                license: package["license"].as_str().map(ToOwned::to_owned),
                source: package["source"].as_str().map(ToOwned::to_owned),
                requirements: named.map(|one| (text(&one["name"]), text(&one["req"]))).collect(),
                built_from,
            };
            (id, package)
        });
        Self(packages.collect())
    }

    fn id_of(&self, name: &str) -> &str {
        self.0.iter().find(|(_, package)| package.name == name).unwrap().0
    }

    /// Everything that is linked or run to build the package of this name.
    fn tree(&self, name: &str) -> BTreeSet<&str> {
        let mut tree = BTreeSet::new();
        let mut open = vec![self.id_of(name)];
        while let Some(id) = open.pop() {
            if tree.insert(id) {
                open.extend(self.0[id].built_from.iter().map(String::as_str));
            }
        }
        tree
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What `deny.toml` says, as far as it is held here.
struct Rules {
    allow: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
    banned: BTreeSet<String>,
    registries: BTreeSet<String>,
}

impl Rules {
    fn read() -> Self {
        let file = read("deny.toml");
        let document = DeTable::parse(&file).unwrap();
        let document = DeValue::Table(document.into_inner());
        let exceptions = named(member(&document, &["licenses", "exceptions"]));
        let banned = named(member(&document, &["bans", "deny"]));
        Self {
            allow: words(member(&document, &["licenses", "allow"])),
            exceptions: exceptions
                .into_iter()
                .map(|(name, item)| (name, words(member(item, &["allow"]))))
                .collect(),
            banned: banned.into_iter().map(|(name, _)| name).collect(),
            registries: words(member(&document, &["sources", "allow-registry"])),
        }
    }
}

/// The tables of a list that each name a package, by its name.
fn named<'a, 'i>(list: &'a DeValue<'i>) -> Vec<(String, &'a DeValue<'i>)> {
    let items = list.as_array().unwrap().iter().map(toml::Spanned::get_ref);
    items.map(|item| (member(item, &["crate"]).as_str().unwrap().to_owned(), item)).collect()
}

fn member<'a, 'i>(value: &'a DeValue<'i>, path: &[&str]) -> &'a DeValue<'i> {
    path.iter().fold(value, |value, key| {
        value.as_table().and_then(|table| table.get(*key)).expect(key).get_ref()
    })
}

fn words(list: &DeValue<'_>) -> BTreeSet<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item.get_ref().as_str().unwrap().to_owned()).collect()
}

/// Whether an SPDX expression, or the older form with `/`, can be met with the licences that `is_allowed` names.
fn is_met(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &tokens[..];
    let met = any_of(&mut rest, is_allowed);
    assert!(rest.is_empty(), "`{expression}` is no licence expression");
    met
}

fn any_of(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all_of(rest, is_allowed);
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        met |= all_of(rest, is_allowed);
    }
    met
}

fn all_of(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one_of(rest, is_allowed);
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        met &= one_of(rest, is_allowed);
    }
    met
}

fn one_of(rest: &mut &[&str], is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let name = rest[0];
    *rest = &rest[1..];
    if name == "(" {
        let met = any_of(rest, is_allowed);
        assert_eq!(rest.first(), Some(&")"));
        *rest = &rest[1..];
        return met;
    }
    if rest.first() == Some(&"WITH") {
        let whole = format!("{name} WITH {}", rest[1]);
        *rest = &rest[2..];
        return is_allowed(&whole);
    }
    is_allowed(name)
}

#[test]
fn licence_expressions_are_met_by_what_they_leave_to_choose() {
    let is_allowed = |name: &str| ["MIT", "ISC", "X WITH Y"].contains(&name);
    for met in
        ["MIT", "MIT/GPL-3.0", "(GPL-3.0 OR MIT) AND ISC", "GPL-3.0 OR X WITH Y", "A AND B OR MIT"]
    {
        assert!(is_met(met, &is_allowed), "{met}");
    }
    for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND X", "X WITH Z"] {
        assert!(!is_met(unmet, &is_allowed), "{unmet}");
    }
}

#[test]
fn every_package_has_a_licence_that_is_allowed_and_the_program_itself_none_that_binds() {
    let (build, rules) = (Build::read(), Rules::read());
    for allowed in &rules.allow {
        assert!(!COPYLEFT.iter().any(|it| allowed.starts_with(it)), "{allowed} binds the program");
    }
    let product = build.tree("sesinfra");
    let mut wrong = Vec::new();
    for (id, package) in &build.0 {
        let by_file = BY_FILE.iter().find(|(name, _)| *name == package.name);
        let exception = rules.exceptions.get(&package.name);
        // No exception is for the program's own tree.
        let exception = exception.filter(|_| !product.contains(id.as_str()));
        let is_allowed = |name: &str| {
            rules.allow.contains(name) || exception.is_some_and(|allow| allow.contains(name))
        };
        let expression = package.license.as_deref().or(by_file.map(|(_, license)| *license));
        if !expression.is_some_and(|expression| is_met(expression, &is_allowed)) {
            wrong.push(format!("{} {}: {expression:?}", package.name, package.version));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(product.len() > 100 && product.len() < build.0.len());
    let local = build.id_of("sesinfra-local");
    assert!(!product.contains(local), "the program links the local cloud");
    let unused =
        rules.exceptions.keys().filter(|name| !build.0.values().any(|it| it.name == **name));
    assert_eq!(unused.collect::<Vec<_>>(), [""; 0], "exceptions for nothing");
}

#[test]
fn no_package_is_banned_and_every_version_is_chosen() {
    let (build, rules) = (Build::read(), Rules::read());
    let banned = build.0.values().filter(|package| rules.banned.contains(&package.name));
    assert_eq!(banned.map(|package| &package.name).collect::<Vec<_>>(), [""; 0]);
    let ours = build.0.values().filter(|package| package.source.is_none());
    let any =
        ours.flat_map(|package| package.requirements.iter().filter(|(_, wanted)| wanted == "*"));
    assert_eq!(any.map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_package_comes_from_the_registry_with_its_checksum_or_is_ours() {
    let (build, rules) = (Build::read(), Rules::read());
    let ours: Vec<&str> = build
        .0
        .values()
        .filter(|package| package.source.is_none())
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(ours, ["sesinfra", "sesinfra-local"]);
    let lock = read("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1);
    for package in packages.filter(|package| package.contains("\nsource = ")) {
        let value = |key: &str| {
            let start = format!("{key} = \"");
            package.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'))
        };
        let source = value("source").unwrap().strip_prefix("registry+").unwrap_or_default();
        assert!(rules.registries.contains(source), "{package}");
        assert_eq!(value("checksum").map(str::len), Some(64), "{package}");
    }
}

#[test]
fn there_is_no_unsafe_code_of_ours() {
    let root = read("Cargo.toml");
    assert!(root.contains("\nunsafe_code = \"forbid\"\n"));
    for manifest in ["Cargo.toml", "local/Cargo.toml"] {
        assert!(read(manifest).contains("\n[lints]\nworkspace = true\n"), "{manifest}");
    }
}

/// The local cloud may bring what it likes; the program by itself is Rust, but for the assembler of `ring`.
#[test]
fn the_program_by_itself_brings_nothing_that_is_in_its_way() {
    let arguments = ["tree", "--package=sesinfra", "--edges=normal,build", "--prefix=none"];
    let tree = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--format={lib}", "--locked", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let libraries: BTreeSet<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!(libraries.contains("ring") && libraries.len() > 100, "{libraries:?}");
    for banned in ["aws_lc_sys", "aws_lc_rs", "cmake", "bindgen", "openssl_sys", "native_tls"] {
        assert!(!libraries.contains(banned), "{banned} needs more than Rust");
    }
}
