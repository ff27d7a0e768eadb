//! Operations that AWS carries out one at a time on a resource: one that comes while another is under way is refused,
//! instead of being queued.
//!
//! SNS documents it for tags (`ConcurrentAccess` of `CreateTopic`, `TagResource` and `UntagResource`). SES's model lists
//! `ConcurrentModificationException` for making and deleting identities, sets and pools, and for tags.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use fakecloud_core::protocol::parse_query_body;
use http::request::Parts;
use parking_lot::Mutex;
use serde_json::Value;

use crate::call::Call;

/// The resources on which such an operation is under way.
#[derive(Debug, Default)]
pub(crate) struct Exclusive(Arc<Mutex<BTreeSet<String>>>);

/// The right to work on a resource, until it is dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    resource: String,
    busy: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.resource);
    }
}

/// Another operation is under way.
#[derive(Debug)]
pub(crate) struct Busy;

impl Exclusive {
    /// Enters the resource of a call, if the call is one that works on it alone.
    pub(crate) fn enter(
        &self,
        call: &Call,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Option<Entered>, Busy> {
        let Some(resource) = resource(call, parts, body) else { return Ok(None) };
        let resource = format!("{}/{}/{}/{resource}", call.account, call.region, call.prefix());
        if !self.0.lock().insert(resource.clone()) {
            return Err(Busy);
        }
        Ok(Some(Entered { resource, busy: Arc::clone(&self.0) }))
    }
}

/// What a call works on alone, as the last part of its ARN.
fn resource(call: &Call, parts: &Parts, body: &Bytes) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let parameter = |text: &[u8], name: &str| {
        parse_query_body(&Bytes::copy_from_slice(text)).get(name).cloned()
    };
    let member = |name: &str| {
        let members: Value = serde_json::from_slice(body).ok()?;
        members[name].as_str().map(str::to_owned)
    };
    let last = || parts.uri.path().rsplit('/').next().map(str::to_owned);
    let of_arn = |arn: String| arn.splitn(6, ':').last().map(str::to_owned);
    match call.action.as_str() {
        "sns:CreateTopic" => parameter(body, "Name"),
        "sns:TagResource" | "sns:UntagResource" => parameter(body, "ResourceArn").and_then(of_arn),
        "ses:CreateEmailIdentity" => member("EmailIdentity").map(|name| format!("identity/{name}")),
        "ses:DeleteEmailIdentity" => last().map(|name| format!("identity/{name}")),
        "ses:CreateConfigurationSet" => {
            member("ConfigurationSetName").map(|name| format!("configuration-set/{name}"))
        }
        "ses:DeleteConfigurationSet" => last().map(|name| format!("configuration-set/{name}")),
        "ses:CreateDedicatedIpPool" => {
            member("PoolName").map(|name| format!("dedicated-ip-pool/{name}"))
        }
        "ses:DeleteDedicatedIpPool" => last().map(|name| format!("dedicated-ip-pool/{name}")),
        "ses:TagResource" => member("ResourceArn").and_then(of_arn),
        "ses:UntagResource" => parameter(query.as_bytes(), "ResourceArn").and_then(of_arn),
        _ => None,
    }
}
