//! Configuration sets: every group of options.

use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::types::{
    DeliveryOptions, FeatureStatus, SuppressionConfidenceVerdictThreshold as Verdict,
    SuppressionListReason, SuppressionListScope, TlsPolicy,
};

use super::{own_tags, tags};
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

fn file(rest: &str) -> String {
    format!("[configuration_sets.main]\n{rest}")
}

#[tokio::test]
async fn delivery_is_set_changed_and_unset_each_part_on_its_own() {
    let stage = Stage::new().await;
    for pool in ["dedicated", "other"] {
        stage.ses().create_dedicated_ip_pool().pool_name(pool).send().await.unwrap();
    }
    for (text, tls, pool, seconds) in [
        ("", TlsPolicy::Optional, None, None),
        ("tls = \"require\"", TlsPolicy::Require, None, None),
        ("tls = \"require\"\npool = \"dedicated\"", TlsPolicy::Require, Some("dedicated"), None),
        (
            "tls = \"require\"\npool = \"other\"\nmax_delivery = \"5m\"",
            TlsPolicy::Require,
            Some("other"),
            Some(300),
        ),
        (
            "pool = \"other\"\nmax_delivery = \"14h\"",
            TlsPolicy::Optional,
            Some("other"),
            Some(50_400),
        ),
        ("tls = \"optional\"\nmax_delivery = \"1h\"", TlsPolicy::Optional, None, Some(3_600)),
        ("", TlsPolicy::Optional, None, None),
    ] {
        stage.converge(&file(text)).await;
        let set = stage.set("main").await;
        let delivery = set.delivery_options();
        assert_eq!(
            delivery.and_then(|it| it.tls_policy()).unwrap_or(&TlsPolicy::Optional),
            &tls,
            "{text}"
        );
        assert_eq!(delivery.and_then(|it| it.sending_pool_name()), pool, "{text}");
        assert_eq!(delivery.and_then(DeliveryOptions::max_delivery_seconds), seconds, "{text}");
        assert!(set.sending_options().unwrap().sending_enabled, "{text}");
    }
}

#[tokio::test]
async fn sending_and_metrics_are_switched_each_on_its_own() {
    let stage = Stage::new().await;
    for (text, sending, metrics) in [
        ("sending = false\nreputation_metrics = false", false, false),
        ("reputation_metrics = false", true, false),
        ("sending = false", false, true),
        ("", true, true),
        ("sending = true\nreputation_metrics = true", true, true),
    ] {
        stage.converge(&file(text)).await;
        let set = stage.set("main").await;
        assert_eq!(set.sending_options().unwrap().sending_enabled, sending, "{text}");
        let reputation = set.reputation_options().unwrap();
        assert_eq!(reputation.reputation_metrics_enabled, metrics, "{text}");
    }
}

/// Suppression as SES has it: reasons, scope, and threshold if there is a condition.
type Suppression = (
    Vec<SuppressionListReason>,
    Option<SuppressionListScope>,
    Option<(FeatureStatus, Option<Verdict>)>,
);

fn suppression(set: &GetConfigurationSetOutput) -> Option<Suppression> {
    let options = set.suppression_options()?;
    let mut reasons = options.suppressed_reasons.clone()?;
    reasons.sort();
    let condition = options.validation_options().and_then(|it| it.condition_threshold());
    let condition = condition.map(|it| {
        let verdict = it.overall_confidence_threshold();
        let verdict = verdict.map(|it| it.confidence_verdict_threshold().clone());
        let enabled = it.condition_threshold_enabled().clone();
        // A threshold that is off means nothing, whatever it was.
        let verdict = verdict.filter(|_| enabled == FeatureStatus::Enabled);
        (enabled, verdict)
    });
    Some((reasons, options.suppression_scope.clone(), condition))
}

