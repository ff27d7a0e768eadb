//! The groups of options of a configuration set. Every Put replaces its whole group; an empty one clears it.

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, put};
use super::errors::{Reply, bad_request, constraint};
use super::input::{Choice, Input, choices};
use super::sets::found;
use super::{dns, verification};

choices! {
    /// A feature that is on or off.
    Feature { Disabled = "DISABLED", Enabled = "ENABLED" }
}
choices! {
    /// Whether mail may go out unencrypted.
    TlsPolicy { Optional = "OPTIONAL", Require = "REQUIRE" }
}
choices! {
    /// Which rewritten links use HTTPS.
    HttpsPolicy { Optional = "OPTIONAL", Require = "REQUIRE", RequireOpenOnly = "REQUIRE_OPEN_ONLY" }
}
choices! {
    /// Why an address is on a suppression list.
    Reason { Bounce = "BOUNCE", Complaint = "COMPLAINT" }
}
choices! {
    /// Whose suppression list counts.
    Scope { Account = "ACCOUNT", Tenant = "TENANT" }
}
choices! {
    /// How sure the validation of an address must be.
    Confidence { High = "HIGH", Managed = "MANAGED", Medium = "MEDIUM" }
}

type Group<T> = Result<Option<T>, AwsServiceError>;

/// Links and open pixels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tracking {
    domain: String,
    https: HttpsPolicy,
}

impl Tracking {
    pub(super) fn shown(&self) -> Value {
        json!({ "CustomRedirectDomain": self.domain, "HttpsPolicy": self.https.text() })
    }
}

/// What a request says, before anything is looked up.
pub(super) fn read_tracking(input: &Input<'_>) -> Group<Tracking> {
    let (domain, https) = (input.text("CustomRedirectDomain")?, input.choice("HttpsPolicy")?);
    match (domain, https) {
        (None, None) => Ok(None),
        (None | Some(""), _) => Err(bad_request("CustomRedirectDomain must be specified.")),
        (Some(domain), https) => Ok(Some(Tracking {
            domain: dns::host(domain),
            https: https.unwrap_or(HttpsPolicy::Optional),
        })),
    }
}

/// The domain must be a verified identity, or below one.
pub(super) fn tracking(call: &mut Call<'_>, input: &Input<'_>) -> Group<Tracking> {
    let Some(options) = read_tracking(input)? else { return Ok(None) };
    if !is_verified(call, &options.domain) {
        let domain = &options.domain;
        return Err(bad_request(format!("Domain {domain} is not verified under this account.")));
    }
    Ok(Some(options))
}

fn is_verified(call: &mut Call<'_>, domain: &str) -> bool {
    let mut rest = Some(domain);
    while let Some(name) = rest {
        verification::refresh(call, name);
        if call.here().identities.get(name).is_some_and(|identity| identity.verified) {
            return true;
        }
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    false
}

/// How mail leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    tls: Option<TlsPolicy>,
    pool: Option<String>,
    seconds: Option<i64>,
}

impl Delivery {
    /// The pool of addresses that mail leaves from.
    pub(super) fn pool(&self) -> Option<&str> {
        self.pool.as_deref()
    }

    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({});
        put(&mut shown, "TlsPolicy", self.tls.map(Choice::text));
        put(&mut shown, "SendingPoolName", self.pool.clone());
        put(&mut shown, "MaxDeliverySeconds", self.seconds);
        shown
    }
}

/// What a request says, before anything is looked up.
pub(super) fn read_delivery(input: &Input<'_>) -> Group<Delivery> {
    let tls = input.choice("TlsPolicy")?;
    let pool = input.text("SendingPoolName")?;
    let seconds = input.integer("MaxDeliverySeconds")?;
    if let Some(seconds) = seconds.filter(|seconds| !(300..=50_400).contains(seconds)) {
        let rule = if seconds < 300 {
            "Member must have value greater than or equal to 300"
        } else {
            "Member must have value less than or equal to 50400"
        };
        return Err(constraint(&format!("'{seconds}'"), "maxDeliverySeconds", rule));
    }
    if pool.is_some_and(|pool| pool.trim().is_empty()) {
        return Err(bad_request("sendingPoolName can't be blank."));
    }
    let options = Delivery { tls, pool: pool.map(str::to_owned), seconds };
    let is_empty = options.tls.is_none() && options.pool.is_none() && options.seconds.is_none();
    Ok((!is_empty).then_some(options))
}

