//! Files that nobody would write, and nearly right ones: each is answered with findings, never with a panic.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Loads a text as an environment and renders what is found.
fn answer(name: &str, text: &[u8]) -> (Findings, String) {
    let root = project(name, &[("x", text)]);
    let found = findings(&root, "x");
    let shown = view::findings::render(&found, false) + &view::findings::render(&found, true);
    (found, shown)
}

fn ids(found: &Findings) -> Vec<&str> {
    found.iter().map(|finding| finding.id).collect()
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let (found, _) = answer("large", &vec![b'#'; 5 << 20]);
    assert_eq!(ids(&found), ["file-too-large"]);
}

#[test]
fn deep_nesting_is_refused() {
    for (name, text) in [
        ("arrays", format!("a = {}1{}", "[".repeat(50_000), "]".repeat(50_000))),
        ("tables", format!("a = {}", "{ a = ".repeat(50_000))),
        ("keys", format!("{}a = 1", "a.".repeat(50_000))),
        ("headers", format!("[{}a]", "a.".repeat(50_000))),
    ] {
        let (found, _) = answer(&format!("deep-{name}"), text.as_bytes());
        assert!(found.has_errors(), "{name}");
    }
}

#[test]
fn a_flood_of_faults_is_cut_short() {
    let keys: String =
        (0..60_000).fold(String::new(), |text, number| text + &format!("key{number} = 1\n"));
    let syntax = "= 1\n".repeat(100_000);
    let same = "a = 1\n".repeat(50_000);
    let line = format!("a = {}", "[\"x\", 1],".repeat(50_000));
    for (name, text) in [("keys", keys), ("syntax", syntax), ("same", same), ("line", line)] {
        let (found, shown) = answer(&format!("flood-{name}"), text.as_bytes());
        assert!(found.has_errors(), "{name}");
        assert!(found.len() <= 600, "{name}: {}", found.len());
        assert!(shown.len() < 1 << 20, "{name}: {}", shown.len());
    }
}

#[test]
fn what_is_no_file_cannot_be_read() {
    let root = project("directory", &[]);
    std::fs::create_dir(root.join("environments/x.toml")).unwrap();
    let found = findings(&root, "x");
    assert_eq!(ids(&found), ["file-unreadable"]);
    assert!(found.iter().all(|finding| finding.help.is_some()), "{found}");
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_are_no_fault() {
    let text = "\u{feff}project = \"pivot\"\r\n[aws]\r\naccount = \"123456789012\"\r\nregion = \"us-east-1\"\r\n";
    let (found, shown) = answer("windows", text.as_bytes());
    assert!(found.is_empty(), "{shown}");
}

#[test]
fn a_key_source_without_a_name_is_refused() {
    let text = "project = \"pivot\"\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n\
                [identities.\"a.app\"]\ndkim = { selector = \"s\", private_key = { env = \"\" } }\n";
    assert_eq!(ids(&answer("secret", text.as_bytes()).0), ["secret-source-empty"]);
}

/// The texts that the properties start from.
fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = ["staging", "prod", "defaults"]
        .iter()
        .map(|name| {
            std::fs::read_to_string(repository().join(format!("environments/{name}.toml"))).unwrap()
        })
        .map(|text| text.replace("extends = \"defaults\"", ""))
        .collect();
    for case in cases() {
        let path = repository().join(CASES).join(case).join("environments/broken.toml");
        seeds.extend(String::from_utf8(std::fs::read(path).unwrap()));
    }
    seeds
}

/// A piece that tends to break something.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "\"unset\"",
        "{}",
        "[]",
        "[[",
        "]]",
        "=",
        "\"",
        "'''",
        "\\u0000",
        "inf",
        "-9999999999999999999999",
        "1979-05-27",
        "true",
        "identities",
        "\"\u{202e}\"",
        "\u{0}",
        "\r",
        "\n",
        ".",
        "#",
        "\u{1f600}",
        "[identities.\"a@b.app\"]\n",
        "[topics.a]\nsubscriptions = [{}]\n",
        "extends = \"x\"\n",
        "dkim = { key = 1, selector = \"s\" }\n",
    ];
    prop_oneof![proptest::sample::select(words.to_vec()).prop_map(ToOwned::to_owned), "\\PC{0,8}"]
}

proptest! {
    #![proptest_config(Config {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_124),
        ..Config::default()
    })]

    #[test]
    fn no_text_makes_the_loader_panic(text in any::<Vec<u8>>()) {
        answer("any", &text);
    }

    #[test]
    fn no_change_of_a_file_makes_the_loader_panic(
        seed in proptest::sample::select(seeds()),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..40, piece()), 1..6),
    ) {
        let mut text: Vec<char> = seed.chars().collect();
        for (at, length, piece) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let (found, shown) = answer("edited", text.as_bytes());
        for finding in &found {
            let clean = !finding.message.contains(['\u{1b}', '\n']);
            prop_assert!(clean, "a message has a control character");
        }
        prop_assert_eq!(found.is_empty(), shown.is_empty());
    }
}
