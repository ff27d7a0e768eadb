//! Architecture as a test: who may know whom, who may print, how files are named, opened and sized, and that none is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have at most, and the share of files, in percent, that stay under the usual length.
const LINES_MAX: usize = 500;
const LINES_USUAL: usize = 300;
const USUAL_MIN_PERCENT: usize = 85;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Rust file of ours.
struct Source {
    /// Its path from the repository's root, with `/` between parts.
    path: String,
    text: String,
}

impl Source {
    /// Its lines, with their numbers, that are neither blank nor only a comment.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
    }
}

/// Every Rust file under `folder`, in the order of their paths.
fn sources(folder: &str) -> Vec<Source> {
    let mut open = vec![repository().join(folder)];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(repository()).unwrap().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path: relative.replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found
}

fn all_sources() -> Vec<Source> {
    ["src", "local/src", "tests", "local/tests"].into_iter().flat_map(sources).collect()
}

/// Fails with the list of what is wrong, if anything is.
fn assert_none(rule: &str, wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}

/// Each line of code in `sources` that contains one of `words`, as `path:line: word`.
fn uses(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            let used = words.iter().filter(|word| line.contains(*word));
            found.extend(used.map(|word| format!("{}:{number}: {word}", source.path)));
        }
    }
    found
}

#[test]
fn the_engine_knows_no_cloud_file_terminal_or_clock() {
    let forbidden = [
        "aws_",
        "crate::aws",
        "crate::kinds",
        "crate::environment",
        "crate::blueprint",
        "crate::view",
        "crate::commands",
        "tokio",
        "toml",
        "std::time",
        "std::fs",
        "std::env",
        "std::net",
        "std::io",
        "std::process",
        "std::thread",
        "tracing",
    ];
    assert_none(
        "the engine is about resources in general",
        uses(&sources("src/engine"), &forbidden),
    );
}

#[test]
fn blueprints_are_pure() {
    let forbidden = [
        "async ",
        ".await",
        "aws_sdk",
        "tokio",
        "std::fs",
        "std::env",
        "std::net",
        "std::time",
        "std::process",
        "crate::view",
        "crate::commands",
    ];
    let mut blueprints = sources("src/blueprint");
    // What tests them reads environments from files.
    blueprints.retain(|source| !source.path.ends_with("/tests.rs"));
    assert_none("a blueprint only computes", uses(&blueprints, &forbidden));
}

