//! One writer, as the command line keeps to it: a run that lost its lock stops, and that of a dead one is taken over
//! without anybody's help.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_ssm::types::ParameterType;
use sesinfra::aws::{Lease, Lock, LockError, Session, sign_in};
use sesinfra::environment::{self, names::FileName};
use sesinfra_local::{Cloud, Effect, Fault, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::folder::Folder;
use super::program::{Ran, sesinfra_on};
use super::stage::access;

/// A lease short enough for a test, and long enough for a machine that is busy with others.
const LEASE: Lease = Lease {
    length: Duration::from_secs(3),
    renewal: Duration::from_millis(150),
    look: Duration::from_millis(40),
};

/// How many topics the environment has.
const TOPICS: usize = 12;

/// The name of the parameter.
const LOCK: &str = "/sesinfra/pivot/test/lock";

struct Place {
    cloud: Cloud,
    folder: Folder,
}

impl Place {
    async fn new(name: &str) -> Self {
        Self::with_topics(name, TOPICS).await
    }

    async fn with_topics(name: &str, topics: usize) -> Self {
        let folder = Folder::new(&format!("one-writer-{name}"));
        let topics = (1..=topics).map(|number| format!("[topics.t{number:02}]\n"));
        let head =
            format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
        folder.write("environments/test.toml", &(head + &topics.collect::<String>()));
        let options = Options { latency: Duration::from_millis(30), ..Options::default() };
        Self { cloud: cloud(Options { enforce_iam: false, ..options }).await, folder }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let lease = |host: &mut sesinfra::commands::Host| host.lease = LEASE;
        sesinfra_on(&self.cloud, ACCOUNT, self.folder.path(), arguments, lease).await
    }

    async fn apply(&self) -> Ran {
        self.run(&["apply", "test", "--yes", "--parallelism", "1", "--lock-timeout", "20s"]).await
    }

    async fn session(&self) -> Arc<Session> {
        let name = FileName::parse("test").unwrap();
        let environment = environment::load(self.folder.path(), &name).unwrap();
        sign_in(&environment, &access(&self.cloud, ACCOUNT, self.folder.path())).await.unwrap()
    }

    async fn called(&self, action: &str, times: usize) {
        let until = Instant::now() + Duration::from_mins(1);
        while self.cloud.calls().count(action) < times {
            assert!(Instant::now() < until, "{action} is never called");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_lock_is_broken_open_makes_no_more_calls() {
    // So many, and so slow, that the loss is noticed before the last even where other work delays what takes the lock.
    let topics = 10 * TOPICS;
    let place = Place::with_topics("broken", topics).await;
    place.cloud.change(|options| options.latency = Duration::from_millis(60));
    let over = AtomicBool::new(false);
    let first = async {
        let ran = place.apply().await;
        over.store(true, Ordering::Relaxed);
        ran
    };
    let other = async {
        place.called("sns:CreateTopic", 2).await;
        let session = place.session().await;
        let lock = Lock::new(&session, LEASE);
        // A renewal that looked before and wrote after puts the first holder back, whenever that comes: then it is tried again.
        loop {
            let is_over = over.load(Ordering::Relaxed);
            if lock.holder().await.unwrap().is_some_and(|it| it.holder.host == "elsewhere") {
                if is_over {
                    break;
                }
                tokio::time::sleep(LEASE.renewal).await;
                continue;
            }
            lock.break_open().await.unwrap();
            match lock.take("destroy", "elsewhere", Duration::ZERO, |_| (), pending()).await {
                Err(LockError::Held(_)) => {}
                taken => drop(taken.unwrap()),
            }
        }
    };
    let (ran, ()) = tokio::join!(first, other);
    assert_eq!(ran.code, 4, "{}", ran.errors);
    // Which of the two is seen depends on the moment.
    let told = ["Stopping: the lock was taken over by destroy of arn:", "Stopping: somebody broke"];
    assert!(told.iter().any(|told| ran.errors.contains(told)), "{}", ran.errors);
    assert!(ran.errors.contains("No more calls are made."), "{}", ran.errors);
    assert!(ran.output.contains("topic.t01: created"), "{}", ran.output);
    assert!(ran.output.contains("Not started:\n"), "{}", ran.output);
    assert!(
        place.cloud.calls().count("sns:CreateTopic") < topics,
        "somebody else is at work by now"
    );
    let held = place.run(&["unlock", "test"]).await;
    assert!(held.output.contains("elsewhere"), "{}", held.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rerun_after_a_crash_waits_for_the_lease_and_takes_over() {
    let place = Place::new("crashed").await;
    let session = place.session().await;
    let lock = Lock::new(&session, LEASE);
    // Never renewed, never given back.
    lock.take("apply", "crashed", Duration::ZERO, |_| (), pending()).await.unwrap();
    let began = Instant::now();
    let ran = place.apply().await;
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(began.elapsed() >= LEASE.length, "{:?}", began.elapsed());
    let waiting = ran.errors.lines().filter(|line| line.starts_with("Waiting for another run: "));
    assert_eq!(waiting.count(), 1, "{}", ran.errors);
    assert!(ran.errors.contains("on crashed, since "), "{}", ran.errors);
    assert!(ran.output.contains("Apply complete! Resources: 12 added"), "{}", ran.output);
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_lock_is_left_alone() {
    let place = Place::new("foreign").await;
    let parameters = aws_sdk_ssm::Client::new(&administrator(&place.cloud, ACCOUNT));
    let put = parameters.put_parameter().name(LOCK).value("mine").r#type(ParameterType::String);
    put.send().await.unwrap();
    for arguments in
        [&["apply", "test", "--yes"][..], &["unlock", "test"], &["unlock", "test", "--force"]]
    {
        let ran = place.run(arguments).await;
        assert_eq!((ran.code, ran.output.as_str()), (1, ""), "{arguments:?}");
        let told =
            "Error: the SSM parameter /sesinfra/pivot/test/lock does not hold a lock of sesinfra\n";
        assert!(ran.errors.starts_with(told), "{}", ran.errors);
    }
    let kept = parameters.get_parameter().name(LOCK).send().await.unwrap();
    assert_eq!(kept.parameter.unwrap().value.as_deref(), Some("mine"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_may_not_be_taken_names_the_permission() {
    let place = Place::new("denied").await;
    place.cloud.faults().arm(Fault::nth("ssm:PutParameter", 1, Effect::Deny));
    let ran = place.apply().await;
    assert_eq!((ran.code, ran.output.as_str()), (1, ""), "{}", ran.errors);
    assert!(
        ran.errors.contains("hint: allow ssm:PutParameter on /sesinfra/pivot/test/lock"),
        "{}",
        ran.errors
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_missing_keeps_nobody_from_breaking_a_lock_open() {
    let place = Place::new("unlock").await;
    let session = place.session().await;
    let lock = Lock::new(&session, LEASE);
    lock.take("apply", "crashed", Duration::ZERO, |_| (), pending()).await.unwrap();
    place.folder.write(
        "environments/test.toml",
        &format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n[identities.\"nowhere.example\"]\n"),
    );
    let ran = place.run(&["unlock", "test", "--force"]).await;
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.output.starts_with("Broken open: apply of arn:aws:"), "{}", ran.output);
}
