//! The account's suppression list.

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, Page, put, seconds};
use super::errors::{Reply, bad_request, not_found};
use super::input::Choice;
use super::options::Reason;

/// Why and since when an address is not sent to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Suppressed {
    pub(super) reason: Reason,
    updated: i64,
}

/// An address as the list keeps it: the domain's case does not count, that of the rest does.
pub(super) fn canonical(address: &str) -> String {
    let address = address.trim();
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}

fn address(text: &str) -> Result<String, AwsServiceError> {
    let address = canonical(text);
    match address.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => Ok(address),
        _ => Err(bad_request(format!("The email address <{text}> is invalid."))),
    }
}

/// The list may not be managed from the sandbox.
fn refuse_sandbox(call: &mut Call<'_>) -> Result<(), AwsServiceError> {
    if call.here().account.production {
        return Ok(());
    }
    Err(bad_request("The suppression list cannot be managed while the account is in the sandbox."))
}

fn missing(address: &str) -> AwsServiceError {
    not_found(format!("Email address {address} does not exist on your suppression list."))
}

/// Puts an address on the list, or renews it.
pub(super) fn add(call: &mut Call<'_>, address: &str, reason: Reason) {
    let updated = call.now;
    call.here().suppressed.insert(canonical(address), Suppressed { reason, updated });
}

/// `PutSuppressedDestination`.
pub(super) fn put_one(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let text = input.required_text("EmailAddress")?;
    let reason = input.required_choice("Reason")?;
    let address = address(text)?;
    refuse_sandbox(call)?;
    add(call, &address, reason);
    Ok(json!({}))
}

fn shown(address: &str, entry: &Suppressed) -> Value {
    json!({
        "EmailAddress": address,
        "Reason": entry.reason.text(),
        "LastUpdateTime": seconds(entry.updated),
    })
}

/// `GetSuppressedDestination`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let address = canonical(call.label(0));
    refuse_sandbox(call)?;
    let entry = call.here().suppressed.get(&address).ok_or_else(|| missing(&address))?;
    Ok(json!({ "SuppressedDestination": shown(&address, entry) }))
}

/// `DeleteSuppressedDestination`.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let address = canonical(call.label(0));
    refuse_sandbox(call)?;
    call.here().suppressed.remove(&address).ok_or_else(|| missing(&address))?;
    Ok(json!({}))
}

/// `ListSuppressedDestinations`.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let page = Page::of_query(call, 1000)?;
    let reasons = call.request.query_param_all("Reason");
    refuse_sandbox(call)?;
    let (from, to) = (time(call, "StartDate")?, time(call, "EndDate")?);
    let entries = call.here().suppressed.iter().filter(|(_, entry)| {
        (reasons.is_empty() || reasons.iter().any(|reason| reason == entry.reason.text()))
            && from.is_none_or(|from| entry.updated >= from)
            && to.is_none_or(|to| entry.updated <= to)
    });
    let entries = entries.map(|(address, entry)| (address.clone(), shown(address, entry)));
    let (entries, next) = page.cut(entries.collect());
    let mut reply = json!({ "SuppressedDestinationSummaries": entries });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}

fn time(call: &Call<'_>, name: &str) -> Result<Option<i64>, AwsServiceError> {
    let Some(text) = call.query(name) else { return Ok(None) };
    let parsed = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| super::errors::serialization(format!("{name} must be a timestamp")))?;
    Ok(Some(parsed.timestamp_millis()))
}
