//! The option groups of a configuration set, between specs and what SES takes and gives.
//!
//! Invariant: a Put replaces its whole group, so every group is built whole from the wanted spec, and what SES leaves out
//! of an answer is read as the default that it stands for.

use std::collections::BTreeSet;

use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::types::{
    ArchivingOptions, DashboardOptions, DeliveryOptions, FeatureStatus, GuardianOptions,
    ReputationOptions, SendingOptions, SuppressionConditionThreshold,
    SuppressionConfidenceThreshold, SuppressionConfidenceVerdictThreshold, SuppressionListReason,
    SuppressionListScope, SuppressionOptions, SuppressionValidationOptions, TlsPolicy, VdmOptions,
};

use super::{Delivery, Spec, Suppression, Vdm};
use crate::engine::BoxError;

/// TLS where the receiver has it: SES's own default, which it leaves out of answers.
const OPTIONAL: &str = "optional";

pub(super) fn delivery(spec: &Delivery) -> DeliveryOptions {
    DeliveryOptions::builder()
        .tls_policy(TlsPolicy::from(spec.tls.to_uppercase().as_str()))
        .set_sending_pool_name(spec.pool.clone())
        // Left out, never 0, when unset: SES refuses 0.
        .set_max_delivery_seconds(spec.max_delivery_seconds.map(i64::from))
        .build()
}

pub(super) fn sending(spec: &Spec) -> SendingOptions {
    SendingOptions::builder().sending_enabled(spec.sending).build()
}

pub(super) fn reputation(spec: &Spec) -> ReputationOptions {
    ReputationOptions::builder().reputation_metrics_enabled(spec.reputation_metrics).build()
}

/// The members of the suppression group; all `None` means "as the account says".
pub(super) struct SuppressionMembers {
    pub(super) reasons: Option<Vec<SuppressionListReason>>,
    pub(super) scope: Option<SuppressionListScope>,
    pub(super) validation: Option<SuppressionValidationOptions>,
}

pub(super) fn suppression(spec: Option<&Suppression>) -> Result<SuppressionMembers, BoxError> {
    let Some(spec) = spec else {
        return Ok(SuppressionMembers { reasons: None, scope: None, validation: None });
    };
    let reason = |text: &String| SuppressionListReason::from(text.to_uppercase().as_str());
    let scope = |text: &String| SuppressionListScope::from(text.to_uppercase().as_str());
    Ok(SuppressionMembers {
        // An empty list is not the same as none: it turns suppression off for the set.
        reasons: Some(spec.reasons.iter().map(reason).collect()),
        scope: spec.scope.as_ref().map(scope),
        validation: spec.validation.as_deref().map(validation).transpose()?,
    })
}

/// The suppression group of a create; absent where the account decides. SES answers a group without a list with an
/// internal failure, so the list is always there.
pub(super) fn suppression_options(
    spec: Option<&Suppression>,
) -> Result<Option<SuppressionOptions>, BoxError> {
    if spec.is_none() {
        return Ok(None);
    }
    let members = suppression(spec)?;
    let options = SuppressionOptions::builder()
        .set_suppressed_reasons(members.reasons)
        .set_suppression_scope(members.scope)
        .set_validation_options(members.validation);
    Ok(Some(options.build()))
}

fn validation(threshold: &str) -> Result<SuppressionValidationOptions, BoxError> {
    let condition = SuppressionConditionThreshold::builder();
    let condition = if threshold == "off" {
        condition.condition_threshold_enabled(FeatureStatus::Disabled)
    } else {
        let verdict =
            SuppressionConfidenceVerdictThreshold::from(threshold.to_uppercase().as_str());
        let confidence = SuppressionConfidenceThreshold::builder()
            .confidence_verdict_threshold(verdict)
            .build()?;
        condition
            .condition_threshold_enabled(FeatureStatus::Enabled)
            .overall_confidence_threshold(confidence)
    };
    Ok(SuppressionValidationOptions::builder().condition_threshold(condition.build()?).build())
}

pub(super) fn vdm(spec: Option<&Vdm>) -> VdmOptions {
    let status = |on: bool| if on { FeatureStatus::Enabled } else { FeatureStatus::Disabled };
    let dashboard = spec
        .and_then(|vdm| vdm.engagement)
        .map(|on| DashboardOptions::builder().engagement_metrics(status(on)).build());
    let guardian = spec
        .and_then(|vdm| vdm.optimized_delivery)
        .map(|on| GuardianOptions::builder().optimized_shared_delivery(status(on)).build());
    VdmOptions::builder().set_dashboard_options(dashboard).set_guardian_options(guardian).build()
}

pub(super) fn archiving(archive: Option<&String>) -> ArchivingOptions {
    ArchivingOptions::builder().set_archive_arn(archive.cloned()).build()
}