/// The pool must exist.
pub(super) fn delivery(call: &mut Call<'_>, input: &Input<'_>) -> Group<Delivery> {
    let options = read_delivery(input)?;
    let pool = options.as_ref().and_then(Delivery::pool);
    if let Some(pool) = pool.filter(|pool| !call.here().pools.contains_key(*pool)) {
        return Err(bad_request(format!("SendingPool {pool} doesn't exist")));
    }
    Ok(options)
}

/// Whether addresses on a suppression list are left out. Absent, the account's (or tenant's) setting holds; with no
/// reason, none is left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Suppression {
    pub(super) reasons: Option<Vec<Reason>>,
    pub(super) scope: Option<Scope>,
    validation: Option<Validation>,
}

impl Suppression {
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({});
        put(&mut shown, "SuppressedReasons", self.reasons.as_deref().map(texts));
        put(&mut shown, "SuppressionScope", self.scope.map(Choice::text));
        put(&mut shown, "ValidationOptions", self.validation.as_ref().map(Validation::shown));
        shown
    }
}

/// Reasons without repetition, in the order in which the service shows them.
pub(super) fn reasons(input: &Input<'_>) -> Result<Option<Vec<Reason>>, AwsServiceError> {
    let Some(mut reasons) = input.choices::<Reason>("SuppressedReasons")? else { return Ok(None) };
    reasons.sort_unstable();
    reasons.dedup();
    Ok(Some(reasons))
}

pub(super) fn texts<C: Choice>(choices: &[C]) -> Vec<&'static str> {
    choices.iter().map(|choice| choice.text()).collect()
}

pub(super) fn suppression(call: &mut Call<'_>, input: &Input<'_>) -> Group<Suppression> {
    let options = Suppression {
        reasons: reasons(input)?,
        scope: input.choice("SuppressionScope")?,
        validation: input
            .object("ValidationOptions")?
            .map(|block| validation(&block))
            .transpose()?
            .flatten(),
    };
    let is_empty =
        options.reasons.is_none() && options.scope.is_none() && options.validation.is_none();
    match (is_empty, call.settings.choices.empty_suppression_inherits) {
        (true, true) => Ok(None),
        (true, false) => Ok(Some(Suppression { reasons: Some(Vec::new()), ..options })),
        (false, _) => Ok(Some(options)),
    }
}

/// Auto Validation. Its threshold stays where it was when it is switched off, and is still shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Validation {
    enabled: Feature,
    threshold: Option<Confidence>,
}

impl Validation {
    pub(super) fn shown(&self) -> Value {
        let mut condition = json!({ "ConditionThresholdEnabled": self.enabled.text() });
        let threshold = self.threshold.unwrap_or(Confidence::Managed);
        put(
            &mut condition,
            "OverallConfidenceThreshold",
            Some(json!({ "ConfidenceVerdictThreshold": threshold.text() })),
        );
        json!({ "ConditionThreshold": condition })
    }
}

pub(super) fn validation(input: &Input<'_>) -> Group<Validation> {
    let Some(condition) = input.object("ConditionThreshold")? else { return Ok(None) };
    let enabled = condition.required_choice("ConditionThresholdEnabled")?;
    let threshold = condition.object("OverallConfidenceThreshold")?;
    let threshold = threshold.map(|block| block.required_choice("ConfidenceVerdictThreshold"));
    Ok(Some(Validation { enabled, threshold: threshold.transpose()? }))
}

/// Virtual Deliverability Manager for one set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Vdm {
    engagement: Option<Feature>,
    shared_delivery: Option<Feature>,
}

impl Vdm {
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({});
        let engagement = self.engagement.map(|on| json!({ "EngagementMetrics": on.text() }));
        let shared = self.shared_delivery.map(|on| json!({ "OptimizedSharedDelivery": on.text() }));
        put(&mut shown, "DashboardOptions", engagement);
        put(&mut shown, "GuardianOptions", shared);
        shown
    }
}

pub(super) fn vdm(input: &Input<'_>) -> Group<Vdm> {
    let dashboard = input.object("DashboardOptions")?;
    let guardian = input.object("GuardianOptions")?;
    let engagement =
        dashboard.map(|block| block.choice("EngagementMetrics")).transpose()?.flatten();
    let shared =
        guardian.map(|block| block.choice("OptimizedSharedDelivery")).transpose()?.flatten();
    let is_empty = engagement.is_none() && shared.is_none();
    Ok((!is_empty).then_some(Vdm { engagement, shared_delivery: shared }))
}

/// Where sent mail is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Archiving {
    arn: String,
}

impl Archiving {
    pub(super) fn shown(&self) -> Value {
        json!({ "ArchiveArn": self.arn })
    }
}

