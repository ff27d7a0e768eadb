//! Whether a message is accepted: identity, sandbox, pauses, set, MAIL FROM and quotas, in that order.

use fakecloud_core::service::AwsServiceError;
use serde_json::{Value, json};

use super::account::{self, Enforcement};
use super::call::Call;
use super::errors::{
    Reply, account_suspended, bad_request, limit_exceeded, mail_from_not_verified,
    message_rejected, not_found, sending_paused, too_many_requests,
};
use super::identities::domain_of;
use super::mail_from::OnMxFailure;
use super::message::{Filled, Message, TemplateSource};
use super::search::Status;
use super::state::{Arn, Regional};
use super::templates::Content;
use super::{outcomes, verification};

/// Addresses that play the part of mailboxes.
const SIMULATOR: &str = "simulator.amazonses.com";

/// What a message is sent with.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) identity: String,
    pub(super) set: Option<String>,
    /// The envelope's domain, if the identity's own works.
    pub(super) mail_from: Option<String>,
    pub(super) signed: bool,
}

/// The part of a simulator address before `@` and `+`.
pub(super) fn simulated(address: &str) -> Option<&str> {
    let (local, domain) = address.rsplit_once('@')?;
    (domain == SIMULATOR).then(|| local.split_once('+').map_or(local, |(name, _)| name))
}

/// The most specific verified identity that an address is sent as: the address, then its domain, then the domains above.
fn covering_in(here: &Regional, address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let unlabelled = local.split_once('+').map(|(name, _)| format!("{name}@{domain}"));
    let mut names: Vec<String> = std::iter::once(address.to_owned()).chain(unlabelled).collect();
    let mut rest = Some(domain_of(address));
    while let Some(name) = rest {
        rest = name.split_once('.').map(|(_, parent)| parent.to_owned());
        names.push(name);
    }
    names.into_iter().find(|name| here.identities.get(name).is_some_and(|found| found.verified))
}

/// The same, after a look at the DNS.
pub(super) fn covering(call: &mut Call<'_>, address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    let mut rest = Some(domain);
    while let Some(name) = rest {
        verification::refresh(call, name);
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    covering_in(call.here(), address)
}

/// `SendEmail`.
pub(super) fn send(call: &mut Call<'_>) -> Reply {
    let message = Message::read(&call.input()?)?;
    Ok(json!({ "MessageId": send_one(call, message)? }))
}

/// `SendBulkEmail`: each entry succeeds or fails for itself.
pub(super) fn send_bulk(call: &mut Call<'_>) -> Reply {
    let messages = Message::read_bulk(&call.input()?)?;
    let results: Vec<Value> = messages
        .into_iter()
        .map(|message| match send_one(call, message) {
            Ok(id) => json!({ "Status": "SUCCESS", "MessageId": id }),
            Err(error) => json!({ "Status": bulk_status(&error), "Error": error.message() }),
        })
        .collect();
    Ok(json!({ "BulkEmailEntryResults": results }))
}

fn bulk_status(error: &AwsServiceError) -> &'static str {
    match error.code() {
        "MessageRejected" => "MESSAGE_REJECTED",
        "MailFromDomainNotVerifiedException" => "MAIL_FROM_DOMAIN_NOT_VERIFIED",
        "SendingPausedException" => "ACCOUNT_SENDING_PAUSED",
        "AccountSuspendedException" => "ACCOUNT_SUSPENDED",
        "TooManyRequestsException" => "ACCOUNT_THROTTLED",
        "LimitExceededException" => "ACCOUNT_DAILY_QUOTA_EXCEEDED",
        "NotFoundException" => "TEMPLATE_NOT_FOUND",
        "BadRequestException" if error.message().starts_with("Configuration set") => {
            "CONFIGURATION_SET_NOT_FOUND"
        }
        _ => "FAILED",
    }
}

