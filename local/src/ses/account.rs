//! The account's settings in one Region, and the review that lets it out of the sandbox.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, put};
use super::errors::{Reply, bad_request, conflict};
use super::input::{Choice, Input, choices};
use super::options::{Feature, Reason, Validation, reasons, texts, validation};

choices! {
    /// What an account mostly sends.
    MailType { Marketing = "MARKETING", Transactional = "TRANSACTIONAL" }
}
choices! {
    /// The language of a support case.
    Language { English = "EN", Japanese = "JA" }
}
choices! {
    /// The state of the review of an account's details.
    Review { Denied = "DENIED", Failed = "FAILED", Granted = "GRANTED", Pending = "PENDING" }
}
choices! {
    /// What AWS thinks of the account's sending.
    Enforcement { Healthy = "HEALTHY", Probation = "PROBATION", Shutdown = "SHUTDOWN" }
}
choices! {
    /// A price plan.
    Plan { Enterprise = "ENTERPRISE", Essentials = "ESSENTIALS", None = "NONE", Pro = "PRO" }
}

/// An account in a Region; new ones are in the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) production: bool,
    pub(super) sending: bool,
    pub(super) enforcement: Enforcement,
    pub(super) per_day: f64,
    pub(super) per_second: f64,
    pub(super) suppressed: Vec<Reason>,
    validation: Option<Validation>,
    warmup: bool,
    vdm: Option<Vdm>,
    details: Option<Details>,
    plan: Plan,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            production: false,
            sending: true,
            enforcement: Enforcement::Healthy,
            per_day: 200.0,
            per_second: 1.0,
            suppressed: vec![Reason::Bounce, Reason::Complaint],
            validation: None,
            warmup: true,
            vdm: None,
            details: None,
            plan: Plan::None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Vdm {
    enabled: Feature,
    engagement: Option<Feature>,
    shared_delivery: Option<Feature>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Details {
    mail_type: MailType,
    website: String,
    language: Language,
    use_case: Option<String>,
    contacts: Vec<String>,
    review: Option<(Review, String)>,
}

impl Account {
    /// What the reviewers decide; grants come with the quota that is common for new accounts.
    pub(super) fn decide(&mut self, review: Review) {
        if let Some(details) = &mut self.details
            && let Some((status, _)) = &mut details.review
        {
            *status = review;
        }
        if review == Review::Granted {
            self.production = true;
            (self.per_day, self.per_second) = (50_000.0, 14.0);
        }
    }
}

/// The codes of the quotas on a day's recipients and on a second's, as the AWS General Reference lists them.
const DAILY: &str = "L-804C8AE8";
const RATE: &str = "L-CDEF9B6B";

/// How many recipients the account may write to in a day and in a second, what Service Quotas granted included.
///
/// An account in the sandbox keeps the sandbox's: we take it that AWS grants more only together with production access.
pub(super) fn limits(call: &mut Call<'_>) -> (f64, f64) {
    let place = call.place.clone();
    let raised = |code| call.with.quotas.raised(&place.account, &place.region, code);
    let (daily, rate) = (raised(DAILY), raised(RATE));
    let account = &call.here().account;
    let at_least = |has: f64, granted: Option<f64>| {
        // Below zero there is no limit.
        let counts = account.production && has >= 0.0;
        granted.filter(|granted| counts && *granted > has).unwrap_or(has)
    };
    (at_least(account.per_day, daily), at_least(account.per_second, rate))
}

/// `GetAccount`.
#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let now = call.now;
    let (per_day, per_second) = limits(call);
    let here = call.here();
    let sent = here.ledger.sent_in_a_day(now);
    let account = &here.account;
    let mut shown = json!({
        "DedicatedIpAutoWarmupEnabled": account.warmup,
        "EnforcementStatus": account.enforcement.text(),
        "ProductionAccessEnabled": account.production,
        "SendQuota": {
            "Max24HourSend": per_day,
            "MaxSendRate": per_second,
            "SentLast24Hours": sent,
        },
        "SendingEnabled": account.sending && account.enforcement != Enforcement::Shutdown,
        "SuppressionAttributes": { "SuppressedReasons": texts(&account.suppressed) },
        "PricingAttributes": { "CurrentPlan": account.plan.text() },
    });
    if let Some(validation) = &account.validation {
        put(&mut shown["SuppressionAttributes"], "ValidationAttributes", Some(validation.shown()));
    }
    put(&mut shown, "VdmAttributes", account.vdm.as_ref().map(shown_vdm));
    put(&mut shown, "Details", account.details.as_ref().map(shown_details));
    Ok(shown)
}

