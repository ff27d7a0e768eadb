//! Identities: create, read, list, delete, feedback forwarding and the default set.

use std::collections::BTreeMap;

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, Page, put, seconds};
use super::dkim::{self, Dkim};
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::input::{Choice, choices};
use super::mail_from::MailFrom;
use super::search::{Search, Status};
use super::state::{Regional, Tags};
use super::{dns, tags, verification};

choices! {
    /// What an identity is.
    IdentityType { Domain = "DOMAIN", EmailAddress = "EMAIL_ADDRESS" }
}

/// How many identities a Region takes.
const MOST: usize = 10_000;

/// A domain or an address that may be sent from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) kind: IdentityType,
    pub(super) feedback_forwarding: bool,
    /// As put, even when nothing has that name.
    pub(super) default_set: Option<String>,
    pub(super) policies: BTreeMap<String, String>,
    pub(super) tags: Tags,
    pub(super) dkim: Dkim,
    pub(super) mail_from: Option<MailFrom>,
    /// Whether sending is allowed: reached by DKIM or by the link in a mail, kept while a key is changed.
    pub(super) verified: bool,
    /// An address waits for its owner to follow the link in a mail, for a day.
    pub(super) link_sent: Option<i64>,
}

impl Identity {
    /// The state of the identity as a whole.
    pub(super) fn status(&self) -> Status {
        let dkim = self.dkim.search.as_ref().map(|search| search.status);
        match (self.verified, self.kind) {
            (true, _) if dkim == Some(Status::TemporaryFailure) => Status::TemporaryFailure,
            (true, _) => Status::Success,
            (false, IdentityType::Domain) if dkim == Some(Status::Failed) => Status::Failed,
            (false, IdentityType::EmailAddress) if self.link_sent.is_none() => Status::Failed,
            (false, _) => Status::Pending,
        }
    }
}

/// The domain of an identity: itself, or what follows the `@` of an address.
pub(super) fn domain_of(name: &str) -> String {
    dns::host(name.rsplit_once('@').map_or(name, |(_, domain)| domain))
}

/// The name under which an identity is kept: the case of domains does not count, that of addresses does.
pub(super) fn key(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { dns::host(name) }
}

fn checked_name(name: &str) -> Result<(String, IdentityType), AwsServiceError> {
    let invalid = || bad_request(format!("The email identity <{name}> is invalid."));
    let domain = domain_of(name);
    let label = |label: &str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(allowed)
    };
    if domain.len() > 255 || !domain.contains('.') || !domain.split('.').all(label) {
        return Err(invalid());
    }
    match name.rsplit_once('@') {
        None => Ok((domain, IdentityType::Domain)),
        Some((local, _)) => {
            let allowed = |letter: char| {
                letter.is_ascii_graphic() && !matches!(letter, '@' | '<' | '>' | ',')
            };
            let right = !local.is_empty() && local.len() <= 64 && local.chars().all(allowed);
            if right { Ok((name.to_owned(), IdentityType::EmailAddress)) } else { Err(invalid()) }
        }
    }
}

/// `CreateEmailIdentity`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let tags = tags::given(&input)?;
    let signing = input.object("DkimSigningAttributes")?;
    let set = input.text("ConfigurationSetName")?;
    let (name, kind) = checked_name(input.required_bounded("EmailIdentity", 1, 320)?)?;
    let wanted = dkim::wanted_at_create(signing.as_ref(), kind, &call.place)?;
    if call.here().identities.contains_key(&name) {
        return Err(already_exists(format!("Email identity {name} already exist.")));
    }
    if call.here().identities.len() >= MOST {
        return Err(limit_exceeded(
            "The maximum number of identities for this account is reached.",
        ));
    }
    if let Some(set) = set
        && !call.here().sets.contains_key(set)
    {
        return Err(super::sets::missing(set));
    }
    let mut identity = new(call, &name, kind, wanted);
    (identity.default_set, identity.tags) = (set.map(str::to_owned), tags);
    let mut attributes = dkim::shown(&identity);
    // The first answer comes before the search has begun.
    put(&mut attributes, "Status", Some(Status::NotStarted.text()));
    call.here().identities.insert(name, identity);
    Ok(json!({
        "IdentityType": kind.text(),
        "VerifiedForSendingStatus": false,
        "DkimAttributes": attributes,
    }))
}

fn new(call: &mut Call<'_>, name: &str, kind: IdentityType, wanted: dkim::Wanted) -> Identity {
    Identity {
        kind,
        feedback_forwarding: true,
        default_set: None,
        policies: BTreeMap::new(),
        tags: Tags::new(),
        dkim: dkim::make(call, name, wanted),
        mail_from: None,
        verified: false,
        link_sent: (kind == IdentityType::EmailAddress).then_some(call.now),
    }
}

/// Makes an address an identity whose owner was sent a link, if it is none yet.
pub(super) fn wait_for_owner(call: &mut Call<'_>, address: &str) -> Result<(), AwsServiceError> {
    let (name, kind) = checked_name(address)?;
    if kind == IdentityType::Domain {
        return Err(bad_request(format!("The email address <{address}> is invalid.")));
    }
    if !call.here().identities.contains_key(&name) {
        let identity = new(call, &name, kind, dkim::Wanted::Address);
        call.here().identities.insert(name, identity);
    }
    Ok(())
}

/// What is answered for an identity that is not there.
pub(super) fn missing(name: &str) -> AwsServiceError {
    not_found(format!("Email identity {name} does not exist."))
}

