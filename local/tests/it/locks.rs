//! One writer: who waits, who takes over, and who finds out that the lock is gone.

use std::time::Duration;

use sesinfra::aws::{Lease, Lock, LockError};

use crate::it::stage::Stage;

/// A lease short enough for a test: the proportions are those of the real one.
const LEASE: Lease = Lease {
    length: Duration::from_millis(600),
    renewal: Duration::from_millis(150),
    look: Duration::from_millis(40),
};

#[tokio::test]
async fn a_second_run_waits_and_is_told_who_is_first() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = lock.take("apply", "first", Duration::ZERO, |_| ()).await.unwrap();
    let mut told = Vec::new();
    let second = async {
        lock.take("apply", "second", Duration::from_secs(1), |holder| {
            told.push(holder.host.clone());
        })
        .await
    };
    let refused = tokio::select! {
        refused = second => refused,
        lost = held.keep() => panic!("the lock went to {lost:?}"),
    };
    let Err(LockError::Held(holder)) = refused else { panic!("{refused:?}") };
    assert_eq!(holder.host, "first");
    assert_eq!(told, ["first"]);
    held.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn the_lock_of_a_dead_run_is_taken_over_and_the_dead_one_finds_out() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let dead = lock.take("apply", "dead", Duration::ZERO, |_| ()).await.unwrap();
    let heir = lock.take("apply", "heir", Duration::from_secs(5), |_| ()).await.unwrap();
    let now = dead.keep().await.unwrap();
    assert_eq!(now.host, "heir");
    // What is somebody else's by now is not given back.
    dead.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap().unwrap().host, "heir");
    heir.release().await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn of_many_that_begin_together_one_at_a_time_has_it() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let holders = std::sync::atomic::AtomicUsize::new(0);
    let run = || async {
        let held = lock.take("apply", "one", Duration::from_secs(20), |_| ()).await.unwrap();
        let now = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(now, 0, "somebody else has it too");
        tokio::time::sleep(Duration::from_millis(60)).await;
        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        held.release().await.unwrap();
    };
    tokio::join!(run(), run(), run(), run());
}

#[tokio::test]
async fn a_lock_can_be_broken_open() {
    let stage = Stage::new().await;
    let session = stage.session().await;
    let lock = Lock::new(&session, LEASE);
    let held = lock.take("apply", "stuck", Duration::ZERO, |_| ()).await.unwrap();
    assert_eq!(lock.break_open().await.unwrap().unwrap().host, "stuck");
    assert_eq!(lock.break_open().await.unwrap(), None);
    assert_eq!(held.keep().await, None);
}