/// What SES says, as it would be declared; tags are left to the caller.
pub(super) fn read(output: &GetConfigurationSetOutput) -> Spec {
    let delivery = output.delivery_options.as_ref();
    Spec {
        default_of: BTreeSet::new(),
        delivery: Delivery {
            tls: delivery
                .and_then(|it| it.tls_policy.as_ref())
                .map_or_else(|| OPTIONAL.to_owned(), |policy| policy.as_str().to_lowercase()),
            pool: delivery.and_then(|it| text(it.sending_pool_name.as_deref())),
            max_delivery_seconds: delivery
                .and_then(|it| it.max_delivery_seconds)
                .and_then(|seconds| u32::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0),
        },
        // Both groups are always there on a set made by this API; absent, they are on.
        sending: output.sending_options.as_ref().is_none_or(|it| it.sending_enabled),
        reputation_metrics: output
            .reputation_options
            .as_ref()
            .is_none_or(|it| it.reputation_metrics_enabled),
        suppression: output.suppression_options.as_ref().and_then(read_suppression),
        vdm: output.vdm_options.as_ref().and_then(read_vdm),
        archive: output.archiving_options.as_ref().and_then(|it| text(it.archive_arn.as_deref())),
        tags: super::reading::Tags::new(),
    }
}

/// Three states: no group, or a group without a list, inherits; an empty list turns suppression off; a list overrides.
fn read_suppression(options: &SuppressionOptions) -> Option<Suppression> {
    let reasons = options.suppressed_reasons.as_ref()?;
    let word = |text: &str| text.to_lowercase();
    Some(Suppression {
        reasons: reasons.iter().map(|reason| word(reason.as_str())).collect::<BTreeSet<_>>(),
        scope: options.suppression_scope.as_ref().map(|scope| word(scope.as_str())),
        validation: options
            .validation_options
            .as_ref()
            .and_then(|it| it.condition_threshold.as_ref())
            .map(read_validation),
    })
}

fn read_validation(condition: &SuppressionConditionThreshold) -> String {
    // A threshold that is switched off is given back with its old value, which means nothing.
    if condition.condition_threshold_enabled != FeatureStatus::Enabled {
        return "off".to_owned();
    }
    condition.overall_confidence_threshold.as_ref().map_or_else(
        || "managed".to_owned(),
        |it| it.confidence_verdict_threshold.as_str().to_lowercase(),
    )
}

fn read_vdm(options: &VdmOptions) -> Option<Vdm> {
    let is_on = |status: &FeatureStatus| *status == FeatureStatus::Enabled;
    let engagement =
        options.dashboard_options.as_ref().and_then(|it| it.engagement_metrics.as_ref());
    let optimized = options.guardian_options.as_ref();
    let optimized = optimized.and_then(|it| it.optimized_shared_delivery.as_ref());
    let vdm = Vdm { engagement: engagement.map(is_on), optimized_delivery: optimized.map(is_on) };
    (vdm != Vdm::default()).then_some(vdm)
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(spec: &Spec) -> GetConfigurationSetOutput {
        GetConfigurationSetOutput::builder()
            .delivery_options(delivery(&spec.delivery))
            .sending_options(sending(spec))
            .reputation_options(reputation(spec))
            .set_suppression_options(suppression_options(spec.suppression.as_ref()).unwrap())
            .vdm_options(vdm(spec.vdm.as_ref()))
            .archiving_options(archiving(spec.archive.as_ref()))
            .build()
    }

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        for spec in super::super::documented::examples() {
            let mut read = read(&output(&spec));
            read.tags = spec.tags.clone();
            read.default_of = spec.default_of.clone();
            assert_eq!(read, spec);
        }
    }

    #[test]
    fn a_set_of_which_ses_says_nothing_has_its_defaults() {
        let spec = read(&GetConfigurationSetOutput::builder().build());
        assert_eq!(spec.delivery.tls, "optional");
        assert!(spec.sending && spec.reputation_metrics);
        assert_eq!((spec.suppression, spec.vdm, spec.archive), (None, None, None));
    }

    #[test]
    fn suppression_keeps_its_three_states_apart() {
        assert!(suppression_options(None).unwrap().is_none());
        let off = Suppression::default();
        let options = suppression_options(Some(&off)).unwrap().unwrap();
        assert_eq!(options.suppressed_reasons, Some(Vec::new()));
        assert_eq!(read_suppression(&options), Some(off));
        assert_eq!(read_suppression(&SuppressionOptions::builder().build()), None);
    }

    #[test]
    fn a_threshold_that_is_off_is_not_compared() {
        let confidence = SuppressionConfidenceThreshold::builder()
            .confidence_verdict_threshold(SuppressionConfidenceVerdictThreshold::High)
            .build()
            .unwrap();
        let condition = SuppressionConditionThreshold::builder()
            .condition_threshold_enabled(FeatureStatus::Disabled)
            .overall_confidence_threshold(confidence)
            .build()
            .unwrap();
        assert_eq!(read_validation(&condition), "off");
    }
}
