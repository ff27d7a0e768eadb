//! No call before its time, and slower where AWS says so.

use super::rates::rate;
use super::*;

fn is_slowed(pacer: &Pacer, service: &str) -> bool {
    pacer.with_lanes(|lanes| lanes.by_service.contains_key(service))
}

async fn seconds_for(pacer: &Pacer, operations: &[&str]) -> f64 {
    let start = Instant::now();
    let calls = operations.iter().map(|operation| pacer.pass("ses", operation));
    futures_util::future::join_all(calls).await;
    start.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn one_operation_is_called_once_a_second() {
    let pacer = Pacer::new(Rates::of_aws());
    let taken = seconds_for(&pacer, &["GetEmailIdentity"; 10]).await;
    assert!((9.0..9.2).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn operations_do_not_wait_for_each_other() {
    let pacer = Pacer::new(Rates::of_aws());
    let taken = seconds_for(&pacer, &["GetEmailIdentity", "GetAccount", "SendEmail"]).await;
    assert!(taken < 0.01, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_used_up_and_then_refilled() {
    let pacer = Pacer::new(Rates::by(|_, _| rate(10.0, 5)));
    let taken = seconds_for(&pacer, &["A"; 5]).await;
    assert!(taken < 0.01, "{taken}");
    let taken = seconds_for(&pacer, &["A"; 10]).await;
    assert!((0.99..1.05).contains(&taken), "{taken}");
}

/// By now AWS counts no call that was made before.
async fn settled() -> Pacer {
    let pacer = Pacer::new(Rates::of_aws());
    let operations = ["CreateEmailIdentity", "GetEmailIdentity", "GetAccount", "ListContacts"];
    seconds_for(&pacer, &operations).await;
    tokio::time::sleep(TOGETHER * 2).await;
    pacer
}

#[tokio::test(start_paused = true)]
async fn first_calls_that_are_throttled_are_put_off_and_show_nothing() {
    let pacer = Pacer::new(Rates::of_aws());
    let operations = ["GetEmailIdentity", "GetAccount", "ListContacts"];
    seconds_for(&pacer, &operations).await;
    for operation in operations {
        assert_eq!(pacer.throttled("ses", operation), None);
    }
    let taken = seconds_for(&pacer, &operations).await;
    assert!((1.0..1.1).contains(&taken), "{taken}");
    assert_eq!(
        pacer
            .throttled("ses", "GetAccount")
            .map(|slowdown| matches!(slowdown, Slowdown::Operation(_))),
        Some(true)
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_first_throttling_is_put_down_to_who_called_before() {
    let pacer = Pacer::new(Rates::of_aws());
    let throttled = async || {
        pacer.pass("route53", "ListHostedZones").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        pacer.throttled("route53", "ListHostedZones")
    };
    assert_eq!(throttled().await, None);
    let second = throttled().await;
    assert!(matches!(second, Some(Slowdown::Operation(_))), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_of_one_operation_alone_slows_only_that_one() {
    let pacer = Pacer::new(Rates::of_aws());
    pacer.pass("ses", "GetEmailIdentity").await;
    pacer.throttled("ses", "GetEmailIdentity");
    assert!(!is_slowed(&pacer, "ses"));
    assert!(seconds_for(&pacer, &["GetAccount"]).await < 0.01);
    assert!(seconds_for(&pacer, &["GetEmailIdentity"]).await > 0.9);
}

#[tokio::test(start_paused = true)]
async fn two_operations_throttled_together_slow_the_whole_service() {
    let pacer = settled().await;
    seconds_for(&pacer, &["CreateEmailIdentity", "GetEmailIdentity", "GetAccount"]).await;
    let first = pacer.throttled("ses", "GetEmailIdentity");
    assert!(matches!(first, Some(Slowdown::Operation(rate)) if rate < 1.0), "{first:?}");
    let second = pacer.throttled("ses", "GetAccount");
    assert!(matches!(second, Some(Slowdown::Service(rate)) if rate > 0.99), "{second:?}");
    assert!(is_slowed(&pacer, "ses"));
    let taken =
        seconds_for(&pacer, &["ListContacts", "GetEmailIdentity", "CreateEmailIdentity"]).await;
    assert!((2.9..3.2).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn a_few_throttled_calls_among_many_are_no_shared_limit() {
    let pacer = settled().await;
    let operations = ["CreateEmailIdentity", "GetEmailIdentity", "GetAccount"];
    for _ in 0..5 {
        seconds_for(&pacer, &operations).await;
    }
    for operation in operations {
        let slowdown = pacer.throttled("ses", operation);
        assert!(matches!(slowdown, Some(Slowdown::Operation(_))), "{slowdown:?}");
    }
    assert!(!is_slowed(&pacer, "ses"));
}

#[tokio::test(start_paused = true)]
async fn whether_a_limit_is_shared_is_tried_anew_after_a_while() {
    let pacer = settled().await;
    let apart = async || seconds_for(&pacer, &["ListContacts", "GetEmailIdentity"]).await;
    let throttle = || {
        pacer.throttled("ses", "GetEmailIdentity");
        pacer.throttled("ses", "ListContacts");
    };
    apart().await;
    throttle();
    tokio::time::sleep(SHARED_FOR / 2).await;
    assert!(apart().await > 0.9);
    tokio::time::sleep(SHARED_FOR).await;
    assert!(apart().await < 0.1);
    throttle();
    // It is what it seemed to be, so it is believed for longer.
    tokio::time::sleep(SHARED_FOR * 3 / 2).await;
    assert!(apart().await > 0.9);
}

#[tokio::test(start_paused = true)]
async fn what_was_slowed_down_recovers_with_calls_that_pass() {
    let pacer = settled().await;
    for _ in 0..2 {
        pacer.pass("ses", "GetEmailIdentity").await;
        pacer.throttled("ses", "GetEmailIdentity");
    }
    let slow = seconds_for(&pacer, &["GetEmailIdentity"; 10]).await;
    assert!((13.0..16.0).contains(&slow), "{slow}");
    seconds_for(&pacer, &["GetEmailIdentity"; 20]).await;
    let recovered = seconds_for(&pacer, &["GetEmailIdentity"; 10]).await;
    assert!((10.0..10.3).contains(&recovered), "{recovered}");
}

#[tokio::test(start_paused = true)]
async fn a_single_throttled_call_slows_hardly_anything() {
    let pacer = settled().await;
    pacer.pass("ses", "GetEmailIdentity").await;
    pacer.throttled("ses", "GetEmailIdentity");
    let taken = seconds_for(&pacer, &["GetEmailIdentity"; 10]).await;
    assert!((10.0..10.5).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn route_53_counts_all_its_operations_together() {
    let pacer = Pacer::new(Rates::of_aws());
    let start = Instant::now();
    for index in 0..24 {
        let operation = ["ListResourceRecordSets", "ChangeResourceRecordSets"][index % 2];
        pacer.pass("route53", operation).await;
    }
    let taken = start.elapsed().as_secs_f64();
    assert!((4.0..4.2).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_takes_nothing() {
    let pacer = Pacer::new(Rates::of_aws());
    pacer.pass("ses", "GetAccount").await;
    let gave_up =
        tokio::time::timeout(Duration::from_millis(100), pacer.pass("ses", "GetAccount")).await;
    assert!(gave_up.is_err());
    let taken = seconds_for(&pacer, &["GetAccount"]).await;
    assert!(taken < 1.0, "{taken}");
}

#[test]
fn unlimited_rates_limit_nothing() {
    assert!(!Rates::unlimited().are_limited());
    assert!(Rates::of_aws().are_limited());
}
