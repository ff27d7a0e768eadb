//! How many calls the job called *bench* takes: N domains in one zone, one set, two SNS destinations, two topics, one send
//! policy. Calls do not depend on the machine, so they are budgets that a test can hold.

use crate::it::stage::Stage;

/// The environment of *bench* with `domains` domains.
pub(crate) fn bench(domains: usize) -> String {
    let mut text = String::from(
        r#"
[configuration_sets.transactional]
tls = "require"
suppress = ["bounce", "complaint"]
[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"
[configuration_sets.transactional.events.deliveries]
types = ["delivery"]
topic = "ses-deliveries"
[topics.ses-feedback]
[topics.ses-deliveries]
[send_policies.api]
from = ["*@*.bench.example"]
"#,
    );
    for index in 1..=domains {
        text += &format!(
            r#"
[identities."d{index}.bench.example"]
configuration_set = "transactional"
mail_from = {{ subdomain = "mail" }}
dmarc = {{ policy = "quarantine", reports_to = ["dmarc@d{index}.bench.example"] }}
feedback_forwarding = false
"#
        );
    }
    text
}

#[tokio::test]
async fn ten_domains_take_at_most_a_hundred_calls_to_make_and_28_to_plan_again() {
    let stage = Stage::new().await;
    stage.zone("bench.example").await;
    let log = stage.cloud.calls();
    let environment = bench(10);

    log.clear();
    let (_, report) = stage.open(&environment).await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    let making = log.total();
    assert!(making <= 100, "{making} calls: {:#?}", log.counts());

    log.clear();
    stage.expect_nothing(&environment).await;
    let planning = log.total();
    assert!(planning <= 28, "{planning} calls: {:#?}", log.counts());
    assert!(log.writes().is_empty(), "a plan writes nothing: {:?}", log.writes());
}