/// `SendCustomVerificationEmail`: makes the address an identity that waits for its owner.
pub(super) fn send_verification(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let (address, template) =
        (input.required_text("EmailAddress")?, input.required_text("TemplateName")?);
    if !call.here().verification_templates.contains_key(template) {
        return Err(super::templates::missing(template));
    }
    if !call.here().account.production {
        return Err(message_rejected("Custom verification emails need production access."));
    }
    let set = input.text("ConfigurationSetName")?;
    if let Some(set) = set.filter(|set| !call.here().sets.contains_key(*set)) {
        return Err(super::sets::missing(set));
    }
    super::identities::wait_for_owner(call, address)?;
    Ok(json!({ "MessageId": message_id(call) }))
}

fn send_one(call: &mut Call<'_>, mut message: Message) -> Result<String, AwsServiceError> {
    let accepted = accept(call, &message)?;
    let rendered = match message.template.take() {
        None => Ok(()),
        Some(filled) => fill(call, &mut message, &filled)?,
    };
    let id = message_id(call);
    outcomes::happen(call, &message, &accepted, &id, rendered);
    Ok(id)
}

/// Puts a template's content into the message; what cannot be rendered is told later, as an event.
fn fill(
    call: &mut Call<'_>,
    message: &mut Message,
    filled: &Filled,
) -> Result<Result<(), (String, String)>, AwsServiceError> {
    let (name, content): (String, Content) = match &filled.template {
        TemplateSource::Given(content) => (String::new(), content.clone()),
        TemplateSource::Named(name) => match call.here().templates.get(name) {
            Some(template) => (name.clone(), template.content.clone()),
            None => return Err(super::templates::missing(name)),
        },
    };
    Ok(match content.rendered(&filled.data) {
        Err(problem) => Err((name, problem.to_string())),
        Ok(content) => {
            message.subject = content.subject.unwrap_or_default();
            message.body = [content.text, content.html].into_iter().flatten().collect();
            Ok(())
        }
    })
}

fn message_id(call: &mut Call<'_>) -> String {
    let serial = call.serial();
    format!("0100{:012x}-{serial:08x}-5e5c-4c10-8d00-{:012x}-000000", call.now, serial * 7919)
}

fn accept(call: &mut Call<'_>, message: &Message) -> Result<Accepted, AwsServiceError> {
    let from = message.sender();
    let identity = sending_identity(call, message, &from)?;
    check_recipients(call, message)?;
    if let Some(feedback) = message.feedback.clone()
        && covering(call, &feedback).is_none()
    {
        return Err(not_verified(call, &[feedback]));
    }
    let default = call.here().identities.get(&identity).and_then(|found| found.default_set.clone());
    let set = message.set.clone().or(default).filter(|set| !set.is_empty());
    check_account(call)?;
    if let Some(set) = &set {
        match call.here().sets.get(set) {
            None => return Err(bad_request(format!("Configuration set <{set}> does not exist."))),
            Some(found) if !found.sending => {
                return Err(sending_paused(format!(
                    "Sending is paused for configuration set <{set}>."
                )));
            }
            Some(_) => {}
        }
    }
    check_tenant(call, message, &identity, set.as_deref())?;
    let mail_from = mail_from(call, &identity, &from)?;
    check_quota(call, message)?;
    let here = call.here();
    let owner = here.identities.get(&domain_of(&identity)).or(here.identities.get(&identity));
    let signed = owner.is_some_and(|identity| {
        let status = identity.dkim.search.as_ref().map(|search| search.status);
        let found = matches!(status, Some(Status::Success | Status::TemporaryFailure));
        identity.dkim.signing_enabled && found
    });
    Ok(Accepted { identity, set, mail_from, signed })
}

fn not_verified(call: &Call<'_>, addresses: &[String]) -> AwsServiceError {
    message_rejected(format!(
        "Email address is not verified. The following identities failed the check in region {}: {}",
        call.place.region.to_ascii_uppercase(),
        addresses.join(", ")
    ))
}