#[tokio::test]
async fn suppression_goes_through_its_states_and_thresholds() {
    let stage = Stage::new().await;
    let (bounce, complaint) = (SuppressionListReason::Bounce, SuppressionListReason::Complaint);
    let on = |verdict: Verdict| Some((FeatureStatus::Enabled, Some(verdict)));
    let both = || vec![bounce.clone(), complaint.clone()];
    let with = |threshold: &str| {
        format!(
            "suppress = [\"bounce\", \"complaint\"]\nvalidation = {{ threshold = \"{threshold}\" }}"
        )
    };
    for (text, wanted) in [
        (String::new(), None),
        ("suppress = []".to_owned(), Some((vec![], None, None))),
        ("suppress = [\"bounce\"]".to_owned(), Some((vec![bounce.clone()], None, None))),
        (
            "suppress = [\"bounce\", \"complaint\"]\nsuppression_scope = \"tenant\"".to_owned(),
            Some((both(), Some(SuppressionListScope::Tenant), None)),
        ),
        (
            "suppress = [\"complaint\"]\nsuppression_scope = \"account\"".to_owned(),
            Some((vec![complaint.clone()], Some(SuppressionListScope::Account), None)),
        ),
        (with("medium"), Some((both(), None, on(Verdict::Medium)))),
        (with("high"), Some((both(), None, on(Verdict::High)))),
        (with("managed"), Some((both(), None, on(Verdict::Managed)))),
        (with("off"), Some((both(), None, Some((FeatureStatus::Disabled, None))))),
        ("suppress = [\"bounce\", \"complaint\"]".to_owned(), Some((both(), None, None))),
        ("suppress = []".to_owned(), Some((vec![], None, None))),
        (String::new(), None),
    ] {
        stage.converge(&file(&text)).await;
        assert_eq!(suppression(&stage.set("main").await), wanted, "{text}");
    }
    for text in ["suppress = []".to_owned(), with("managed"), with("off")] {
        stage.converge("").await;
        stage.converge(&file(&text)).await;
        assert!(suppression(&stage.set("main").await).is_some(), "{text}");
    }
}

#[tokio::test]
async fn dashboard_and_shared_delivery_are_on_off_or_the_accounts() {
    let stage = Stage::new().await;
    let (on, off) = (Some(FeatureStatus::Enabled), Some(FeatureStatus::Disabled));
    for (text, engagement, optimized) in [
        ("vdm = { engagement = true, optimized_delivery = false }", &on, &off),
        ("vdm = { engagement = false }", &off, &None),
        ("vdm = { optimized_delivery = true }", &None, &on),
        ("vdm = {}", &None, &None),
        ("vdm = { engagement = true }", &on, &None),
        ("", &None, &None),
    ] {
        stage.converge(&file(text)).await;
        let set = stage.set("main").await;
        let vdm = set.vdm_options();
        let found =
            vdm.and_then(|it| it.dashboard_options()).and_then(|it| it.engagement_metrics());
        assert_eq!(found, engagement.as_ref(), "{text}");
        let found = vdm.and_then(|it| it.guardian_options());
        let found = found.and_then(|it| it.optimized_shared_delivery());
        assert_eq!(found, optimized.as_ref(), "{text}");
    }
}

#[tokio::test]
async fn the_archive_and_the_tags_are_set_changed_and_unset() {
    let stage = Stage::new().await;
    let arn = |letter: &str| {
        format!("arn:aws:ses:{REGION}:{ACCOUNT}:mailmanager-archive/a-{}", letter.repeat(26))
    };
    for (archived, own) in
        [(Some(arn("a")), "mail"), (Some(arn("b")), "api"), (None, ""), (Some(arn("a")), "")]
    {
        let archive = archived.as_ref().map(|archive| format!("archive = \"{archive}\"\n"));
        let tag = (!own.is_empty()).then(|| format!("tags = {{ team = \"{own}\" }}\n"));
        let text = [archive, tag].into_iter().flatten().collect::<String>();
        stage.converge(&file(&text)).await;
        let set = stage.set("main").await;
        let found = set.archiving_options().and_then(|it| it.archive_arn());
        assert_eq!(found, archived.as_deref(), "{text}");
        let wanted = if own.is_empty() { tags([]) } else { tags([("team", own)]) };
        assert_eq!(own_tags(set.tags()), wanted, "{text}");
    }
}

#[tokio::test]
async fn a_set_is_made_with_everything_at_once() {
    let stage = Stage::new().await;
    stage.ses().create_dedicated_ip_pool().pool_name("dedicated").send().await.unwrap();
    let all = format!(
        "tls = \"require\"\npool = \"dedicated\"\nmax_delivery = \"1h\"\nsending = false\nreputation_metrics = false\n\
         suppress = [\"bounce\"]\nsuppression_scope = \"account\"\nvalidation = {{ threshold = \"high\" }}\n\
         vdm = {{ engagement = true, optimized_delivery = true }}\n\
         archive = \"arn:aws:ses:{REGION}:{ACCOUNT}:mailmanager-archive/a-{}\"\ntags = {{ team = \"mail\" }}",
        "a".repeat(26)
    );
    stage.converge(&file(&all)).await;
    let set = stage.set("main").await;
    assert_eq!(set.delivery_options().unwrap().max_delivery_seconds(), Some(3_600));
    assert!(!set.sending_options().unwrap().sending_enabled);
    assert!(!set.reputation_options().unwrap().reputation_metrics_enabled);
    // Made in one call; what follows is the digest of what was read back.
    let writes = stage.cloud.calls().writes();
    let sets: Vec<_> = writes.iter().filter(|call| call.contains("ConfigurationSet")).collect();
    assert_eq!(sets, ["ses:CreateConfigurationSet"], "{writes:?}");
}
