//! One writer: who waits, who takes over, and who finds out that the lock is gone.

use std::future::{pending, ready};
use std::time::Duration;

use sesinfra::aws::{Held, Lease, Lock, LockError, Lost};
use sesinfra_local::{Effect, Fault};

use crate::it::stage::Stage;

/// A lease short enough for a test, and long enough for a machine that is busy with others.
const LEASE: Lease = Lease {
    length: Duration::from_secs(3),
    renewal: Duration::from_millis(150),
    look: Duration::from_millis(40),
};

/// Takes a lock as `host`, waiting at most so long.
async fn take<'a>(
    lock: &'a Lock<'_>,
    host: &str,
    patience: Duration,
) -> Result<Held<'a>, LockError> {
    lock.take("apply", host, patience, |_| (), pending()).await
}

/// On which machine whoever holds it runs.
async fn host_of(lock: &Lock<'_>) -> Option<String> {
    lock.holder().await.unwrap().map(|sighting| sighting.holder.host)
}

#[tokio::test]
async fn a_second_run_waits_and_is_told_who_is_first() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = take(&lock, "first", Duration::ZERO).await.unwrap();
    let mut told = Vec::new();
    let second = async {
        let told = |holder: &sesinfra::aws::Holder| told.push(holder.host.clone());
        lock.take("apply", "second", Duration::from_secs(1), told, pending()).await
    };
    let refused = tokio::select! {
        refused = second => refused,
        lost = held.keep(pending()) => panic!("the lock went to {lost:?}"),
    };
    let Err(LockError::Held(holder)) = refused else { panic!("{refused:?}") };
    assert_eq!(holder.host, "first");
    assert_eq!(told, ["first"]);
    assert_eq!(held.keep(ready(())).await, None);
    held.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn the_lock_of_a_dead_run_is_taken_over_and_the_dead_one_finds_out() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let dead = take(&lock, "dead", Duration::ZERO).await.unwrap();
    let heir = take(&lock, "heir", Duration::from_secs(20)).await.unwrap();
    let Some(Lost::TakenOver(now)) = dead.keep(pending()).await else { panic!("it is not lost") };
    assert_eq!(now.host, "heir");
    // What is somebody else's by now is not given back.
    dead.release().await.unwrap();
    assert_eq!(host_of(&lock).await.as_deref(), Some("heir"));
    heir.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

/// Four runs that want the lock together, each for a moment; no two may have it at once.
async fn in_turn(lock: &Lock<'_>) {
    let holders = std::sync::atomic::AtomicUsize::new(0);
    let run = || async {
        let held = take(lock, "one", Duration::from_secs(20)).await.unwrap();
        let now = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(now, 0, "somebody else has it too");
        tokio::time::sleep(Duration::from_millis(60)).await;
        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        held.release().await.unwrap();
    };
    tokio::join!(run(), run(), run(), run());
}

#[tokio::test]
async fn of_many_that_begin_together_one_at_a_time_has_it() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    Box::pin(in_turn(&Lock::new(&session, LEASE))).await;
}

#[tokio::test]
async fn of_many_that_wait_for_a_dead_run_one_at_a_time_has_it() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    take(&lock, "dead", Duration::ZERO).await.unwrap();
    Box::pin(in_turn(&lock)).await;
}

#[tokio::test]
async fn a_lock_can_be_broken_open() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = take(&lock, "stuck", Duration::ZERO).await.unwrap();
    let broken = lock.break_open().await.unwrap().unwrap();
    assert_eq!(broken.holder.host, "stuck");
    assert!(broken.to_string().contains("on stuck, since 20"), "{broken}");
    assert_eq!(lock.break_open().await.unwrap(), None);
    assert_eq!(held.keep(pending()).await, Some(Lost::BrokenOpen));
}

#[tokio::test]
async fn whoever_waits_can_give_up() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = take(&lock, "first", Duration::ZERO).await.unwrap();
    let given_up = lock.take("apply", "second", Duration::from_mins(1), |_| (), ready(())).await;
    assert!(matches!(given_up, Err(LockError::GivenUp)), "{given_up:?}");
    assert_eq!(host_of(&lock).await.as_deref(), Some("first"));
    held.release().await.unwrap();
}

#[tokio::test]
async fn a_lock_that_cannot_be_renewed_counts_as_lost_when_its_lease_ends() {
    for effect in [Effect::Deny, Effect::Hang] {
        let stage = Stage::new().await;
        let session = stage.session().await;
        let lock = Lock::new(&session, LEASE);
        let held = take(&lock, "cut off", Duration::ZERO).await.unwrap();
        stage.cloud.faults().arm(Fault::from_nth("ssm:PutParameter", 1, effect));
        let began = std::time::Instant::now();
        assert_eq!(held.keep(pending()).await, Some(Lost::NotRenewed), "{effect:?}");
        let lasted = began.elapsed();
        assert!(lasted < LEASE.length * 2, "{effect:?}: {lasted:?}");
    }
}

#[tokio::test]
async fn one_renewal_that_fails_costs_nothing() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = take(&lock, "first", Duration::ZERO).await.unwrap();
    stage.cloud.faults().arm(Fault::nth("ssm:PutParameter", 1, Effect::Deny));
    assert_eq!(held.keep(tokio::time::sleep(LEASE.length * 2)).await, None);
    held.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn a_lock_whose_first_answer_was_lost_is_ours() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    stage.cloud.faults().arm(Fault::nth("ssm:PutParameter", 1, Effect::LoseResponse));
    let held = take(&lock, "first", Duration::ZERO).await.unwrap();
    held.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn after_the_lock_is_lost_no_call_is_made() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    session.shut();
    let before = stage.cloud.calls().total();
    let refused = Lock::new(&session, LEASE).holder().await.unwrap_err();
    assert!(
        refused.to_string().ends_with("not sent: this run no longer holds the lock"),
        "{refused}"
    );
    assert_eq!(stage.cloud.calls().total(), before);
}
