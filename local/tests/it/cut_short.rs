//! What cuts a run short, on the real program: Ctrl-C once and twice, the end of a CI job, the network gone, a pipe that
//! nobody reads, a disk that is full, no terminal. Each ends as the design says, and the next run goes on from there.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::future::pending;
use std::os::unix::fs::FileTypeExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sesinfra::aws::{Lease, Lock, Session};
use sesinfra::environment::{self, names::FileName};
use sesinfra_local::{Cloud, Effect, Fault, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::binary::{Ended, Running, command, run};
use super::folder::Folder;
use super::served::Served;
use super::stage::access;

/// How many topics the environment has: enough that one at a time takes a while.
const TOPICS: usize = 8;

/// A cloud that takes its time with every call, and an environment of nothing but topics.
struct Place {
    cloud: Cloud,
    folder: Folder,
}

fn file() -> String {
    let mut text =
        format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
    for number in 1..=TOPICS {
        writeln!(text, "[topics.t{number}]").unwrap();
    }
    text
}

impl Place {
    async fn new(name: &str) -> Self {
        let options = Options { latency: Duration::from_millis(20), ..Options::default() };
        let folder = Folder::new(&format!("cut-short-{name}"));
        folder.write("environments/test.toml", &file());
        Self { cloud: cloud(Options { enforce_iam: false, ..options }).await, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(self.cloud.endpoint(), self.folder.path(), arguments)
    }

    /// One step after the other, so that there are always more to come.
    fn apply(&self) -> Command {
        self.command(&["apply", "test", "--yes", "--parallelism", "1"])
    }

    async fn topics(&self) -> usize {
        let topics = aws_sdk_sns::Client::new(&administrator(&self.cloud, ACCOUNT));
        topics.list_topics().send().await.unwrap().topics.unwrap_or_default().len()
    }

    async fn session(&self) -> Arc<Session> {
        let name = FileName::parse("test").unwrap();
        let environment = environment::load(self.folder.path(), &name).unwrap();
        let access = access(&self.cloud, ACCOUNT, self.folder.path());
        sesinfra::aws::sign_in(&environment, &access).await.unwrap()
    }

    async fn is_locked(&self) -> bool {
        let session = self.session().await;
        Lock::new(&session, Lease::default()).holder().await.unwrap().is_some()
    }

    /// Waits until an action was called so often.
    async fn called(&self, action: &str, times: usize) {
        let until = Instant::now() + Duration::from_mins(1);
        while self.cloud.calls().count(action) < times {
            assert!(Instant::now() < until, "{action} is never called");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The same command goes on, and then nothing is left to do.
    async fn expect_to_go_on(&self) {
        let again = run(self.apply());
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!(self.topics().await, TOPICS);
        assert!(!self.is_locked().await);
        let plan = run(self.command(&["plan", "test"]));
        assert!(plan.output.contains("No changes."), "{plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_interrupt_finishes_what_is_under_way_reports_and_gives_the_lock_back() {
    // CI cancels a job with the second of them.
    for signal in ["INT", "TERM"] {
        let place = Place::new(signal).await;
        let mut apply = Running::start(place.apply());
        apply.says("topic.t2: created");
        apply.signal(signal);
        let Ended { code, output, errors } = apply.end();
        assert_eq!(code, Some(4), "{errors}");
        assert!(errors.contains("Stopping: calls under way are finished"), "{errors}");
        let report = output.split_once("\nDone:\n").expect(&output).1;
        assert!(
            report.contains("topic.t1: created") && report.contains("Not started:"),
            "{report}"
        );
        assert!(report.contains("Apply stopped: "), "{report}");
        assert!(report.ends_with("To go on from here: sesinfra apply test\n"), "{report}");
        let made = place.topics().await;
        assert!((2..TOPICS).contains(&made), "{made}");
        assert_eq!(report.matches(": created").count(), made, "{report}");
        assert!(!place.is_locked().await);
        place.expect_to_go_on().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_interrupt_leaves_at_once_and_leaves_the_lock_to_its_lease() {
    let place = Place::new("twice").await;
    place.cloud.faults().arm(Fault::nth("sns:CreateTopic", 2, Effect::HangAfter));
    let mut apply = Running::start(place.apply());
    place.cloud.faults().struck().await;
    apply.signal("INT");
    apply.says("Stopping: ");
    let since = Instant::now();
    apply.signal("INT");
    let Ended { code, errors, .. } = apply.end();
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(code, Some(4), "{errors}");
    assert!(errors.contains("Error: left at once: calls under way may or may not"), "{errors}");
    assert!(place.is_locked().await);

    // Whoever comes next is told who it is, and that they can wait or break it open.
    let next = run(place.command(&["apply", "test", "--yes", "--lock-timeout", "1s"]));
    assert_eq!(next.code, Some(3), "{next:?}");
    for words in
        ["Waiting for another run: apply of arn:aws:", "hint: wait until", "unlock test --force"]
    {
        assert!(next.errors.contains(words), "no `{words}` in: {}", next.errors);
    }
    let held = run(place.command(&["unlock", "test"]));
    assert!(held.output.starts_with("Held: apply of arn:aws:"), "{held:?}");
    let broken = run(place.command(&["unlock", "test", "--force"]));
    assert!(broken.output.starts_with("Broken open: apply of arn:aws:"), "{broken:?}");
    let free = run(place.command(&["unlock", "test"]));
    assert_eq!(free.output, "Nobody holds the lock of `test`.\n");
    place.expect_to_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_before_the_first_change_changes_nothing() {
    // While the account is looked at, before the lock; while it is planned, under the lock.
    for (name, action) in
        [("connecting", "sts:GetCallerIdentity"), ("planning", "tag:GetResources")]
    {
        let place = Place::new(name).await;
        place.cloud.faults().arm(Fault::nth(action, 1, Effect::Hang));
        let apply = Running::start(place.apply());
        place.called(action, 1).await;
        apply.signal("INT");
        let Ended { code, output, errors } = apply.end();
        assert_eq!((code, output.as_str()), (Some(3), ""), "{errors}");
        assert_eq!(errors, "Error: nothing was changed: the run was interrupted\n");
        place.cloud.faults().clear();
        assert!(!place.is_locked().await, "{action}");
        assert_eq!(place.topics().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_while_waiting_for_another_run_leaves_that_one_its_lock() {
    let place = Place::new("waiting").await;
    let session = place.session().await;
    let lock = Lock::new(&session, Lease::default());
    let held = lock.take("apply", "elsewhere", Duration::ZERO, |_| (), pending()).await.unwrap();
    let mut apply = Running::start(place.apply());
    apply.says("Waiting for another run: apply of arn:aws:");
    apply.signal("INT");
    let Ended { code, errors, .. } = apply.end();
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.ends_with("Error: nothing was changed: the run was interrupted\n"), "{errors}");
    assert_eq!(lock.holder().await.unwrap().unwrap().holder.host, "elsewhere");
    held.release().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_terminal_ctrl_c_is_an_answer_too() {
    let place = Place::new("terminal").await;
    // `script` gives the program a terminal, and types what it reads.
    let typed = |arguments: &[&str]| {
        let apply = place.command(arguments);
        let words: Vec<String> = std::iter::once(apply.get_program())
            .chain(apply.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .collect();
        let mut script = Command::new("script");
        // Without `exec` a shell in between would be interrupted as well, and say how it ended itself.
        script.args(["-qefc", &format!("exec {}", words.join(" ")), "/dev/null"]).env_clear();
        script.envs(apply.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.current_dir(place.folder.path());
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        script
    };
    for (answer, code, topics) in [("\u{3}", 3, 0), ("no\n", 3, 0), ("yes\n", 0, TOPICS)] {
        let mut script = typed(&["apply", "test", "--no-color"]).spawn().unwrap();
        let mut input = script.stdin.take().unwrap();
        let shown = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let mut output = script.stdout.take().unwrap();
            let (mut shown, mut piece) = (Vec::new(), [0; 4096]);
            let mut is_answered = false;
            while let Ok(read @ 1..) = output.read(&mut piece) {
                shown.extend_from_slice(&piece[..read]);
                if !is_answered && String::from_utf8_lossy(&shown).contains("taken for a yes: ") {
                    input.write_all(answer.as_bytes()).unwrap();
                    is_answered = true;
                }
            }
            (String::from_utf8_lossy(&shown).into_owned(), script.wait().unwrap().code())
        });
        let (shown, ended) =
            tokio::task::spawn_blocking(move || shown.join().unwrap()).await.unwrap();
        assert_eq!(ended, Some(code), "{answer:?}: {shown}");
        assert_eq!(place.topics().await, topics, "{answer:?}: {shown}");
        assert!(!place.is_locked().await);
    }
}

#[test]
fn a_network_that_is_lost_ends_a_run_with_its_report() {
    let folder = Folder::new("cut-short-network");
    folder.write("environments/test.toml", &file());
    let served = Served::start(folder.path(), std::path::PathBuf::new(), REGION);
    let apply = command(
        served.endpoint(),
        folder.path(),
        &["apply", "test", "--yes", "--parallelism", "1"],
    );
    let mut apply = Running::start(apply);
    apply.says("topic.t2: created");
    drop(served);
    let since = Instant::now();
    let Ended { code, output, errors } = apply.end();
    // Each call is tried for some ten seconds; after the first that failed to the end, no other is.
    assert!(since.elapsed() < Duration::from_secs(45), "{:?}", since.elapsed());
    assert_eq!(code, Some(4), "{errors}");
    let report = output.split_once("\nDone:\n").expect(&output).1;
    assert!(report.contains("topic.t2: created") && report.contains("Not started:"), "{report}");
    assert!(
        report.contains("Connection refused") && report.contains("hint: check the network"),
        "{report}"
    );
    assert!(report.contains("Apply failed in part: "), "{report}");
    assert!(errors.contains("Warning: the lock was not given back"), "{errors}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_may_go_away() {
    let place = Place::new("pipe").await;
    let mut plan = place.command(&["plan", "test"]).spawn().unwrap();
    drop(plan.stdout.take());
    let ended = plan.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(0));
    // Nobody reads the log either; what was begun is done all the same.
    let mut apply = place.command(&["apply", "test", "--yes", "--log", "trace"]).spawn().unwrap();
    drop((apply.stdout.take(), apply.stderr.take()));
    assert_eq!(apply.wait().unwrap().code(), Some(0));
    assert_eq!(place.topics().await, TOPICS);
    let head = format!("{} plan test | head -n 1", program_of(&place));
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("set -o pipefail; {head}")]).current_dir(place.folder.path());
    shell.envs(place.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = shell.output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

fn program_of(place: &Place) -> String {
    place.command(&[]).get_program().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_one_clear_error_and_no_change() {
    let place = Place::new("full").await;
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["plan", "test"][..], &["apply", "test", "--yes"], &["--help"], &["schema"]]
    {
        let ended = place.command(arguments).stdout(full()).output().unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(
            errors, "Error: the answer cannot be written: No space left on device (os error 28)\n",
            "{arguments:?}"
        );
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
    }
    assert_eq!(place.topics().await, 0);
    assert!(!place.is_locked().await);
    let out = run(place.command(&["plan", "test", "--out", "/dev/full"]));
    assert_eq!((out.code, out.output.as_str()), (Some(1), ""));
    assert_eq!(
        out.errors,
        "Error: /dev/full: cannot be written: No space left on device (os error 28)\n"
    );
    let is_device =
        File::open("/dev/full").unwrap().metadata().unwrap().file_type().is_char_device();
    assert!(is_device, "a plan file took the place of a device");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_can_be_written_where_a_shell_reads_it() {
    let place = Place::new("stream").await;
    let out = run(place.command(&["plan", "test", "--out", "/dev/stdout", "--format", "json"]));
    assert_eq!(out.code, Some(0), "{out:?}");
    assert!(out.output.contains("\"fingerprint\""), "{}", out.output);
    // A link stays one, and what it leads to is replaced.
    place.folder.write("plans/old.json", "{}");
    let link = place.folder.path().join("plans/link.json");
    std::os::unix::fs::symlink("old.json", &link).unwrap();
    assert_eq!(run(place.command(&["plan", "test", "--out", "plans/link.json"])).code, Some(0));
    assert!(link.is_symlink());
    assert!(run(place.command(&["show", "plans/old.json"])).output.contains("topic.t1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_nothing_is_asked() {
    let place = Place::new("no-terminal").await;
    let apply = run(place.command(&["apply", "test"]));
    assert_eq!((apply.code, apply.output.as_str()), (Some(3), ""), "{apply:?}");
    assert!(apply.errors.contains("there is no terminal to ask at"), "{}", apply.errors);
    assert_eq!(place.cloud.calls().total(), 0);
    let yes = run(place.apply());
    assert_eq!(yes.code, Some(0), "{yes:?}");
    assert!(!yes.errors.contains('\u{1b}') && !yes.output.contains('\u{1b}'), "{yes:?}");
}
