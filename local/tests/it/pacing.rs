//! AWS's rate limits are kept to: nothing is throttled that could have been foreseen, and what is slows the rest down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sesinfra::aws::Rates;
use sesinfra_local::{Effect, Fault, Limits, Options};

use super::account::ACCOUNT;
use super::bench_job::bench;
use super::program::sesinfra_on;
use super::stage::Stage;

async fn stage(limits: Limits) -> Stage {
    let latency = Duration::from_millis(40);
    let options = Options { limits, latency, ..Options::default() };
    let stage = Stage::with(options, Some(Rates::of_aws())).await;
    stage.zone("bench.example").await;
    stage.cloud.calls().clear();
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_throttled_under_limits_that_are_known() {
    let stage = stage(Limits::PerOperation).await;
    let (_, report) = stage.open(&bench(3)).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    stage.expect_nothing(&bench(3)).await;
    assert_eq!(stage.cloud.calls().throttled(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_domains_take_hardly_longer_than_the_slowest_operation_allows() {
    let stage = stage(Limits::PerOperation).await;
    let timed = async |seconds: f64, domains: usize| {
        let start = Instant::now();
        let (_, report) = stage.open(&bench(domains)).await.with_parallelism(16).apply().await;
        let taken = start.elapsed().as_secs_f64();
        assert!(report.is_complete(), "{report:#?}");
        println!("{domains} domains in {taken:.1} s");
        assert!(taken <= seconds, "{taken} s, {:#?}", stage.cloud.calls().counts());
    };
    // Each identity is created, read back and marked, by one call a second for all three.
    timed(14.0, 10).await;
    timed(10.5, 10).await;
    assert_eq!(stage.cloud.calls().throttled(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_command_before_called_puts_off_the_first_calls_and_slows_nothing_down() {
    let stage = stage(Limits::PerOperation).await;
    let once = aws_sdk_sesv2::config::retry::RetryConfig::disabled();
    let config = aws_sdk_sesv2::config::Builder::from(&stage.clients).retry_config(once).build();
    let client = aws_sdk_sesv2::Client::from_conf(config);
    let (identities, sets, account) = tokio::join!(
        client.list_email_identities().send(),
        client.list_configuration_sets().send(),
        client.get_account().send(),
    );
    assert!(identities.is_ok() && sets.is_ok() && account.is_ok());
    let start = Instant::now();
    let (_, report) = stage.open(&bench(1)).await.apply().await;
    let taken = start.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{report:#?}");
    let log = stage.cloud.calls();
    println!("{taken:.1} s, {} throttled", log.throttled());
    // Else there was nothing to put off.
    assert!((1..=3).contains(&log.throttled()), "{} throttled", log.throttled());
    assert!(taken < 6.0, "{taken} s, {:#?}", log.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_turns_out_to_be_shared_slows_the_whole_service() {
    let stage = stage(Limits::SharedPerService).await;
    let start = Instant::now();
    let (_, report) = stage.open(&bench(1)).await.apply().await;
    let taken = start.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{report:#?}");
    let log = stage.cloud.calls();
    let of_ses = log.actions().iter().filter(|action| action.starts_with("ses:")).count();
    println!("{of_ses} calls, {} throttled, {taken:.1} s", log.throttled());
    // The command before may have made the first calls too, so only what is throttled after those tells anybody, and then
    // each call under way may be.
    assert!(log.throttled() <= 7, "{} of {of_ses} calls throttled", log.throttled());
    let needed = f64::from(u32::try_from(of_ses - log.throttled()).unwrap());
    assert!(taken <= needed * 1.1 + 2.0, "{needed} calls took {taken} s");
}

/// Reads an identity every two seconds, whatever becomes of it, as another program in the account would; and how often.
fn second_client(stage: &Stage) -> (tokio::task::JoinHandle<()>, Arc<AtomicUsize>) {
    let once = aws_sdk_sesv2::config::retry::RetryConfig::disabled();
    let config = aws_sdk_sesv2::config::Builder::from(&stage.clients).retry_config(once).build();
    let client = aws_sdk_sesv2::Client::from_conf(config);
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let task = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(2));
        loop {
            every.tick().await;
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = client.get_email_identity().email_identity("other.example").send().await;
        }
    });
    (task, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_second_client_that_takes_half_the_calls_it_ends_without_a_storm() {
    let calm = stage(Limits::None).await;
    let (_, report) = calm.open(&bench(12)).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    let needed = calm.cloud.calls().total();

    let stage = stage(Limits::PerOperation).await;
    let (other, of_the_other) = second_client(&stage);
    let (_, report) = stage.open(&bench(12)).await.apply().await;
    other.abort();
    assert!(report.is_complete(), "{report:#?}");
    let made = stage.cloud.calls().total() - of_the_other.load(Ordering::Relaxed);
    println!("{needed} calls needed, {made} made, {} throttled", stage.cloud.calls().throttled());
    assert!(made * 5 <= needed * 6, "{needed} calls needed, {made} made");
}

#[tokio::test]
async fn what_is_throttled_is_said_once() {
    let stage = Stage::new().await;
    stage.check("").unwrap();
    // The first is put off, as if somebody had just made the same call.
    for nth in [1, 2, 3] {
        stage.cloud.faults().arm(Fault::nth("route53:ListHostedZones", nth, Effect::Throttle));
    }
    stage.zone("pivot.example").await;
    let arguments = ["plan", "test"];
    let ran = sesinfra_on(&stage.cloud, ACCOUNT, &stage.root, &arguments, |host| {
        host.access.rates = Some(Rates::of_aws());
    })
    .await;
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let said = "AWS throttles route53:ListHostedZones: others in this account make the same calls. Going on with ";
    assert_eq!(ran.errors.matches(said).count(), 1, "{}", ran.errors);
}
