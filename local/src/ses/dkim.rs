//! DKIM of an identity: keys of SES, keys brought along, and replicas of another Region's keys.
//!
//! A private key is checked and forgotten; what stays is the public key that must be in the DNS.

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::call::{Call, put, seconds};
use super::errors::{Reply, bad_request};
use super::identities::{Identity, IdentityType, key, missing_for_put};
use super::input::{Choice, Input, choices};
use super::keys;
use super::search::{Search, Status};
use super::state::{Place, State};

choices! {
    /// The length of a key that SES makes.
    KeyLength { Short = "RSA_1024_BIT", Long = "RSA_2048_BIT" }
}

/// A length may be changed once in this time.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Where the signing key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// SES makes it and rotates it behind three CNAMEs.
    Easy { tokens: Vec<String>, zone: String, next: KeyLength, current: KeyLength, made: i64 },
    /// Its owner brought it, and publishes it in a TXT record.
    External { selector: String, public_key: String },
    /// It is that of the same domain in another Region.
    Replica { region: String },
    /// An address has none of its own.
    Address,
}

/// DKIM of one identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dkim {
    pub(super) signing_enabled: bool,
    pub(super) origin: Origin,
    /// None for an address.
    pub(super) search: Option<Search>,
    /// When the key length was changed, with the new length.
    pub(super) length_changes: Vec<(i64, KeyLength)>,
    /// What a replica last read from its parent.
    pub(super) parent: Option<Box<Origin>>,
}

/// What a request wants the origin to be.
pub(super) enum Wanted {
    /// Keys of SES, of this length if it says.
    Easy(Option<KeyLength>),
    /// This selector with this public key.
    External { selector: String, public_key: String },
    /// The keys of this Region.
    Replica(String),
    /// An address signs with its domain's.
    Address,
}

/// What `CreateEmailIdentity` wants of DKIM.
pub(super) fn wanted_at_create(
    signing: Option<&Input<'_>>,
    kind: IdentityType,
    place: &Place,
) -> Result<Wanted, AwsServiceError> {
    let Some(signing) = signing else {
        return Ok(match kind {
            IdentityType::Domain => Wanted::Easy(None),
            IdentityType::EmailAddress => Wanted::Address,
        });
    };
    let length = signing.choice("NextSigningKeyLength")?;
    let brought = brought_key(signing)?;
    let replica_of = signing.text("DomainSigningAttributesOrigin")?;
    if kind == IdentityType::EmailAddress {
        return Err(bad_request("The EmailIdentity value must be a valid domain."));
    }
    match (brought, length, replica_of) {
        (None, length, None) => Ok(Wanted::Easy(length)),
        (Some(brought), None, None) => Ok(brought),
        (None, None, Some(origin)) => replica(origin, place),
        _ => Err(bad_request(
            "The input you provided is invalid: give a selector and private key, a key length, or an origin, not several of them.",
        )),
    }
}

fn replica(origin: &str, place: &Place) -> Result<Wanted, AwsServiceError> {
    let region =
        origin.strip_prefix("AWS_SES_").map(|name| name.to_ascii_lowercase().replace('_', "-"));
    let Some(region) = region else {
        return Err(bad_request(format!(
            "The input you provided is invalid: DomainSigningAttributesOrigin cannot be {origin}."
        )));
    };
    if region == place.region {
        return Err(bad_request("The parent Region of a replica must be another Region."));
    }
    Ok(Wanted::Replica(region))
}

fn brought_key(signing: &Input<'_>) -> Result<Option<Wanted>, AwsServiceError> {
    let selector = signing.bounded_text("DomainSigningSelector", 1, 63)?;
    let private_key = signing.bounded_text("DomainSigningPrivateKey", 1, 20_480)?;
    let (selector, private_key) = match (selector, private_key) {
        (None, None) => return Ok(None),
        (Some(selector), Some(private_key)) => (selector, private_key),
        _ => {
            return Err(bad_request(
                "Both DomainSigningSelector and DomainSigningPrivateKey are required.",
            ));
        }
    };
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let inner = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let right = selector.chars().all(inner)
        && edge(selector.chars().next())
        && edge(selector.chars().next_back());
    if !right {
        return Err(super::errors::constraint(
            &format!("'{selector}'"),
            "dkimSigningAttributes.domainSigningSelector",
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$",
        ));
    }
    // The message names the member only: the key must not come back, not even in an error.
    let public_key = keys::public_key(private_key).map_err(|problem| {
        bad_request(format!("The DomainSigningPrivateKey is invalid: {problem}"))
    })?;
    Ok(Some(Wanted::External { selector: selector.to_owned(), public_key }))
}