/// The identity that covers the From address: the account's own, or the one whose ARN is given.
fn sending_identity(
    call: &mut Call<'_>,
    message: &Message,
    from: &str,
) -> Result<String, AwsServiceError> {
    let covering = covering(call, from);
    if let Some(arn) = &message.identity_arn {
        let name = Arn::parse(arn)
            .filter(|parsed| {
                parsed.account == call.place.account && parsed.region == call.place.region
            })
            .and_then(|parsed| parsed.resource.strip_prefix("identity/"));
        let Some(name) = name else {
            return Err(message_rejected(format!(
                "Cross-account sending as <{arn}> is not possible here."
            )));
        };
        let covers = from == name
            || domain_of(from) == name
            || domain_of(from).ends_with(&format!(".{name}"));
        let verified = call.here().identities.get(name).is_some_and(|found| found.verified);
        let refused = || not_verified(call, &[from.to_owned()]);
        return if covers && verified { Ok(name.to_owned()) } else { Err(refused()) };
    }
    covering.ok_or_else(|| not_verified(call, &[from.to_owned()]))
}

/// In the sandbox mail goes only to verified identities and to the simulator.
fn check_recipients(call: &mut Call<'_>, message: &Message) -> Result<(), AwsServiceError> {
    if call.here().account.production {
        return Ok(());
    }
    let mut refused = Vec::new();
    for recipient in message.recipients() {
        if simulated(&recipient).is_none() && covering(call, &recipient).is_none() {
            refused.push(recipient);
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(not_verified(call, &refused)) }
}

fn check_account(call: &mut Call<'_>) -> Result<(), AwsServiceError> {
    let account = &call.here().account;
    if account.enforcement == Enforcement::Shutdown {
        return Err(account_suspended());
    }
    if !account.sending {
        return Err(sending_paused("Sending is paused for this account."));
    }
    Ok(())
}

/// A tenant sends only with what it was given.
fn check_tenant(
    call: &mut Call<'_>,
    message: &Message,
    identity: &str,
    set: Option<&str>,
) -> Result<(), AwsServiceError> {
    let Some(name) = &message.tenant else { return Ok(()) };
    let identity = call.place.arn(&format!("identity/{identity}"));
    let set = set.map(|set| call.place.arn(&format!("configuration-set/{set}")));
    let Some(tenant) = call.here().tenants.get(name) else {
        return Err(not_found(format!("Tenant <{name}> does not exist.")));
    };
    let has = |arn: &String| tenant.resources.contains_key(arn);
    if !has(&identity) || !set.as_ref().is_some_and(has) {
        return Err(bad_request(format!(
            "Tenant <{name}> must be associated with the identity and the configuration set of the message."
        )));
    }
    Ok(())
}

/// The envelope's domain: the identity's own, or for an address without one its domain's.
fn mail_from(
    call: &mut Call<'_>,
    identity: &str,
    from: &str,
) -> Result<Option<String>, AwsServiceError> {
    verification::refresh(call, identity);
    let here = call.here();
    let own = here.identities.get(identity).and_then(|found| found.mail_from.as_ref());
    let parent =
        || here.identities.get(&domain_of(from)).and_then(|found| found.mail_from.as_ref());
    let Some(mail_from) = own.or_else(parent) else { return Ok(None) };
    if mail_from.search.status == Status::Success {
        return Ok(Some(mail_from.domain.clone()));
    }
    match mail_from.behavior {
        OnMxFailure::UseDefaultValue => Ok(None),
        OnMxFailure::RejectMessage => Err(mail_from_not_verified(format!(
            "The custom MAIL FROM domain {} is not verified.",
            mail_from.domain
        ))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no one sends 2^52 messages a day")]
fn check_quota(call: &mut Call<'_>, message: &Message) -> Result<(), AwsServiceError> {
    let now = call.now;
    let recipients = message.recipients();
    let daily = recipients.iter().filter(|address| simulated(address).is_none()).count();
    let (per_day, per_second) = account::limits(call);
    let here = call.here();
    let in_a_day = here.ledger.sent_in_a_day(now) + daily;
    let unlimited = per_day < 0.0;
    if !unlimited && in_a_day as f64 > per_day {
        return Err(limit_exceeded("Daily message quota exceeded."));
    }
    // A message may take more than one second's share, but only if the second has some left.
    if here.ledger.sent_in_a_second(now) as f64 >= per_second {
        return Err(too_many_requests("Maximum sending rate exceeded."));
    }
    here.ledger.note(now, daily, recipients.len());
    Ok(())
}
