//! SES v2: the control plane, sending and event delivery of the local cloud, per account and Region.
//!
//! Strict where AWS is strict, so that a wrong order of calls fails here as it would there: every Put replaces its group,
//! nothing is verified before its records are in the DNS, and nothing refers to what is not there.

#![expect(
    clippy::disallowed_types,
    reason = "the service trait's own types; they are only looked up in"
)]

mod account;
mod authorization;
mod call;
mod contacts;
mod control;
mod delivery;
mod destinations;
mod dkim;
mod dns;
mod errors;
mod events;
mod identities;
mod input;
mod keys;
mod ledger;
mod mail_from;
mod message;
mod options;
mod outcomes;
mod perform;
mod policies;
mod pools;
pub mod ports;
mod rendering;
mod routes;
mod search;
mod sending;
mod sets;
mod state;
mod suppression;
mod tags;
mod templates;
mod tenants;
mod verification;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_core::tag_index::TaggedResource;
use parking_lot::RwLock;
use serde_json::Value;

pub(crate) use control::control;
pub use ledger::Sent;
pub use ports::Dependencies;
pub use state::State;

use account::{Enforcement, Review};
use call::Call;
use routes::Route;
use state::Place;

/// SES of all accounts and Regions.
#[derive(Clone)]
pub struct SesCloud {
    state: SharedSesState,
    with: Dependencies,
}

/// The state of SES, which outlives the services over it.
pub type SharedSesState = Arc<RwLock<State>>;

/// What the reviewers of an account's details decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Out of the sandbox.
    Granted,
    /// Stays in the sandbox, and the API takes no further details.
    Denied,
    /// The request was never received.
    Failed,
}

impl SesCloud {
    /// SES over a state.
    #[must_use]
    pub fn new(state: SharedSesState, with: Dependencies) -> Self {
        Self { state, with }
    }

    /// The messages that were accepted from an account in a Region, oldest first.
    #[must_use]
    pub fn sent(&self, account: &str, region: &str) -> Vec<Sent> {
        let state = self.state.read();
        let regional = state.look(account, region);
        regional
            .map(|regional| regional.ledger.messages.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The owner of an address follows the link in the mail; false if none was sent in the last day.
    #[must_use]
    pub fn follow_link(&self, account: &str, region: &str, address: &str) -> bool {
        let now = (self.with.clock)();
        let mut state = self.state.write();
        let identities = &mut state.regional(&place(account, region)).identities;
        let waiting = identities.get_mut(address).filter(|identity| {
            identity.link_sent.is_some_and(|sent| now - sent < 24 * 60 * 60 * 1000)
        });
        let Some(identity) = waiting else { return false };
        identity.verified = true;
        true
    }

    /// The reviewers decide on the account's details.
    pub fn decide(&self, account: &str, region: &str, decision: Decision) {
        let review = match decision {
            Decision::Granted => Review::Granted,
            Decision::Denied => Review::Denied,
            Decision::Failed => Review::Failed,
        };
        self.state.write().regional(&place(account, region)).account.decide(review);
    }

    /// AWS pauses an account's sending, or lets it send again.
    pub fn enforce(&self, account: &str, region: &str, paused: bool) {
        let enforcement = if paused { Enforcement::Shutdown } else { Enforcement::Healthy };
        self.state.write().regional(&place(account, region)).account.enforcement = enforcement;
    }

    /// AWS puts an account under review for its bounces or complaints, or is content again.
    pub fn review_sending(&self, account: &str, region: &str, under_review: bool) {
        let state = if under_review { Enforcement::Probation } else { Enforcement::Healthy };
        self.state.write().regional(&place(account, region)).account.enforcement = state;
    }

    /// Recipients that an account may send to in 24 hours, and in a second.
    #[must_use]
    pub fn quota(&self, account: &str, region: &str) -> (f64, f64) {
        let state = self.state.read();
        let of = state.look(account, region).map(|regional| &regional.account);
        let fresh = account::Account::default();
        let of = of.unwrap_or(&fresh);
        (of.per_day, of.per_second)
    }

    /// AWS grants an account another quota.
    pub fn grant(&self, account: &str, region: &str, per_day: f64, per_second: f64) {
        let mut state = self.state.write();
        let of = &mut state.regional(&place(account, region)).account;
        (of.per_day, of.per_second) = (per_day, per_second);
    }

    /// What CloudWatch counted at a time gone by, as if mail had been sent then.
    pub fn count(&self, account: &str, region: &str, metric: &'static str, at: i64, value: f64) {
        let datum = ports::Datum { metric, value, dimensions: BTreeMap::new(), at };
        self.with.sinks.metric(account, region, &datum);
    }

    fn answer(&self, request: &AwsRequest) -> Result<Value, AwsServiceError> {
        let route = routes::route(&request.method, &request.path_segments)
            .ok_or_else(errors::unknown_operation)?;
        let body = body(request)?;
        let (reply, deliveries) = self.call(request, &route, &body, |call| {
            let reply = (route.handler)(call);
            (reply, std::mem::take(&mut call.deliveries))
        });
        let place = place(&request.account_id, &request.region);
        delivery::deliver(&place, &self.with, deliveries);
        reply
    }

    /// Does something with a request while nobody else has the state.
    fn call<T>(
        &self,
        request: &AwsRequest,
        route: &Route,
        body: &Value,
        work: impl FnOnce(&mut Call<'_>) -> T,
    ) -> T {
        let mut state = self.state.write();
        work(&mut Call {
            request,
            body,
            labels: &route.labels,
            place: place(&request.account_id, &request.region),
            now: (self.with.clock)(),
            with: &self.with,
            settings: (self.with.settings)(),
            state: &mut state,
            deliveries: Vec::new(),
        })
    }
}

/// The operation that a request asks for, as in `GetEmailIdentity`.
#[must_use]
pub fn operation(method: &http::Method, path: &str) -> Option<&'static str> {
    let segments = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned);
    routes::route(method, &segments.collect::<Vec<_>>()).map(|route| route.operation)
}

fn place(account: &str, region: &str) -> Place {
    Place { account: account.to_owned(), region: region.to_owned() }
}

fn body(request: &AwsRequest) -> Result<Value, AwsServiceError> {
    if request.body.is_empty() {
        return Ok(paging(request));
    }
    serde_json::from_slice(&request.body)
        .map_err(|_| errors::serialization("The request is not valid JSON"))
}

/// The members of a list that is asked for without a body.
fn paging(request: &AwsRequest) -> Value {
    let mut members = serde_json::Map::new();
    if let Some(token) = request.query_params.get("NextToken") {
        members.insert("NextToken".to_owned(), Value::from(token.clone()));
    }
    if let Some(size) =
        request.query_params.get("PageSize").and_then(|size| size.parse::<i64>().ok())
    {
        members.insert("PageSize".to_owned(), Value::from(size));
    }
    Value::Object(members)
}

#[async_trait]
impl AwsService for SesCloud {
    fn service_name(&self) -> &'static str {
        "ses"
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        let mut response = AwsResponse::ok_json(self.answer(&request)?);
        "application/json".clone_into(&mut response.content_type);
        Ok(response)
    }

