//! What happens to an accepted message: who gets it, what bounces, and the events that tell of it.

use super::call::Call;
use super::delivery::{self, Happening};
use super::events;
use super::input::Choice;
use super::ledger::Sent;
use super::message::Message;
use super::options::{Reason, Scope};
use super::sending::{Accepted, simulated};

/// The test text that every scanner takes for a virus.
const VIRUS: &str = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/// Why a message did not get to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bounce {
    /// The mailbox is not there.
    General,
    /// The address is on the list that all accounts share.
    Suppressed,
    /// It is on the account's list.
    OnAccountList,
    /// It unsubscribed from the contact list.
    Unsubscribed,
}

/// Lets the message happen, keeps it in the ledger, and notes what is to be delivered.
pub(super) fn happen(
    call: &mut Call<'_>,
    message: &Message,
    accepted: &Accepted,
    id: &str,
    rendered: Result<(), (String, String)>,
) {
    let happenings = match rendered {
        Err((template, error)) => vec![Happening::RenderingFailure { template, error }],
        Ok(()) if message.body.contains(VIRUS) => vec![Happening::Send, Happening::Reject],
        Ok(()) => outcomes(call, message, accepted),
    };
    let tags = events::tags(call, message, accepted);
    let sent = Sent {
        id: id.to_owned(),
        at: call.now,
        from: message.sender(),
        identity: accepted.identity.clone(),
        mail_from: accepted.mail_from.clone(),
        signed: accepted.signed,
        configuration_set: accepted.set.clone(),
        recipients: message.recipients(),
        subject: message.subject.clone(),
        events: happenings
            .iter()
            .map(|happening| (happening.kind().text().to_owned(), happening.recipients().to_vec()))
            .collect(),
        tags,
    };
    delivery::prepare(call, message, &sent, &happenings);
    call.here().ledger.keep(sent);
}

fn outcomes(call: &mut Call<'_>, message: &Message, accepted: &Accepted) -> Vec<Happening> {
    let mut delivered = Vec::new();
    let mut complained = Vec::new();
    let mut bounced: std::collections::BTreeMap<Bounce, Vec<String>> =
        std::collections::BTreeMap::new();
    for recipient in message.recipients() {
        let reason = match simulated(&recipient) {
            Some("bounce") => Some(Bounce::General),
            Some("suppressionlist") => Some(Bounce::Suppressed),
            Some("complaint") => {
                complained.push(recipient.clone());
                None
            }
            None if is_suppressed(call, message, accepted, &recipient) => {
                Some(Bounce::OnAccountList)
            }
            None if is_unsubscribed(call, message, &recipient) => Some(Bounce::Unsubscribed),
            _ => None,
        };
        match reason {
            Some(reason) => bounced.entry(reason).or_default().push(recipient),
            None => delivered.push(recipient),
        }
    }
    let mut happenings = vec![Happening::Send];
    happenings
        .extend(bounced.into_iter().map(|(why, recipients)| Happening::Bounce { why, recipients }));
    if !delivered.is_empty() {
        happenings.push(Happening::Delivery { recipients: delivered });
    }
    if !complained.is_empty() {
        happenings.push(Happening::Complaint { recipients: complained });
    }
    happenings
}

/// The set's setting goes before the tenant's, and that before the account's.
fn is_suppressed(
    call: &mut Call<'_>,
    message: &Message,
    accepted: &Accepted,
    recipient: &str,
) -> bool {
    let here = call.here();
    let Some(entry) = here.suppressed.get(recipient) else { return false };
    let set = accepted.set.as_ref().and_then(|set| here.sets.get(set));
    let of_set =
        set.and_then(|set| set.suppression.as_ref()).and_then(|group| group.reasons.clone());
    let tenant = message.tenant.as_ref().and_then(|tenant| here.tenants.get(tenant));
    let of_tenant = tenant
        .and_then(|tenant| tenant.suppression.as_ref())
        .filter(|(scope, _)| *scope == Scope::Tenant)
        .map(|(_, reasons)| reasons.clone());
    let reasons: Vec<Reason> =
        of_set.or(of_tenant).unwrap_or_else(|| here.account.suppressed.clone());
    reasons.contains(&entry.reason)
}

fn is_unsubscribed(call: &mut Call<'_>, message: &Message, recipient: &str) -> bool {
    let Some((list, topic)) = &message.list else { return false };
    let known = call.here().contact_list.as_ref().filter(|known| known.name == *list);
    known.is_some_and(|known| !known.takes(recipient, topic.as_deref()))
}