pub(super) fn archiving(input: &Input<'_>) -> Group<Archiving> {
    let Some(arn) = input.bounded_text("ArchiveArn", 20, 1011)? else { return Ok(None) };
    let id = super::state::Arn::parse(arn)
        .filter(|arn| arn.service == "ses")
        .and_then(|arn| arn.resource.strip_prefix("mailmanager-archive/a-"));
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if !id.is_some_and(|id| (24..=62).contains(&id.len()) && id.chars().all(letter)) {
        let rule = "Member must satisfy regular expression pattern: ^arn:(aws|aws-[a-z-]+):ses:[a-z0-9-]{1,20}:[0-9]{12}:mailmanager-archive/a-[a-z0-9]{24,62}$";
        return Err(constraint(&format!("'{arn}'"), "archiveArn", rule));
    }
    Ok(Some(Archiving { arn: arn.to_owned() }))
}

/// How messages are signed beside DKIM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Security {
    /// Signed with S/MIME, as a detached signature.
    smime: bool,
}

impl Security {
    pub(super) fn shown(&self) -> Value {
        let scheme = if self.smime {
            json!({ "SmimeScheme": { "SignatureFormat": "DETACHED" } })
        } else {
            json!({ "DefaultScheme": {} })
        };
        json!({ "SigningScheme": scheme })
    }
}

choices! {
    /// Where an S/MIME signature stands.
    SignatureFormat { Detached = "DETACHED" }
}

pub(super) fn security(input: &Input<'_>) -> Group<Security> {
    let Some(scheme) = input.object("SigningScheme")? else { return Ok(None) };
    let (default, smime) = (scheme.object("DefaultScheme")?, scheme.object("SmimeScheme")?);
    let format = smime.as_ref().map(|block| block.choice::<SignatureFormat>("SignatureFormat"));
    format.transpose()?;
    match (default.is_some(), smime.is_some()) {
        (true, false) => Ok(Some(Security { smime: false })),
        (false, true) => Ok(Some(Security { smime: true })),
        _ => Err(bad_request("Exactly one signing scheme must be specified.")),
    }
}

/// `PutConfigurationSetSendingOptions`: a flag left out is false, and sending stops.
pub(super) fn put_sending(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("SendingEnabled")?.unwrap_or(false);
    found(call)?.sending = enabled;
    Ok(json!({}))
}

/// `PutConfigurationSetReputationOptions`: a flag left out is false.
pub(super) fn put_reputation(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("ReputationMetricsEnabled")?.unwrap_or(false);
    found(call)?.reputation = enabled;
    Ok(json!({}))
}

/// `PutConfigurationSetTrackingOptions`.
pub(super) fn put_tracking(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    read_tracking(&input)?;
    found(call)?;
    let options = tracking(call, &input)?;
    found(call)?.tracking = options;
    Ok(json!({}))
}

/// `PutConfigurationSetDeliveryOptions`.
pub(super) fn put_delivery(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    read_delivery(&input)?;
    found(call)?;
    let options = delivery(call, &input)?;
    found(call)?.delivery = options;
    Ok(json!({}))
}

/// `PutConfigurationSetSuppressionOptions`.
pub(super) fn put_suppression(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let mut options = suppression(call, &input)?;
    let set = found(call)?;
    let before = set.suppression.as_ref().and_then(|before| before.validation.as_ref());
    let threshold = before.and_then(|before| before.threshold);
    if let Some(validation) = options.as_mut().and_then(|options| options.validation.as_mut())
        && validation.enabled == Feature::Disabled
    {
        validation.threshold = validation.threshold.or(threshold);
    }
    set.suppression = options;
    Ok(json!({}))
}

/// `PutConfigurationSetVdmOptions`: the group is wrapped, and what is not wrapped is lost without a word.
pub(super) fn put_vdm(call: &mut Call<'_>) -> Reply {
    let wrapped = call.input()?.object("VdmOptions")?;
    let options = wrapped.map(|block| vdm(&block)).transpose()?.flatten();
    found(call)?.vdm = options;
    Ok(json!({}))
}

/// `PutConfigurationSetArchivingOptions`.
pub(super) fn put_archiving(call: &mut Call<'_>) -> Reply {
    let options = archiving(&call.input()?)?;
    found(call)?.archiving = options;
    Ok(json!({}))
}

/// `UpdateConfigurationSet`, which is about message security only.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("ConfigurationSetName")?;
    let group = input.object("MessageSecurityOptions")?;
    let options = group.map(|block| security(&block)).transpose()?.flatten();
    let set = call.here().sets.get_mut(name).ok_or_else(|| super::sets::missing(name))?;
    set.security = options;
    Ok(json!({}))
}