/// The DKIM of a new identity, or of one whose origin changes.
pub(super) fn make(call: &mut Call<'_>, name: &str, wanted: Wanted) -> Dkim {
    let signing_enabled = !matches!(wanted, Wanted::Address);
    let search = signing_enabled.then(|| Search::begin(call.now));
    let origin = match wanted {
        Wanted::Easy(length) => {
            let length = length.unwrap_or(KeyLength::Long);
            easy(call, name, length, length)
        }
        Wanted::External { selector, public_key } => Origin::External { selector, public_key },
        Wanted::Replica(region) => Origin::Replica { region },
        Wanted::Address => Origin::Address,
    };
    Dkim { signing_enabled, origin, search, length_changes: Vec::new(), parent: None }
}

fn easy(call: &mut Call<'_>, name: &str, current: KeyLength, next: KeyLength) -> Origin {
    let made = call.here().keys_made.entry(name.to_owned()).or_default();
    *made += 1;
    let made = *made;
    let tokens = (0..3).map(|index| token(&call.place, name, made, index)).collect();
    Origin::Easy { tokens, zone: zone(&call.place, name), next, current, made: call.now }
}

/// 32 letters and digits that no other identity, account or Region has, nor this one when it is made again; what is made
/// of others meanwhile does not change them.
fn token(place: &Place, name: &str, made: u64, index: u8) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let source = format!("{}/{}/{name}/{made}/{index}", place.account, place.region);
    let digest = Sha256::digest(source.as_bytes());
    digest.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// Regions whose keys were never in the zone that the first Regions share.
const OWN_ZONE: &[&str] = &[
    "af-south-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-west-1",
    "ap-northeast-3",
    "eu-south-1",
    "eu-central-2",
    "il-central-1",
    "me-central-1",
    "us-gov-east-1",
];

/// The zone that holds an identity's keys, which AWS says varies by Region and cell: here half of the identities are in
/// a numbered cell, so that nobody gets by with a fixed name.
fn zone(place: &Place, name: &str) -> String {
    let digest = Sha256::digest(format!("{}/{name}", place.account).as_bytes());
    let regional = format!("dkim.{}.amazonses.com", place.region);
    match (digest[0] % 2, OWN_ZONE.contains(&place.region.as_str())) {
        (0, _) => format!("a{:x}{:x}d.{regional}", digest[1] % 10, digest[2] % 10),
        (_, true) => regional,
        (_, false) => "dkim.amazonses.com".to_owned(),
    }
}

/// The DKIM attributes of an identity, as reads show them.
pub(super) fn shown(identity: &Identity) -> Value {
    let dkim = &identity.dkim;
    let status = dkim.search.as_ref().map_or(Status::NotStarted, |search| search.status);
    let mut shown = json!({ "SigningEnabled": dkim.signing_enabled, "Status": status.text() });
    put(&mut shown, "SigningAttributesOrigin", Some(origin_text(&dkim.origin)));
    let effective = dkim.parent.as_deref().unwrap_or(&dkim.origin);
    match effective {
        Origin::Easy { tokens, zone, next, current, made } => {
            put(&mut shown, "Tokens", Some(tokens.clone()));
            put(&mut shown, "SigningHostedZone", Some(zone.clone()));
            put(&mut shown, "NextSigningKeyLength", Some(next.text()));
            put(&mut shown, "CurrentSigningKeyLength", Some(current.text()));
            put(&mut shown, "LastKeyGenerationTimestamp", Some(seconds(*made)));
        }
        Origin::External { selector, .. } => {
            put(&mut shown, "Tokens", Some(vec![selector.clone()]));
        }
        Origin::Address => put(&mut shown, "NextSigningKeyLength", Some(KeyLength::Short.text())),
        Origin::Replica { .. } => {}
    }
    shown
}

fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Easy { .. } | Origin::Address => "AWS_SES".to_owned(),
        Origin::External { .. } => "EXTERNAL".to_owned(),
        Origin::Replica { region } => {
            format!("AWS_SES_{}", region.to_ascii_uppercase().replace('-', "_"))
        }
    }
}

/// A Region in which this identity has a replica.
pub(super) fn replica_region(state: &State, place: &Place, name: &str) -> Option<String> {
    let regions = state.accounts.get(&place.account)?;
    let others = regions.iter().filter(|(region, _)| **region != place.region);
    let mut replicas = others.filter(|(_, regional)| {
        regional.identities.get(name).is_some_and(
            |identity| matches!(&identity.dkim.origin, Origin::Replica { region } if *region == place.region),
        )
    });
    replicas.next().map(|(region, _)| region.clone())
}

