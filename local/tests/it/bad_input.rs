//! What nobody should give to the program, given to it: each is answered with an error that says what is wrong, soon and
//! in little memory, never with a panic.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use super::account::{ACCOUNT, REGION};
use super::binary::{Ended, command, run};
use super::folder::Folder;

/// All the memory that the program may ask the system for, in KiB, its code and the stacks of its threads included. A plan
/// file may be the largest of all inputs, and is read whole.
const MEMORY_KIB: u64 = 1_000_000;

/// Longer than any of this may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// An error longer than this is read by nobody.
const LONGEST_ERROR: usize = 40_000;

/// Where no cloud answers: none of this may get as far as that.
const NOWHERE: &str = "http://127.0.0.1:9";

fn file(body: &str) -> String {
    format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n{body}")
}

/// Runs `sesinfra ARGUMENTS` in a folder, with bounded memory.
fn bounded(folder: &Folder, arguments: &[&OsStr]) -> Ended {
    let plain = command(NOWHERE, folder.path(), &[]);
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$@\""), "bash"]);
    shell.arg(plain.get_program()).args(arguments).current_dir(folder.path());
    shell.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(std::process::Stdio::null());
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    run(shell)
}

/// It is refused with one of these words, shortly.
fn expect_error(folder: &Folder, arguments: &[&str], words: &str) -> Ended {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let since = Instant::now();
    let ended = bounded(folder, &arguments);
    let shown = format!("{arguments:?}: {:?} {:.2000}", ended.code, ended.errors);
    assert_eq!(ended.code, Some(1), "{shown}");
    assert_eq!(ended.output, "", "{shown}");
    assert!(since.elapsed() < SOON, "{shown}");
    let is_error = ended.errors.contains("error[") || ended.errors.contains("Error: ");
    assert!(is_error && !ended.errors.contains("panicked"), "{shown}");
    assert!(ended.errors.len() < LONGEST_ERROR, "{} bytes: {shown}", ended.errors.len());
    let steers = |it: char| it.is_control() && it != '\n';
    assert!(!ended.errors.contains(steers), "{shown}");
    assert!(ended.errors.contains(words), "no `{words}` in {shown}");
    ended
}

