//! What no caller of SES can do, for whoever has a cloud running: read the mail, follow a link in it, review an account,
//! pause its sending.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Decision, SesCloud};
use crate::quotas::{self, DAILY, PER_SECOND, QuotaDecision};
use crate::world::World;

/// What a control is about; without account and Region, the cloud's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    account: Option<String>,
    region: Option<String>,
    address: Option<String>,
    decision: Option<Decision>,
    paused: Option<bool>,
    under_review: Option<bool>,
    per_second: Option<bool>,
    quota: Option<QuotaDecision>,
    sent: Option<Vec<f64>>,
}

/// Answers a control below `ses/`: `sent`, `link`, `review`, `pause`, `enforcement`, `quota` or `history`.
pub(crate) fn control(
    world: &Arc<World>,
    method: &str,
    path: &str,
    body: &Bytes,
) -> Result<Value, String> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    let request: Request = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let (account, region) = {
        let options = world.options.read();
        let account = request.account.unwrap_or_else(|| options.account.clone());
        (account, request.region.unwrap_or_else(|| options.region.clone()))
    };
    let ses = SesCloud::over(world);
    match (method, path) {
        ("GET" | "POST", "ses/sent") => Ok(json!({ "messages": ses.sent(&account, &region) })),
        ("POST", "ses/link") => {
            let address = request.address.ok_or("`address` is the one whose owner confirms")?;
            if ses.follow_link(&account, &region, &address) {
                return Ok(json!({}));
            }
            Err(format!("no verification mail was sent to {address} in the last day"))
        }
        ("POST", "ses/review") => {
            let decision = request.decision.ok_or("`decision` is granted, denied or failed")?;
            ses.decide(&account, &region, decision);
            Ok(json!({}))
        }
        ("POST", "ses/pause") => {
            ses.enforce(&account, &region, request.paused.ok_or("`paused` is true or false")?);
            Ok(json!({}))
        }
        ("POST", "ses/enforcement") => {
            let wanted = request.under_review.ok_or("`under_review` is true or false")?;
            ses.review_sending(&account, &region, wanted);
            Ok(json!({}))
        }
        ("POST", "ses/quota") => {
            let decision = request.quota.ok_or("`quota` is approved, denied, case-opened, ...")?;
            let code = if request.per_second == Some(true) { PER_SECOND } else { DAILY };
            if quotas::decide(world, &account, &region, code, decision) {
                return Ok(json!({}));
            }
            Err("there is no open request about this quota".to_owned())
        }
        ("POST", "ses/history") => {
            let sent = request.sent.ok_or("`sent` are the mails of each day, yesterday's last")?;
            for (back, value) in sent.iter().rev().enumerate() {
                let days = i64::try_from(back).unwrap_or(0) + 1;
                let at = Utc::now() - chrono::TimeDelta::days(days);
                ses.count(&account, &region, "Send", at.timestamp_millis(), *value);
            }
            Ok(json!({}))
        }
        _ => Err(format!("no control {method} {path}")),
    }
}