    fn supported_actions(&self) -> &[&str] {
        routes::operations()
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        self.iam_actions_for(request).into_iter().next()
    }

    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        let Some(route) = routes::route(&request.method, &request.path_segments) else {
            return Vec::new();
        };
        // A body that cannot be read is refused by the operation, after the caller's rights are known.
        let body = body(request).unwrap_or(Value::Null);
        self.call(request, &route, &body, |call| authorization::actions(call, &route))
    }

    fn iam_condition_keys_for(
        &self,
        request: &AwsRequest,
        action: &IamAction,
    ) -> BTreeMap<String, Vec<String>> {
        authorization::condition_keys(request, action)
    }

    fn resource_tags_for(&self, resource_arn: &str) -> Option<HashMap<String, String>> {
        let arn = state::Arn::parse(resource_arn)?;
        let state = self.state.read();
        let place = place(arn.account, arn.region);
        let regional = state.look(arn.account, arn.region)?;
        let all = tags::all(regional, &place);
        let found = all.into_iter().find(|(known, ..)| known == resource_arn);
        Some(found.map(|(_, _, tags)| tags.clone().into_iter().collect()).unwrap_or_default())
    }

    fn request_tags_from(
        &self,
        request: &AwsRequest,
        _action: &str,
    ) -> Option<HashMap<String, String>> {
        Some(authorization::request_tags(request).into_iter().collect())
    }
}

/// The resources of an account that the tagging service knows. Templates and tenants take tags, but it knows none.
#[must_use]
pub fn tagged(state: &State, account: &str) -> Vec<TaggedResource> {
    const KNOWN: &[&str] =
        &["ses:identity", "ses:configuration-set", "ses:contact-list", "ses:dedicated-ip-pool"];
    let regions = state.accounts.get(account).into_iter().flatten();
    let all = regions.flat_map(|(region, regional)| {
        let place = place(account, region);
        let tagged = tags::all(regional, &place).into_iter();
        tagged
            .filter(|(_, kind, _)| KNOWN.contains(kind))
            .map(|(arn, kind, tags)| TaggedResource::new(arn, kind, tags.clone()))
            .collect::<Vec<_>>()
    });
    all.collect()
}
