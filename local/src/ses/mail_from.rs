//! The custom MAIL FROM domain of an identity.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::Call;
use super::dns;
use super::errors::{Reply, bad_request};
use super::identities::{domain_of, key, missing_for_put};
use super::input::{Choice, choices};
use super::search::{Search, Status};

choices! {
    /// What happens to mail while the MAIL FROM domain is not ready.
    OnMxFailure { UseDefaultValue = "USE_DEFAULT_VALUE", RejectMessage = "REJECT_MESSAGE" }
}

/// A MAIL FROM domain; without one an identity has no settings of this kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MailFrom {
    pub(super) domain: String,
    pub(super) behavior: OnMxFailure,
    pub(super) search: Search,
}

/// Always there, even when there is no domain.
pub(super) fn shown(mail_from: Option<&MailFrom>) -> Value {
    match mail_from {
        None => json!({ "BehaviorOnMxFailure": OnMxFailure::UseDefaultValue.text() }),
        Some(mail_from) => json!({
            "MailFromDomain": mail_from.domain,
            "MailFromDomainStatus": mail_from.search.status.text(),
            "BehaviorOnMxFailure": mail_from.behavior.text(),
        }),
    }
}

/// `PutEmailIdentityMailFromAttributes`: without a domain everything goes, the behaviour too.
pub(super) fn put(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let behavior = input.choice("BehaviorOnMxFailure")?.unwrap_or(OnMxFailure::UseDefaultValue);
    let wanted = input.text("MailFromDomain")?.filter(|domain| !domain.is_empty());
    let name = key(call.label(0));
    let now = call.now;
    let Some(identity) = call.here().identities.get_mut(&name) else {
        return Err(missing_for_put(&name));
    };
    let Some(wanted) = wanted else {
        identity.mail_from = None;
        return Ok(json!({}));
    };
    let (domain, parent) = (dns::host(wanted), domain_of(&name));
    if domain.is_empty() {
        return Err(bad_request(format!("The MAIL-FROM domain <{wanted}> is invalid.")));
    }
    if !domain.ends_with(&format!(".{parent}")) {
        return Err(bad_request(format!(
            "Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{parent}>."
        )));
    }
    // The same domain goes on being searched for; one that failed is searched for again.
    let kept = identity
        .mail_from
        .take()
        .filter(|before| before.domain == domain && before.search.status != Status::Failed);
    let search = kept.map_or_else(|| Search::begin(now), |before| before.search);
    identity.mail_from = Some(MailFrom { domain, behavior, search });
    Ok(json!({}))
}
