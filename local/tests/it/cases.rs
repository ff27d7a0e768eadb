//! Cases as data. A folder of `tests/cases/` is a story: what an environment is like, what somebody did to the world
//! by hand, and then what `plan` says of it and which calls `apply` makes. A new case needs no code.
//!
//! `environment.toml` is what is wanted, `before.toml` what was applied before it, `beside.toml` another environment
//! that was applied first and must not be touched, `story.json` the rest ([`Story`]). What comes out is in `plan.txt`,
//! `plan.json` and `calls.txt`; `SESINFRA_BLESS=1` writes them anew, for the diff to be read. `SESINFRA_CASE=NAME` tells
//! one story only.

mod by_hand;
mod shown;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sesinfra::aws::Lease;
use sesinfra::commands::Host;
use sesinfra::environment;
use sesinfra::environment::names::FileName;
use sesinfra_local::{Cloud, Options, seeds};
use tokio::sync::Semaphore;

use self::by_hand::Act;
use super::account::cloud;
use super::folder::Folder;
use super::program::{Ran, sesinfra_on};

/// The environment of a story, and the one that is beside it.
const NAME: &str = "prod";
const BESIDE: &str = "beside";

/// How a run sees to it that it is alone.
const LOCK: [&str; 2] = ["ssm:PutParameter", "ssm:DeleteParameter"];

/// How many stories are told at once.
const AT_ONCE: usize = 4;

/// What a story is about, beside its environment files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// One sentence for whoever reads it.
    about: String,
    /// Whether `environment.toml` itself was applied before.
    #[serde(default)]
    already_applied: bool,
    /// What somebody did after that, in order.
    #[serde(default)]
    by_hand: Vec<Act>,
    /// Whether the environment is destroyed, not applied.
    #[serde(default)]
    destroy: bool,
    /// What is added to the command lines of the plan and of what carries it out: `["--adopt", "topic.ses-feedback"]`.
    #[serde(default)]
    with: Vec<String>,
    /// How it ends.
    #[serde(default)]
    ends: Ends,
}

/// How the apply of a story ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ends {
    /// Everything is done, and nothing is left to do.
    #[default]
    Applied,
    /// It is refused, and nothing is written.
    Refused,
    /// A step waits for somebody else.
    Waits,
}

impl Ends {
    const fn code(self) -> u8 {
        match self {
            Self::Applied => 0,
            Self::Refused => 3,
            Self::Waits => 4,
        }
    }
}

/// One story while it is told.
struct Stage {
    name: String,
    case: PathBuf,
    folder: Folder,
    cloud: Cloud,
    story: Story,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_goes_as_it_is_written() {
    let only = std::env::var("SESINFRA_CASE").ok();
    let stories = folders().into_iter().filter(|name| only.as_ref().is_none_or(|it| it == name));
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let told: Vec<_> = stories
        .map(|name| {
            let (permits, title) = (Arc::clone(&permits), name.clone());
            let telling = tokio::spawn(async move {
                let _permit = permits.acquire_owned().await.unwrap();
                Stage::set(name).await.tell().await;
            });
            (title, telling)
        })
        .collect();
    let mut wrong = Vec::new();
    for (title, telling) in told {
        if telling.await.is_err() {
            wrong.push(title);
        }
    }
    assert!(wrong.is_empty(), "these stories go differently: {}", wrong.join(", "));
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases")
}

fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(cases()).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

impl Stage {
    async fn set(name: String) -> Self {
        let case = cases().join(&name);
        let story = fs::read_to_string(case.join("story.json"));
        let story = story.unwrap_or_else(|error| panic!("{name}/story.json: {error}"));
        let story: Story = serde_json::from_str(&story)
            .unwrap_or_else(|error| panic!("{name}/story.json: {error}"));
        assert!(!story.about.is_empty(), "{name} says what it is about");
        let folder = Folder::new(&format!("case-{name}"));
        for entry in fs::read_dir(&case).unwrap().map(Result::unwrap) {
            let is_key = entry.path().extension().is_some_and(|extension| extension == "pem");
            if is_key {
                fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
        }
        Self { case, folder, story, name, cloud: cloud(Options::default()).await }
    }

    async fn tell(self) {
        let beside = self.has("beside.toml");
        if beside {
            self.apply(BESIDE, "beside.toml").await;
            // Two files that declare one resource are an error before AWS is asked, which is not what a story is about.
            self.take_away(BESIDE);
        }
        assert!(!(self.story.already_applied && self.has("before.toml")), "{}", self.name);
        if self.story.already_applied {
            self.apply(NAME, "environment.toml").await;
        } else if self.has("before.toml") {
            self.apply(NAME, "before.toml").await;
        }
        self.put(NAME, "environment.toml");
        for act in &self.story.by_hand {
            act.happen(&self.cloud, self.folder.path(), NAME).await;
        }
        self.plan().await;
        self.carry_out().await;
        if beside {
            self.take_away(NAME);
            self.put(BESIDE, "beside.toml");
            self.expect_nothing(BESIDE).await;
        }
    }

    fn has(&self, file: &str) -> bool {
        self.case.join(file).is_file()
    }

    /// Puts a file of the case in the place of an environment, and gives its account what it takes for granted.
    fn put(&self, environment: &str, file: &str) {
        let text = fs::read_to_string(self.case.join(file));
        let text = text.unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name));
        self.folder.write(&format!("environments/{environment}.toml"), &text);
        let name = FileName::parse(environment).unwrap();
        let loaded = environment::load(self.folder.path(), &name);
        let loaded = loaded.unwrap_or_else(|found| panic!("{}/{file}: {found}", self.name));
        seeds::seed(self.cloud.world(), &loaded);
    }

