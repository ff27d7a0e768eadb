//! The log, faults, limits, latency and stale reads.

use std::time::{Duration, Instant};

use sesinfra_local::{Effect, Fault, Limits, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud, code};

#[tokio::test]
async fn the_log_holds_every_call_in_order() {
    let cloud = cloud(Options::default()).await;
    let config = administrator(&cloud, ACCOUNT);
    let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(ACCOUNT));
    let topics = aws_sdk_sns::Client::new(&config);
    topics.create_topic().name("feedback").send().await.unwrap();
    let missing = topics
        .get_topic_attributes()
        .topic_arn(format!("arn:aws:sns:{REGION}:{ACCOUNT}:no"))
        .send()
        .await;
    assert_eq!(code(missing), "NotFound");
    assert_eq!(
        cloud.calls().actions(),
        ["sts:GetCallerIdentity", "sns:CreateTopic", "sns:GetTopicAttributes"]
    );
    assert_eq!(cloud.calls().writes(), ["sns:CreateTopic"]);
    let last = cloud.calls().entries().pop().unwrap();
    assert_eq!((last.status, last.error.as_deref()), (Some(404), Some("NotFound")));
    assert_eq!((last.account.as_str(), last.region.as_str()), (ACCOUNT, REGION));
}

#[tokio::test]
async fn a_refused_call_has_no_effect_and_a_lost_one_has() {
    let cloud = cloud(Options::default()).await;
    let topics = aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT));
    cloud.faults().arm(Fault::nth("sns:CreateTopic", 1, Effect::Refuse));
    assert_eq!(code(topics.create_topic().name("one").send().await), "no answer");
    assert!(topics.list_topics().send().await.unwrap().topics().is_empty());
    cloud.faults().arm(Fault::nth("sns:CreateTopic", 1, Effect::LoseResponse));
    assert_eq!(code(topics.create_topic().name("one").send().await), "no answer");
    assert_eq!(topics.list_topics().send().await.unwrap().topics().len(), 1);
}

#[tokio::test]
async fn a_hanging_call_can_be_cut_off_at_exactly_that_point() {
    let cloud = cloud(Options::default()).await;
    let topics = aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT));
    cloud.faults().arm(Fault::nth("sns:CreateTopic", 2, Effect::HangAfter));
    let work = async {
        for name in ["one", "two", "three"] {
            topics.create_topic().name(name).send().await.unwrap();
        }
    };
    tokio::select! {
        () = work => unreachable!("the second call hangs"),
        () = cloud.faults().struck() => {}
    }
    assert_eq!(topics.list_topics().send().await.unwrap().topics().len(), 2);
}

#[tokio::test]
async fn each_service_answers_faults_in_its_own_words() {
    let cloud = cloud(Options::default()).await;
    let config = administrator(&cloud, ACCOUNT);
    let (topics, queues) = (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config));
    let (zones, parameters) =
        (aws_sdk_route53::Client::new(&config), aws_sdk_ssm::Client::new(&config));
    let mut codes = Vec::new();
    for effect in [Effect::Throttle, Effect::ServerError, Effect::Deny, Effect::ExpireToken] {
        for action in
            ["sns:ListTopics", "sqs:ListQueues", "route53:ListHostedZones", "ssm:GetParameter"]
        {
            cloud.faults().arm(Fault::nth(action, 1, effect));
        }
        codes.push([
            code(topics.list_topics().send().await),
            code(queues.list_queues().send().await),
            code(zones.list_hosted_zones().send().await),
            code(parameters.get_parameter().name("x").send().await),
        ]);
    }
    assert_eq!(codes[0], ["Throttled", "RequestThrottled", "Throttling", "ThrottlingException"]);
    assert_eq!(codes[1], ["InternalFailure"; 4]);
    assert_eq!(
        codes[2],
        ["AuthorizationError", "AccessDeniedException", "AccessDenied", "AccessDeniedException"]
    );
    assert_eq!(
        codes[3],
        ["ExpiredToken", "ExpiredTokenException", "ExpiredToken", "ExpiredTokenException"]
    );
}

#[tokio::test]
async fn limits_throttle_and_the_log_says_so() {
    let cloud = cloud(Options { limits: Limits::PerOperation, ..Options::default() }).await;
    let zones = aws_sdk_route53::Client::new(&administrator(&cloud, ACCOUNT));
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(code(zones.list_hosted_zones().send().await));
    }
    assert!(codes[..5].iter().all(|code| code == "none"), "{codes:?}");
    assert!(codes[5..].contains(&"Throttling".to_owned()), "{codes:?}");
    assert!(cloud.calls().throttled() > 0);
}

#[tokio::test]
async fn answers_take_as_long_as_told() {
    let cloud = cloud(Options { latency: Duration::from_millis(40), ..Options::default() }).await;
    let start = Instant::now();
    aws_sdk_sts::Client::new(&administrator(&cloud, ACCOUNT))
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn reads_lag_behind_writes() {
    let cloud = cloud(Options { stale_reads: Duration::from_mins(1), ..Options::default() }).await;
    let topics = aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("one").send().await.unwrap();
    assert!(topics.list_topics().send().await.unwrap().topics().is_empty());
    cloud.change(|options| options.stale_reads = Duration::ZERO);
    assert_eq!(topics.list_topics().send().await.unwrap().topics().len(), 1);
}

#[tokio::test]
async fn a_served_cloud_is_controlled_over_http() {
    let cloud = cloud(Options::default()).await;
    let topics = aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT));
    let answer =
        control(&cloud, "POST", "faults", r#"{"action":"sns:*","effect":"throttle"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(code(topics.list_topics().send().await), "Throttled");
    let answer = control(&cloud, "GET", "calls", "").await;
    assert!(answer.contains(r#""sns:ListTopics":1"#), "{answer}");
    let answer = control(&cloud, "PATCH", "options", r#"{"latency":0.01,"colour":"red"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = control(&cloud, "PATCH", "options", r#"{"limits":"per-operation"}"#).await;
    assert!(answer.contains("per-operation"), "{answer}");
    let answer = control(&cloud, "POST", "clock", r#"{"advance":3600}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// One plain HTTP request to the cloud's own controls.
async fn control(cloud: &sesinfra_local::Cloud, method: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = cloud.endpoint().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} /_local/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