/// What some of the Puts answer for an identity that is not there.
pub(super) fn missing_for_put(name: &str) -> AwsServiceError {
    bad_request(format!("Identity <{name}> does not exist."))
}

/// `GetEmailIdentity`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    verification::refresh(call, &name);
    let here = call.here();
    let Some(identity) = here.identities.get(&name) else { return Err(missing(&name)) };
    let mut shown = json!({
        "IdentityType": identity.kind.text(),
        "FeedbackForwardingStatus": identity.feedback_forwarding,
        "VerifiedForSendingStatus": identity.verified,
        "VerificationStatus": identity.status().text(),
        "DkimAttributes": attributes(here, &name, identity),
        "MailFromAttributes": super::mail_from::shown(identity.mail_from.as_ref()),
        "Policies": &identity.policies,
        "Tags": tags::shown(&identity.tags),
    });
    put(&mut shown, "ConfigurationSetName", identity.default_set.clone());
    put(&mut shown, "VerificationInfo", identity.dkim.search.as_ref().and_then(information));
    Ok(shown)
}

/// An address shows the DKIM of the domain that signs for it.
fn attributes(here: &Regional, name: &str, identity: &Identity) -> Value {
    let parent = match identity.kind {
        IdentityType::Domain => None,
        IdentityType::EmailAddress => here.identities.get(&domain_of(name)),
    };
    dkim::shown(parent.unwrap_or(identity))
}

fn information(search: &Search) -> Option<Value> {
    let checked = search.checked?;
    let mut shown = json!({ "LastCheckedTimestamp": seconds(checked) });
    put(&mut shown, "LastSuccessTimestamp", search.succeeded.map(seconds));
    put(&mut shown, "ErrorType", search.problem.map(Choice::text));
    Some(shown)
}

/// `DeleteEmailIdentity`.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = key(call.label(0));
    if !call.here().identities.contains_key(&name) {
        return Err(missing(&name));
    }
    let arn = call.place.arn(&format!("identity/{name}"));
    if let Some(tenant) = super::tenants::holder(call.here(), &arn) {
        return Err(bad_request(format!(
            "Email identity <{name}> is associated with tenant <{tenant}> and cannot be deleted."
        )));
    }
    if let Some(region) = dkim::replica_region(call.state, &call.place, &name) {
        return Err(bad_request(format!(
            "Email identity <{name}> has a replica in {region} and cannot be deleted."
        )));
    }
    call.here().identities.remove(&name);
    Ok(json!({}))
}

/// `ListEmailIdentities`.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let page = Page::of(&input, 1000)?;
    let filter = input.text_map("Filter")?;
    let kind = filter.get("IDENTITY_TYPE").map(|text| filtered::<IdentityType>(text));
    let status = filter.get("VERIFICATION_STATUS").map(|text| filtered::<Status>(text));
    let (kind, status) = (kind.transpose()?, status.transpose()?);
    let known = ["IDENTITY_NAME_CONTAINS", "IDENTITY_TYPE", "VERIFICATION_STATUS"];
    if let Some(unknown) = filter.keys().find(|name| !known.contains(name)) {
        let rule = format!("Map keys must satisfy enum value set: [{}]", known.join(", "));
        return Err(super::errors::constraint(&format!("'{unknown}'"), "filter", &rule));
    }
    let part = filter.get("IDENTITY_NAME_CONTAINS").copied();
    verification::refresh_all(call);
    let here = call.here();
    let items = here.identities.iter().filter(|(name, identity)| {
        part.is_none_or(|part| name.contains(part))
            && kind.is_none_or(|kind| kind == identity.kind)
            && status.is_none_or(|status| status == identity.status())
    });
    let items = items.map(|(name, identity)| {
        let shown = json!({
            "IdentityType": identity.kind.text(),
            "IdentityName": name,
            "SendingEnabled": identity.verified,
            "VerificationStatus": identity.status().text(),
        });
        (name.clone(), shown)
    });
    let (identities, next) = page.cut(items.collect());
    let mut shown = json!({ "EmailIdentities": identities });
    put(&mut shown, "NextToken", next);
    Ok(shown)
}

fn filtered<C: Choice>(text: &str) -> Result<C, AwsServiceError> {
    C::of(text).ok_or_else(|| {
        super::errors::constraint(
            &format!("'{text}'"),
            "filter",
            "Member must satisfy enum value set",
        )
    })
}

/// `PutEmailIdentityFeedbackAttributes`: a flag left out is false.
pub(super) fn put_feedback(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("EmailForwardingEnabled")?.unwrap_or(false);
    let name = key(call.label(0));
    let identity = call.here().identities.get_mut(&name);
    identity.ok_or_else(|| missing_for_put(&name))?.feedback_forwarding = enabled;
    Ok(json!({}))
}

/// `PutEmailIdentityConfigurationSetAttributes`: left out means none; an empty name is kept as it is.
pub(super) fn put_default_set(call: &mut Call<'_>) -> Reply {
    let set = call.input()?.text("ConfigurationSetName")?.map(str::to_owned);
    let name = key(call.label(0));
    let here = call.here();
    let Some(identity) = here.identities.get_mut(&name) else { return Err(missing(&name)) };
    if let Some(set) = set.as_deref().filter(|set| !set.is_empty())
        && !here.sets.contains_key(set)
    {
        return Err(super::sets::missing(set));
    }
    identity.default_set = set;
    Ok(json!({}))
}
