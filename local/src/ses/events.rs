//! Events as their readers see them: the JSON that goes to topics, streams and buses.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use fakecloud_core::auth::PrincipalType;
use serde_json::{Value, json};

use super::call::{Call, put};
use super::delivery::Happening;
use super::destinations::EventType;
use super::identities::domain_of;
use super::ledger::Sent;
use super::message::Message;
use super::outcomes::Bounce;
use super::sending::Accepted;
use super::state::Place;

/// The tags that SES adds to a message, and the message's own.
pub(super) fn tags(
    call: &Call<'_>,
    message: &Message,
    accepted: &Accepted,
) -> BTreeMap<String, Vec<String>> {
    let mut tags = message.tags.clone();
    let mut add = |name: &str, value: String| tags.insert(format!("ses:{name}"), vec![value]);
    add("caller-identity", caller(call));
    add("from-domain", domain_of(&message.sender()));
    add("source-ip", "127.0.0.1".to_owned());
    add("source-tls-version", "TLSv1.3".to_owned());
    if let Some(set) = &accepted.set {
        add("configuration-set", set.clone());
    }
    if let Some(tenant) = &message.tenant {
        add("tenant-name", tenant.clone());
    }
    tags
}

/// The user or role that sent.
fn caller(call: &Call<'_>) -> String {
    let Some(principal) = &call.request.principal else { return "root".to_owned() };
    let mut parts = principal.arn.rsplit('/');
    let last = parts.next().unwrap_or_default();
    match principal.principal_type {
        PrincipalType::Root => "root".to_owned(),
        PrincipalType::AssumedRole => parts.next().unwrap_or(last).to_owned(),
        _ => last.to_owned(),
    }
}

/// A time as events write it.
fn iso(at: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(at).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The name of an event in its `eventType`.
pub(super) fn name(kind: EventType) -> &'static str {
    match kind {
        EventType::Send => "Send",
        EventType::Reject => "Reject",
        EventType::Bounce => "Bounce",
        EventType::Complaint => "Complaint",
        EventType::Delivery => "Delivery",
        EventType::Open => "Open",
        EventType::Click => "Click",
        EventType::RenderingFailure => "Rendering Failure",
        EventType::DeliveryDelay => "DeliveryDelay",
        EventType::Subscription => "Subscription",
    }
}

/// The name of the metric that counts an event.
pub(super) fn metric(kind: EventType) -> &'static str {
    match kind {
        EventType::RenderingFailure => "RenderingFailure",
        kind => name(kind),
    }
}

/// The `detail-type` of an event on a bus.
pub(super) fn detail_type(kind: EventType) -> &'static str {
    match kind {
        EventType::Send => "Email Sent",
        EventType::Reject => "Email Rejected",
        EventType::Bounce => "Email Bounced",
        EventType::Complaint => "Email Complaint Received",
        EventType::Delivery => "Email Delivered",
        EventType::Open => "Email Opened",
        EventType::Click => "Email Clicked",
        EventType::RenderingFailure => "Email Rendering Failed",
        EventType::DeliveryDelay => "Email Delivery Delayed",
        EventType::Subscription => "Email Subscribed",
    }
}

/// One event.
pub(super) fn event(place: &Place, message: &Message, sent: &Sent, happening: &Happening) -> Value {
    let kind = happening.kind();
    let mut event = json!({ "eventType": name(kind), "mail": mail(place, message, sent) });
    if kind == EventType::Delivery {
        put(&mut event["mail"]["tags"], "ses:outgoing-ip", Some(vec!["192.0.2.1"]));
        put(&mut event["mail"]["tags"], "ses:outgoing-tls-version", Some(vec!["TLSv1.3"]));
    }
    let (member, detail) = detail(sent, happening);
    put(&mut event, member, Some(detail));
    event
}

fn mail(place: &Place, message: &Message, sent: &Sent) -> Value {
    let headers: Vec<Value> = headers(message, sent)
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({
        "timestamp": iso(sent.at),
        "source": message.from,
        "sourceArn": place.arn(&format!("identity/{}", sent.identity)),
        "sendingAccountId": place.account,
        "messageId": sent.id,
        "destination": sent.recipients,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders": common_headers(message, sent),
        "tags": sent.tags,
    })
}

fn headers(message: &Message, sent: &Sent) -> Vec<(String, String)> {
    if message.is_raw {
        return message.headers.clone();
    }
    let mut headers = vec![("From".to_owned(), message.from.clone())];
    for (name, list) in [("To", &message.to), ("Cc", &message.cc)] {
        if !list.is_empty() {
            headers.push((name.to_owned(), list.join(", ")));
        }
    }
    headers.push(("Subject".to_owned(), sent.subject.clone()));
    headers.push(("MIME-Version".to_owned(), "1.0".to_owned()));
    headers.extend(message.headers.iter().cloned());
    headers
}

fn common_headers(message: &Message, sent: &Sent) -> Value {
    let mut common = json!({
        "from": [message.from],
        "to": message.to,
        "messageId": sent.id,
        "subject": sent.subject,
    });
    if !message.cc.is_empty() {
        put(&mut common, "cc", Some(message.cc.clone()));
    }
    put(&mut common, "date", message.header("Date"));
    common
}

fn detail(sent: &Sent, happening: &Happening) -> (&'static str, Value) {
    let at = iso(sent.at);
    let feedback = format!("{}-feedback", sent.id);
    let agent = "Amazon SES Mailbox Simulator";
    match happening {
        Happening::Send => ("send", json!({})),
        Happening::Reject => ("reject", json!({ "reason": "Bad content" })),
        Happening::RenderingFailure { template, error } => {
            ("failure", json!({ "templateName": template, "errorMessage": error }))
        }
        Happening::Delivery { recipients } => (
            "delivery",
            json!({
                "timestamp": at,
                "processingTimeMillis": 512,
                "recipients": recipients,
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "a8-50.smtp-out.amazonses.com",
            }),
        ),
        Happening::Bounce { why, recipients } => {
            let mut bounce = json!({
                "bounceType": "Permanent",
                "bounceSubType": sub_type(*why),
                "bouncedRecipients": recipients.iter().map(|address| bounced(*why, address)).collect::<Vec<_>>(),
                "timestamp": at,
                "feedbackId": feedback,
            });
            put(&mut bounce, "reportingMTA", Some("dns; amazonses.com"));
            ("bounce", bounce)
        }
        Happening::Complaint { recipients } => {
            let complained: Vec<Value> =
                recipients.iter().map(|address| json!({ "emailAddress": address })).collect();
            let complaint = json!({
                "complainedRecipients": complained,
                "timestamp": at,
                "feedbackId": feedback,
                "complaintSubType": null,
                "userAgent": agent,
                "complaintFeedbackType": "abuse",
                "arrivalDate": at,
            });
            ("complaint", complaint)
        }
    }
}

fn sub_type(why: Bounce) -> &'static str {
    match why {
        Bounce::General | Bounce::Unsubscribed => "General",
        Bounce::Suppressed => "Suppressed",
        Bounce::OnAccountList => "OnAccountSuppressionList",
    }
}

fn bounced(why: Bounce, address: &str) -> Value {
    let diagnosis = match why {
        Bounce::General => "smtp; 550 5.1.1 user unknown",
        Bounce::Suppressed => {
            "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address."
        }
        Bounce::OnAccountList => {
            "Amazon SES did not send the message to this address because it is on the suppression list for your account."
        }
        Bounce::Unsubscribed => {
            "Amazon SES did not send the message because the contact has unsubscribed from your list."
        }
    };
    json!({
        "emailAddress": address,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": diagnosis,
    })
}