/// The dashboard and the guardian are shown only while the manager is on.
fn shown_vdm(vdm: &Vdm) -> Value {
    let mut shown = json!({ "VdmEnabled": vdm.enabled.text() });
    if vdm.enabled == Feature::Enabled {
        let state = |feature: Option<Feature>| feature.unwrap_or(Feature::Disabled).text();
        let dashboard = json!({ "EngagementMetrics": state(vdm.engagement) });
        let guardian = json!({ "OptimizedSharedDelivery": state(vdm.shared_delivery) });
        put(&mut shown, "DashboardAttributes", Some(dashboard));
        put(&mut shown, "GuardianAttributes", Some(guardian));
    }
    shown
}

fn shown_details(details: &Details) -> Value {
    let mut shown = json!({
        "MailType": details.mail_type.text(),
        "WebsiteURL": details.website,
        "ContactLanguage": details.language.text(),
        "AdditionalContactEmailAddresses": details.contacts,
    });
    put(&mut shown, "UseCaseDescription", details.use_case.clone());
    let review = details
        .review
        .as_ref()
        .map(|(status, case)| json!({ "Status": status.text(), "CaseId": case }));
    put(&mut shown, "ReviewDetails", review);
    shown
}

/// `PutAccountDetails`: stores details, and with the flag submits them for review. While a review runs, and after a
/// denial, nothing is taken; a request that AWS failed to receive may be sent again.
pub(super) fn put_details(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let details = details(&input)?;
    let submit = input.flag("ProductionAccessEnabled")?.unwrap_or(false);
    let case = format!("case-{:012}", call.serial());
    let account = &mut call.here().account;
    let before = account.details.as_ref().and_then(|details| details.review.clone());
    if let Some((Review::Pending | Review::Denied, _)) = before {
        return Err(conflict("None"));
    }
    let review = if submit { Some((Review::Pending, case)) } else { before };
    account.details = Some(Details { review, ..details });
    Ok(json!({}))
}

fn details(input: &Input<'_>) -> Result<Details, fakecloud_core::service::AwsServiceError> {
    let mail_type = input.required_choice("MailType")?;
    let website = input.required_bounded("WebsiteURL", 1, 1000)?;
    let language = input.choice("ContactLanguage")?.unwrap_or(Language::English);
    let use_case = input.bounded_text("UseCaseDescription", 1, 5000)?;
    let contacts = input.texts("AdditionalContactEmailAddresses")?;
    if !website.starts_with("http://") && !website.starts_with("https://") {
        return Err(bad_request("The WebsiteURL is not valid."));
    }
    if let Some(contacts) = &contacts {
        let right = |address: &&str| (6..=254).contains(&address.len()) && address.contains('@');
        if contacts.is_empty() || contacts.len() > 4 || !contacts.iter().all(right) {
            return Err(bad_request("Between 1 and 4 additional contact addresses can be given."));
        }
    }
    Ok(Details {
        mail_type,
        website: website.to_owned(),
        language,
        use_case: use_case.map(str::to_owned),
        contacts: contacts.unwrap_or_default().into_iter().map(str::to_owned).collect(),
        review: None,
    })
}

/// `PutAccountSendingAttributes`: a flag left out is false; a pause that AWS imposed stays.
pub(super) fn put_sending(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("SendingEnabled")?.unwrap_or(false);
    call.here().account.sending = enabled;
    Ok(json!({}))
}

/// `PutAccountSuppressionAttributes`: reasons left out are none.
pub(super) fn put_suppression(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let reasons = reasons(&input)?.unwrap_or_default();
    let validation = match input.object("ValidationAttributes")? {
        Some(block) => validation(&block)?,
        None => None,
    };
    let account = &mut call.here().account;
    account.suppressed = reasons;
    account.validation = validation.or(account.validation.take());
    Ok(json!({}))
}

/// `PutAccountVdmAttributes`.
pub(super) fn put_vdm(call: &mut Call<'_>) -> Reply {
    let block = call.input()?.required_object("VdmAttributes")?;
    let enabled = block.required_choice("VdmEnabled")?;
    let dashboard = block.object("DashboardAttributes")?;
    let guardian = block.object("GuardianAttributes")?;
    let engagement =
        dashboard.map(|block| block.choice("EngagementMetrics")).transpose()?.flatten();
    let shared_delivery =
        guardian.map(|block| block.choice("OptimizedSharedDelivery")).transpose()?.flatten();
    call.here().account.vdm = Some(Vdm { enabled, engagement, shared_delivery });
    Ok(json!({}))
}

/// `PutAccountDedicatedIpWarmupAttributes`: a flag left out is false.
pub(super) fn put_warmup(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("AutoWarmupEnabled")?.unwrap_or(false);
    call.here().account.warmup = enabled;
    Ok(json!({}))
}

/// `PutAccountPricingAttributes`.
pub(super) fn put_pricing(call: &mut Call<'_>) -> Reply {
    let plan = call.input()?.required_choice("Plan")?;
    let account = &mut call.here().account;
    if account.plan == plan {
        return Err(conflict("The account has this pricing plan already."));
    }
    account.plan = plan;
    Ok(json!({}))
}
