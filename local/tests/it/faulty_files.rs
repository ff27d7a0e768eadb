//! Broken environment files on the command line: each has one clear message for each fault, and ends with 1.
//!
//! Ten of them are the ones whose messages are shown in full below `tests/it/environment/`; the other two are right as
//! they are, and wrong in the account that they meet.

use std::path::{Path, PathBuf};

use sesinfra_local::Options;

use super::account::{ACCOUNT, cloud};
use super::folder::Folder;
use super::program::{Ran, sesinfra};
use super::served::{local, text};

/// Broken files, each with how many faults it has.
const BROKEN: [&str; 10] = [
    "unknown-key",
    "wrong-type",
    "dangling-reference",
    "duplicate",
    "extends-cycle",
    "bad-domain",
    "mail-from-outside-domain",
    "unknown-event-type",
    "two-destinations-of-one-name",
    "empty-file",
];

const DOMAIN: &str = "project = \"pivot\"\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n[identities.\"pivot.app\"]\n";

fn source(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/environment").join(case)
}

#[test]
fn a_broken_file_is_explained_and_ends_with_one() {
    for case in BROKEN {
        let folder = Folder::new(&format!("faulty-{case}"));
        for entry in std::fs::read_dir(source(case).join("environments")).unwrap() {
            let entry = entry.unwrap();
            let name = format!("environments/{}", entry.file_name().to_str().unwrap());
            folder.write(&name, &std::fs::read_to_string(entry.path()).unwrap());
        }
        let ran = local(folder.path(), &["plan", "broken"]);
        let errors = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{case}: {errors}");
        assert_eq!(text(&ran.stdout), "", "{case}");
        let expected = std::fs::read_to_string(source(case).join("expected.txt")).unwrap();
        assert!(errors.contains(expected.trim_end()), "{case}: {errors}");
        let found = expected.matches("error[").count();
        let sentence = match found {
            1 => "the environment `broken` has a fault, shown above".to_owned(),
            count => format!("the environment `broken` has {count} faults, shown above"),
        };
        assert_eq!(errors.matches("error[").count(), found, "{case}: {errors}");
        assert!(errors.contains(&sentence), "{case}: {errors}");
    }
}

/// Plans a file in an account that has nothing, with the credentials of `account`.
async fn planned(name: &str, account: &str) -> (Ran, Vec<String>) {
    let folder = Folder::new(&format!("faulty-{name}"));
    folder.write("environments/broken.toml", DOMAIN);
    let cloud = cloud(Options::default()).await;
    let ran = sesinfra(&cloud, account, folder.path(), &["plan", "broken"]).await;
    (ran, cloud.calls().actions())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_missing_is_named_where_it_is_needed() {
    let (ran, _) = planned("zone", ACCOUNT).await;
    assert_eq!((ran.code, ran.output.as_str()), (1, ""), "{}", ran.errors);
    assert_eq!(ran.errors.matches("error[").count(), 1, "{}", ran.errors);
    for word in ["environments/broken.toml:5:", "hosted zone", "pivot.app", "manual"] {
        assert!(ran.errors.contains(word), "no `{word}` in: {}", ran.errors);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_of_another_account_are_refused_before_any_other_call() {
    let (ran, calls) = planned("account", "210987654321").await;
    assert_eq!((ran.code, ran.output.as_str()), (1, ""), "{}", ran.errors);
    assert_eq!(ran.errors.matches("Error: ").count(), 1, "{}", ran.errors);
    for word in ["210987654321", "123456789012", "AWS_PROFILE", "environments/broken.toml"] {
        assert!(ran.errors.contains(word), "no `{word}` in: {}", ran.errors);
    }
    assert_eq!(calls, ["sts:GetCallerIdentity"]);
}