#[test]
fn only_views_print_and_only_main_exits() {
    let said = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("];
    let mut others = sources("src");
    others.retain(|source| !source.path.starts_with("src/view/"));
    assert_none("only views print", uses(&others, &said));
    others.retain(|source| source.path != "src/main.rs");
    assert_none("only main exits", uses(&others, &["process::exit", "std::process::abort"]));
}

#[test]
fn few_read_the_process_environment() {
    let may = [
        "src/main.rs",
        "src/commands/host.rs",
        // A private key may be given as an environment variable that the environment file names.
        "src/aws/private_key.rs",
    ];
    let mut others = sources("src");
    others.retain(|source| !may.contains(&source.path.as_str()));
    assert_none("what is outside is given", uses(&others, &["env::var"]));
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent = all_sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    assert_none("a file opens with what it is", silent.map(|source| source.path));
}

#[test]
fn no_file_is_long_and_most_are_short() {
    let lines = |source: &Source| source.text.lines().count();
    let all = all_sources();
    let long = all.iter().filter(|source| lines(source) > LINES_MAX);
    assert_none(
        "a file this long is several",
        long.map(|source| format!("{}: {} lines", source.path, lines(source))),
    );
    let sources: Vec<Source> = ["src", "local/src"].into_iter().flat_map(sources).collect();
    let usual = sources.iter().filter(|source| lines(source) < LINES_USUAL).count();
    let percent = usual * 100 / sources.len();
    assert!(
        percent >= USUAL_MIN_PERCENT,
        "only {percent} % of files have under {LINES_USUAL} lines"
    );
}

#[test]
fn no_name_says_nothing() {
    let banned = BTreeSet::from([
        "util", "utils", "helper", "helpers", "manager", "common", "misc", "cfg", "ctx",
    ]);
    let says_nothing = |name: &str| name.split('_').any(|word| banned.contains(word));
    let mut wrong = Vec::new();
    for source in all_sources() {
        let path = Path::new(&source.path).with_extension("");
        if path.iter().any(|part| says_nothing(part.to_str().unwrap())) {
            wrong.push(source.path.clone());
        }
        for (number, line) in source.code() {
            let named = ["mod ", "struct ", "enum ", "trait ", "type "];
            for rest in named.iter().filter_map(|word| line.split_once(word)).map(|(_, rest)| rest)
            {
                let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_');
                let name = snake_case(&rest[..end.unwrap_or(rest.len())]);
                if says_nothing(&name) {
                    wrong.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    assert_none("a name says what a thing is", wrong);
}

/// `ErrorManager` as `error_manager`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn every_kind_is_registered_and_documented() {
    let kinds = sources("src/kinds");
    let registry = kinds.iter().find(|source| source.path == "src/kinds/mod.rs").unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for source in &kinds {
        for (number, line) in source.code() {
            let Some((_, kind)) = line.split_once("impl Kind for ") else { continue };
            let kind = kind.trim_end_matches([' ', '{']);
            count += 1;
            if !registry.text.contains(&format!("::{kind}::new(")) {
                wrong.push(format!("{}:{number}: {kind} is not registered", source.path));
            }
            let documented = format!("impl Documented for {kind} {{");
            if !kinds.iter().any(|source| source.text.contains(&documented)) {
                wrong.push(format!(
                    "{}:{number}: {kind} documents neither permissions nor inputs",
                    source.path
                ));
            }
        }
    }
    assert_none("a kind is one file and its line in the registry", wrong);
    assert_eq!(
        registry.text.matches(".with(").count(),
        count,
        "every registered kind is found here"
    );
    for entry in fs::read_dir(repository().join("src/kinds")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let is_declared = name == "mod" || registry.text.contains(&format!("mod {name};"));
        assert!(is_declared, "src/kinds/{name} is not part of the crate");
    }
}

/// The file whose `mod` line brings `path` into its crate.
fn parent_of(path: &str) -> Vec<PathBuf> {
    let path = Path::new(path);
    let folder = match path.file_name().unwrap().to_str().unwrap() {
        "mod.rs" => path.parent().unwrap().parent().unwrap(),
        _ => path.parent().unwrap(),
    };
    let mut parents = vec![folder.with_extension("rs")];
    parents.extend(["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name)));
    parents
}

#[test]
fn no_file_is_forgotten() {
    let roots = ["src/lib.rs", "src/main.rs", "tests/it.rs"];
    let is_root =
        |path: &str| roots.iter().any(|root| path == *root || path == format!("local/{root}"));
    let forgotten = all_sources().into_iter().map(|source| source.path).filter(|path| {
        let stem = match Path::new(path) {
            file if file.ends_with("mod.rs") => file.parent().unwrap().file_stem(),
            file => file.file_stem(),
        };
        let declared = format!("mod {};", stem.unwrap().to_str().unwrap());
        let is_declared = parent_of(path).iter().any(|parent| {
            fs::read_to_string(repository().join(parent)).is_ok_and(|text| text.contains(&declared))
        });
        !is_root(path) && !is_declared
    });
    assert_none("a file that no `mod` names is not compiled", forgotten);
}

#[test]
fn tests_neither_rest_nor_hide() {
    let mut tests: Vec<Source> = ["tests", "local/tests"].into_iter().flat_map(sources).collect();
    tests.retain(|source| !source.path.ends_with("tests/it/tidy.rs"));
    let forbidden = ["#[ignore", "should_panic", "thread::sleep"];
    assert_none("a test that does not run proves nothing", uses(&tests, &forbidden));
}

#[test]
fn nothing_committed_speaks_of_how_it_was_made() {
    let words = ["/work/", "TODO", "FIXME", "XXX"];
    let mut sources = all_sources();
    sources.retain(|source| !source.path.ends_with("tests/it/tidy.rs"));
    let mut wrong = Vec::new();
    for source in &sources {
        for (number, line) in source.text.lines().enumerate() {
            let said = words.iter().filter(|word| line.contains(*word));
            wrong.extend(said.map(|word| format!("{}:{}: {word}", source.path, number + 1)));
        }
    }
    assert_none("what is left to do is an issue, not a comment", wrong);
}