#[test]
fn links_that_lead_nowhere_are_refused() {
    let folder = Folder::new("bad-links");
    folder.write("environments/prod.toml", &file(""));
    let at = |name: &str| folder.path().join(name);
    symlink("loop.toml", at("environments/loop.toml")).unwrap();
    symlink("two.toml", at("environments/one.toml")).unwrap();
    symlink("one.toml", at("environments/two.toml")).unwrap();
    symlink("gone", at("environments/dangling.toml")).unwrap();
    symlink("plan.json", at("plan.json")).unwrap();
    for name in ["loop", "one"] {
        expect_error(&folder, &["validate", name], "cannot read `environments/");
    }
    expect_error(
        &folder,
        &["validate", "dangling"],
        "there is no file `environments/dangling.toml`",
    );
    expect_error(&folder, &["show", "plan.json"], "plan.json: ");
    // One that cannot be read is no reason to refuse the others.
    let ended = bounded(&folder, &["validate", "prod"].map(OsStr::new));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let whole = Folder::new("bad-folder");
    symlink("environments", whole.path().join("environments")).unwrap();
    expect_error(&whole, &["validate"], "environments");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let folder = Folder::new("bad-unreadable");
    folder.write("environments/prod.toml", &file(""));
    let at = |name: &str| folder.path().join(name);
    // Nobody can read the beginning of this, the superuser neither.
    symlink("/proc/self/mem", at("environments/memory.toml")).unwrap();
    symlink("/dev/zero", at("environments/endless.toml")).unwrap();
    std::fs::create_dir(at("environments/folder.toml")).unwrap();
    // Opening it would wait for ever.
    let pipe = at("environments/pipe.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for name in ["memory", "endless", "folder", "pipe"] {
        let words = format!("cannot read `environments/{name}.toml`: ");
        expect_error(&folder, &["validate", name], &words);
        let text = format!("extends = \"{name}\"\n{}", file(""));
        folder.write("environments/child.toml", &text);
        expect_error(&folder, &["plan", "child"], &words);
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let folder = Folder::new("bad-names");
    folder.write("environments/prod.toml", &file(""));
    let long = "a".repeat(10_000);
    // A Cyrillic letter, one that is not seen, one that turns the rest around, and some that lead elsewhere.
    for name in ["pr\u{43e}d", "prod\u{200b}", "\u{202e}dorp", "../prod", "prod/../prod", "", &long]
    {
        expect_error(&folder, &["validate", name], "");
        expect_error(&folder, &["plan", name], "");
        expect_error(&folder, &["plan", "prod", "--target", name], "");
        expect_error(&folder, &["apply", "prod", "--lock-timeout", name], "");
    }
    let odd = OsStr::from_bytes(b"pr\xffd");
    for arguments in
        [[OsStr::new("validate"), odd].as_slice(), &[OsStr::new("show"), odd], &[odd, odd]]
    {
        let ended = bounded(&folder, arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.contains("rror: ") && !ended.errors.contains("panicked"), "{ended:?}");
    }
    // A file whose name is no text is nobody's environment.
    std::fs::write(folder.path().join("environments").join(odd), "x").unwrap();
    let named = OsStr::from_bytes(b"environments/pr\xffd.toml");
    std::fs::write(folder.path().join(named), "x").unwrap();
    let ended = bounded(&folder, &[OsStr::new("validate")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn environments_that_nobody_would_write_are_refused() {
    let folder = Folder::new("bad-environments");
    let long = "a".repeat(400_000);
    let deep = |open: &str, close: &str| open.repeat(60_000) + "1" + &close.repeat(60_000);
    for (name, text) in [
        ("a homograph", file("[identities.\"p\u{456}vot.app\"]")),
        ("a name turned around", file("[topics.\"\u{202e}kcabdeef\"]")),
        ("a long domain", file(&format!("[identities.\"{long}.app\"]"))),
        ("a long key", file(&format!("{long} = 1"))),
        ("a long value", file(&format!("[tags]\nteam = \"{long}\""))),
        (
            "a long list",
            file(&format!("[configuration_sets.a]\nsuppress = [{}]", "\"x\",".repeat(100_000))),
        ),
        ("arrays in arrays", format!("a = {}", deep("[", "]"))),
        ("tables in tables", format!("a = {}", deep("{a=", "}"))),
        ("a long path", file(&format!("[{}]", vec!["a"; 100_000].join(".")))),
        ("a number", file("[queues.a]\nretention = 1e999999")),
        ("one character", "\u{0}".to_owned()),
    ] {
        folder.write("environments/prod.toml", &text);
        println!("{name}");
        expect_error(&folder, &["validate"], "error[");
        expect_error(&folder, &["apply", "prod", "--yes"], "error[");
    }
    for bytes in [&b"\xff\xfe"[..], b"project = \"\xc3\x28\"", b"\xed\xa0\x80 = 1"] {
        std::fs::write(folder.path().join("environments/prod.toml"), bytes).unwrap();
        expect_error(&folder, &["validate"], "is not UTF-8 text");
    }
    // A file of eight gibibytes, none of which is on disk.
    let huge = std::fs::File::create(folder.path().join("environments/prod.toml")).unwrap();
    huge.set_len(8 << 30).unwrap();
    expect_error(&folder, &["validate"], "is larger than 4 MiB");
    // Each of a long row of files extends the next.
    for number in 0..2_000 {
        let text = format!("extends = \"e{}\"\n", number + 1);
        folder.write(&format!("environments/e{number}.toml"), &text);
    }
    expect_error(&folder, &["validate", "e0"], "e2000");
}

#[test]
fn plan_files_that_are_none_are_refused() {
    let folder = Folder::new("bad-plans");
    folder.write("environments/prod.toml", &file(""));
    let deep = "[".repeat(1_000_000);
    let wide = format!("{{\"format\":2,{}\"b\":1}}", "\"a\":1,".repeat(1_000_000));
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("deep", deep.as_bytes()),
        ("wide", wide.as_bytes()),
        ("binary", b"\x00\xff\xfe"),
        ("number", b"1e999999"),
        ("null", b"{\"format\":null}"),
        ("other", b"{\"format\":\"\x1b[31m\"}"),
        ("bare", b"{\"format\":2}"),
    ] {
        std::fs::write(folder.path().join("plan.json"), bytes).unwrap();
        println!("{name}");
        let words = if name == "bare" { "" } else { "plan.json: " };
        expect_error(&folder, &["show", "plan.json"], words);
        expect_error(&folder, &["apply", "plan.json"], words);
    }
    let huge = std::fs::File::create(folder.path().join("plan.json")).unwrap();
    huge.set_len(8 << 30).unwrap();
    expect_error(&folder, &["show", "plan.json"], "plan.json: ");
    for path in ["/dev/zero", "/proc/self/mem", "environments", "gone/plan.json"] {
        expect_error(&folder, &["show", path], &format!("{path}: "));
    }
}
