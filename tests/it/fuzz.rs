//! Bad input: a seeded mutator over the committed corpus, through every target of `fuzz/harness.rs`, on a stable toolchain.
//!
//! In the normal run each target gets some seconds' worth of inputs, the same every time. For longer, and with other inputs:
//!
//! ```text
//! SESINFRA_FUZZ_SECONDS=3600 cargo test --workspace --test it fuzz -- --nocapture
//! ```
//!
//! runs each target for so many seconds, as many of them at once as there are processors. An input that breaks something is written to `target/fuzz/`, and belongs
//! into `fuzz/corpus/TARGET/` once it is mended.

#![allow(
    clippy::print_stdout,
    reason = "whoever lets it run for an hour wants to see that it does"
)]

#[path = "../../fuzz/harness.rs"]
mod harness;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::view::plans::stories;
use harness::{TARGETS, Target};

/// The longest that one input may take, on a machine that is busy with others too.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest input that is made.
const LONGEST: usize = 20_000;

/// Pieces that tend to break something, of every format at once.
const PIECES: [&[u8]; 44] = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\\",
    b"\"",
    b"'''",
    b"\"\"\"",
    b"[",
    b"]",
    b"[[",
    b"]]",
    b"{",
    b"}",
    b"(",
    b"=",
    b".",
    b",",
    b":",
    b"/",
    b"@",
    b"*",
    b"%",
    b"%00",
    b"%zz",
    b"\\000",
    b"\\777",
    b"\\u0000",
    b"\\ud800",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"nan",
    b"null",
    b"true",
    b"1979-05-27",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x98\x80",
    b"xn--",
    b"\"unset\"",
    b"extends = \"defaults\"\n",
    b"\n#### defaults.toml\n",
    b"arn:aws:::",
    b"AQAB",
];

/// Numbers that look random and are the same every time (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// A range within `length` bytes, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(8) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }
}

/// Changes an input in one of the ways in which inputs go wrong.
fn mutate(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let range = chance.range(input.len());
    match chance.below(8) {
        0 => drop(input.drain(range)),
        1 => input.truncate(range.start),
        2 => {
            let byte = u8::try_from(chance.below(256)).unwrap();
            input.insert(range.start, byte);
        }
        3 if !input.is_empty() => {
            let at = chance.below(input.len());
            input[at] ^= 1 << chance.below(8);
        }
        4 => {
            let piece = input[range.clone()].to_vec();
            let most = if chance.below(16) == 0 { 400 } else { 4 };
            let times = 1 + chance.below(most);
            let copies = piece.repeat(times.min(LONGEST / (piece.len() + 1) + 1));
            input.splice(range.end..range.end, copies);
        }
        5 => {
            let piece = other[chance.range(other.len())].to_vec();
            input.splice(range, piece);
        }
        _ => {
            let piece = chance.one_of(&PIECES);
            let times = if chance.below(32) == 0 { 1 + chance.below(2_000) } else { 1 };
            input.splice(range, piece.repeat(times));
        }
    }
    input.truncate(LONGEST);
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed inputs of a target; for environments, all environment files that there are too. Plan files are those of
/// which the views are shown, so that they always have the form that this version writes.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    if target == "plan_file" {
        let stories = stories().into_iter().map(|story| story.document.sealed());
        return stories.map(|document| serde_json::to_vec(&document).unwrap()).collect();
    }
    let mut paths: Vec<PathBuf> = files(&repository().join("fuzz/corpus").join(target));
    if target == "environment" {
        paths.extend(files(&repository().join("environments")));
        for case in fs::read_dir(repository().join("tests/it/environment")).unwrap() {
            let folder = case.unwrap().path().join("environments");
            paths.extend(if folder.is_dir() { files(&folder) } else { Vec::new() });
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    }
    paths.sort();
    let read: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(read.len() >= 5, "{target} has hardly a corpus");
    read
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

/// Runs one input; on a failure it is kept.
fn bear(name: &str, target: Target, input: &[u8]) {
    let began = Instant::now();
    let panicked = catch_unwind(|| target(input)).is_err();
    let took = began.elapsed();
    if panicked || took > PATIENCE {
        let folder = repository().join("target/fuzz");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}-{}", input.len()));
        fs::write(&path, input).unwrap();
        panic!("{name} took {took:?} or panicked; the input is {}", path.display());
    }
}

/// All of the corpus, and then so many changes of it, or as many as there is time for.
fn run(name: &str, target: Target, inputs: usize) {
    let seeds = corpus(name);
    for seed in &seeds {
        bear(name, target, seed);
    }
    let seconds = std::env::var("SESINFRA_FUZZ_SECONDS").ok().map(|it| it.parse().unwrap());
    let seconds: Option<Duration> = seconds.map(Duration::from_secs);
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = if seconds.is_some() {
        u64::try_from(moment & 0xffff_ffff).unwrap() | 1
    } else {
        20_261_124
    };
    let mut chance = Chance(seed);
    let (began, mut count, mut told) = (Instant::now(), 0, 0);
    while seconds.map_or(count < inputs, |seconds| began.elapsed() < seconds) {
        let mut input = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(5) {
            let other = &seeds[chance.below(seeds.len())];
            mutate(&mut input, other, &mut chance);
        }
        bear(name, target, &input);
        count += 1;
        if seconds.is_some() && began.elapsed().as_secs() / 60 > told {
            told = began.elapsed().as_secs() / 60;
            println!("{name}: {count} inputs in {told} minutes");
        }
    }
    harness::clear();
    println!("{name}: {count} inputs, seed {seed}");
}

fn target(name: &str) -> Target {
    TARGETS.iter().find(|(other, _)| *other == name).unwrap().1
}

macro_rules! bears {
    ($($name:ident: $inputs:literal;)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), target(stringify!($name)), $inputs);
        })*

        #[test]
        fn every_target_has_its_test_its_file_and_its_corpus() {
            let tested = [$(stringify!($name)),*];
            let targets = TARGETS.map(|(name, _)| name);
            assert_eq!(tested, targets);
            let manifest = fs::read_to_string(repository().join("fuzz/Cargo.toml")).unwrap();
            for name in targets {
                let path = format!("targets/{name}.rs");
                assert!(repository().join("fuzz").join(&path).is_file());
                assert!(manifest.contains(&format!("path = \"{path}\"")));
            }
        }
    };
}

bears! {
    environment: 250;
    plan_file: 600;
    policy: 3_000;
    dns: 4_000;
    claim: 6_000;
    marks: 1_500;
    private_key: 2_000;
    names: 800;
}