/// `PutEmailIdentityDkimAttributes`: a flag left out is false. For an address it changes nothing.
pub(super) fn put_attributes(call: &mut Call<'_>) -> Reply {
    let enabled = call.input()?.flag("SigningEnabled")?.unwrap_or(false);
    let name = key(call.label(0));
    let Some(identity) = call.here().identities.get_mut(&name) else {
        return Err(bad_request(format!("Domain {name} is not verified for DKIM signing.")));
    };
    if identity.kind == IdentityType::Domain {
        identity.dkim.signing_enabled = enabled;
    }
    Ok(json!({}))
}

/// `PutEmailIdentityDkimSigningAttributes`.
pub(super) fn put_signing(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let origin = input.required_text("SigningAttributesOrigin")?;
    let signing = input.object("SigningAttributes")?;
    let wanted = wanted_of_put(origin, signing.as_ref())?;
    let name = key(call.label(0));
    if name.contains('@') {
        return Err(bad_request("The EmailIdentity value must be a valid domain."));
    }
    let Some(identity) = call.here().identities.get(&name) else {
        return Err(missing_for_put(&name));
    };
    let before = identity.dkim.clone();
    let after = match (&before.origin, wanted) {
        (Origin::Replica { .. }, _) => {
            return Err(bad_request(
                "The signing attributes of a replica identity cannot be changed.",
            ));
        }
        (Origin::Easy { .. }, Wanted::Easy(length)) => change_length(call, &name, before, length)?,
        (_, wanted) => {
            Dkim { signing_enabled: before.signing_enabled, ..make(call, &name, wanted) }
        }
    };
    let Some(identity) = call.here().identities.get_mut(&name) else {
        return Err(missing_for_put(&name));
    };
    identity.dkim = after;
    let attributes = shown(identity);
    let mut reply = json!({ "DkimStatus": attributes["Status"] });
    put(&mut reply, "DkimTokens", attributes.get("Tokens").cloned());
    put(&mut reply, "SigningHostedZone", attributes.get("SigningHostedZone").cloned());
    Ok(reply)
}

fn wanted_of_put(origin: &str, signing: Option<&Input<'_>>) -> Result<Wanted, AwsServiceError> {
    let (brought, length, nested) = match signing {
        None => (None, None, None),
        Some(signing) => (
            brought_key(signing)?,
            signing.choice::<KeyLength>("NextSigningKeyLength")?,
            signing.text("DomainSigningAttributesOrigin")?,
        ),
    };
    match (origin, brought, length, nested) {
        ("AWS_SES", None, length, None) => Ok(Wanted::Easy(length)),
        ("EXTERNAL", Some(brought), None, None) => Ok(brought),
        ("EXTERNAL", None, ..) => Err(bad_request(
            "DomainSigningSelector and DomainSigningPrivateKey are required for EXTERNAL.",
        )),
        ("AWS_SES" | "EXTERNAL", ..) => Err(bad_request(
            "The input you provided is invalid: the signing attributes do not belong to this origin.",
        )),
        (origin, ..) if origin.starts_with("AWS_SES_") => {
            Err(bad_request("An identity can be made a replica only when it is created."))
        }
        (origin, ..) => Err(super::errors::constraint(
            &format!("'{origin}'"),
            "signingAttributesOrigin",
            "Member must satisfy enum value set: [AWS_SES, EXTERNAL, AWS_SES_<REGION>]",
        )),
    }
}

/// A length is changed once a day, except for the day's first change down; the one in place is no change at all.
fn change_length(
    call: &mut Call<'_>,
    name: &str,
    mut dkim: Dkim,
    wanted: Option<KeyLength>,
) -> Result<Dkim, AwsServiceError> {
    let Origin::Easy { next, current, .. } = &dkim.origin else { return Ok(dkim) };
    let (next, current) = (*next, *current);
    let Some(wanted) = wanted else { return Ok(dkim) };
    if wanted == next {
        return Err(bad_request(format!(
            "The input you provided is invalid: the next signing key length is {} already.",
            wanted.text()
        )));
    }
    let since = call.now - DAY;
    let recent: Vec<KeyLength> = dkim
        .length_changes
        .iter()
        .filter(|(at, _)| *at > since)
        .map(|(_, length)| *length)
        .collect();
    let first_down = wanted == KeyLength::Short && !recent.contains(&KeyLength::Short);
    if !recent.is_empty() && !first_down {
        return Err(bad_request(
            "The input you provided is invalid: the signing key length was changed within the last 24 hours.",
        ));
    }
    dkim.length_changes.push((call.now, wanted));
    if call.settings.choices.key_length_changes_tokens {
        dkim.origin = easy(call, name, current, wanted);
        dkim.search = Some(Search::begin(call.now));
    } else if let Origin::Easy { next, current, made, .. } = &mut dkim.origin {
        (*next, *current, *made) = (wanted, wanted, call.now);
    }
    Ok(dkim)
}