    fn take_away(&self, environment: &str) {
        fs::remove_file(self.folder.path().join(format!("environments/{environment}.toml")))
            .unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let name = FileName::parse(arguments[1]).unwrap();
        let account = environment::load(self.folder.path(), &name).unwrap().settings.aws.account;
        // However slow the machine is, a lock that is renewed is not part of a story.
        let never = Duration::from_hours(1);
        let calm = move |host: &mut Host| {
            host.lease = Lease { length: never, renewal: never, ..Lease::default() };
        };
        sesinfra_on(&self.cloud, account.as_str(), self.folder.path(), arguments, calm).await
    }

    async fn apply(&self, environment: &str, file: &str) {
        self.put(environment, file);
        let ran = self.run(&["apply", environment, "--yes", "--parallelism", "1"]).await;
        assert_eq!(ran.code, 0, "{}/{file}: {}{}", self.name, ran.output, ran.errors);
    }

    async fn plan(&self) {
        let mut arguments = vec!["plan", NAME];
        if self.story.destroy {
            arguments.push("--destroy");
        }
        arguments.extend(self.story.with.iter().map(String::as_str));
        let log = self.cloud.calls();
        log.clear();
        let text = self.run(&arguments).await;
        assert!(log.writes().is_empty(), "{}: a plan writes nothing", self.name);
        self.expect("plan.txt", &shown::plan(&text));
        arguments.extend(["--format", "json"]);
        let json = self.run(&arguments).await;
        self.expect("plan.json", &shown::json(&json.output));
    }

    async fn carry_out(&self) {
        let verb = if self.story.destroy { "destroy" } else { "apply" };
        let mut arguments = vec![verb, NAME, "--yes", "--parallelism", "1"];
        if self.story.ends == Ends::Waits {
            arguments.push("--wait=0s");
        }
        arguments.extend(self.story.with.iter().map(String::as_str));
        let log = self.cloud.calls();
        log.clear();
        let ran = self.run(&arguments).await;
        self.expect("calls.txt", &shown::calls(&log.entries(), &ran));
        let ends = self.story.ends;
        assert_eq!(ran.code, ends.code(), "{}: {}{}", self.name, ran.output, ran.errors);
        match ends {
            Ends::Applied if self.story.destroy => {
                let left = self.run(&["plan", NAME, "--destroy"]).await;
                assert!(left.output.contains("\nNo changes. "), "{}: {}", self.name, left.output);
            }
            Ends::Applied => self.expect_nothing(NAME).await,
            Ends::Refused => {
                let mut writes = log.writes();
                writes.retain(|write| !LOCK.contains(&write.as_str()));
                assert!(writes.is_empty(), "{}: {writes:?}", self.name);
            }
            Ends::Waits => {}
        }
    }

    async fn expect_nothing(&self, environment: &str) {
        let log = self.cloud.calls();
        log.clear();
        let ran = self.run(&["plan", environment, "--detailed-exitcode"]).await;
        let (name, text) = (&self.name, ran.output + &ran.errors);
        assert_eq!(ran.code, 0, "{name}: the next plan of {environment} is not empty:\n{text}");
        assert!(text.contains("No changes. Your infrastructure matches"), "{name}: {text}");
        assert!(log.writes().is_empty(), "{name}: a plan writes nothing");
    }

    /// Asserts that `text` is what the case's file holds.
    #[track_caller]
    fn expect(&self, file: &str, text: &str) {
        let path = self.case.join(file);
        if std::env::var_os("SESINFRA_BLESS").is_some() {
            return fs::write(path, text).unwrap();
        }
        let expected = fs::read_to_string(path).unwrap_or_default();
        assert!(
            expected == text,
            "tests/cases/{}/{file} differs (bless it with SESINFRA_BLESS=1 if this is right). It is now:\n{text}",
            self.name
        );
    }
}
