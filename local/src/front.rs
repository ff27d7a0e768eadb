//! What every request passes before its service: it is logged, delayed, struck by faults and limited here, and here
//! stale reads are answered from a copy of the world as it was. Everything a client could notice of AWS's being far
//! away and busy is in this file.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, Query};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use fakecloud_core::dispatch::{DispatchConfig, dispatch};
use fakecloud_core::registry::ServiceRegistry;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use parking_lot::Mutex;

use crate::call::{Call, ERROR_CODE};
use crate::credentials::Callers;
use crate::exclusive::Exclusive;
use crate::faults::{Effect, Faults};
use crate::limits::Buckets;
use crate::log::{CallLog, reads};
use crate::services;
use crate::tagging::Sightings;
use crate::world::World;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(crate) struct Cut;

/// The way into one cloud.
pub(crate) struct Front {
    pub(crate) world: Arc<World>,
    pub(crate) log: CallLog,
    pub(crate) faults: Faults,
    buckets: Buckets,
    exclusive: Exclusive,
    callers: Arc<Callers>,
    services: Arc<ServiceRegistry>,
    enforcing: Arc<DispatchConfig>,
    trusting: Arc<DispatchConfig>,
    /// The services over the world as it was before each recent write, oldest first.
    past: Mutex<VecDeque<(DateTime<Utc>, Arc<ServiceRegistry>)>>,
}

impl Front {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let callers = Callers::of(&world.iam);
        let dispatching = |enforce| {
            Arc::new(services::dispatching(&world, Arc::clone(&callers) as Arc<_>, enforce))
        };
        Self {
            log: CallLog::default(),
            faults: Faults::default(),
            buckets: Buckets::default(),
            exclusive: Exclusive::default(),
            services: Arc::new(services::registry(&world)),
            enforcing: dispatching(true),
            trusting: dispatching(false),
            past: Mutex::default(),
            callers,
            world,
        }
    }

    /// Answers one request to a service, or cuts the connection.
    pub(crate) async fn answer(
        &self,
        parts: Parts,
        body: Bytes,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Cut> {
        let options = self.world.options.read().clone();
        let Some(call) = Call::of(&parts, &body, self.callers.as_ref(), &options) else {
            return Ok(self.dispatch(&self.services, false, parts, body, peer).await);
        };
        let asked = if reads(call.operation()) { asked(&parts, &body) } else { String::new() };
        let entry = self.log.begin(&call.action, &call.account, &call.region, asked);
        let entered = self.exclusive.enter(&call, &parts, &body);
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        let strike = self.faults.strike(&call.action);
        match strike {
            Some(Effect::Refuse) => {
                self.faults.has_struck();
                return Err(Cut);
            }
            Some(Effect::Hang) => {
                self.faults.has_struck();
                drop(entered);
                return std::future::pending().await;
            }
            _ => {}
        }
        let admitted = self.buckets.admit(
            options.limits,
            &call.account,
            &call.region,
            &call.action,
            Instant::now(),
        );
        let throttled = !admitted || strike == Some(Effect::Throttle);
        let response = match refused(&call, strike) {
            Some(refusal) => refusal,
            None if !admitted => call.throttled(),
            None if entered.is_err() => call.concurrent(),
            None => {
                let services = self.services_for(&call);
                self.named(&call, self.dispatch(&services, call.is_free(), parts, body, peer).await)
                    .await
            }
        };
        drop(entered);
        if strike.is_some() {
            self.faults.has_struck();
        }
        match strike {
            Some(Effect::LoseResponse) => return Err(Cut),
            Some(Effect::HangAfter) => return std::future::pending().await,
            _ => {}
        }
        let error = response
            .headers()
            .get(ERROR_CODE)
            .and_then(|code| code.to_str().ok())
            .map(str::to_owned);
        self.log.finish(entry, response.status().as_u16(), error, throttled);
        Ok(response)
    }

    /// The services that answer a call: those over the past for a stale read, otherwise those over the present.
    fn services_for(&self, call: &Call) -> Arc<ServiceRegistry> {
        let (stale, remembers) = {
            let options = self.world.options.read();
            (options.stale_reads, options.tagging_lag.max(options.ghosts))
        };
        let (reading, now) = (reads(call.operation()), self.world.clock.now());
        if !reading && !remembers.is_zero() {
            Sightings::remember(&self.world, &call.account);
        }
        let mut past = self.past.lock();
        past.retain(|(when, _)| since(*when, now) < stale);
        if stale.is_zero() || !EVENTUAL.contains(&call.prefix()) {
            return Arc::clone(&self.services);
        }
        if !reading {
            let then = Arc::new(services::registry(&Arc::new(self.world.copy())));
            past.push_back((now, then));
            return Arc::clone(&self.services);
        }
        past.front().map_or_else(|| Arc::clone(&self.services), |(_, then)| Arc::clone(then))
    }

    async fn dispatch(
        &self,
        services: &Arc<ServiceRegistry>,
        free: bool,
        parts: Parts,
        body: Bytes,
        peer: SocketAddr,
    ) -> Response<Body> {
        let config = if self.world.options.read().enforce_iam && !free {
            &self.enforcing
        } else {
            &self.trusting
        };
        let query = Query::try_from_uri(&parts.uri).unwrap_or_default();
        dispatch(
            ConnectInfo(peer),
            Extension(Arc::clone(services)),
            Extension(Arc::clone(config)),
            query,
            Request::from_parts(parts, Body::from(body)),
        )
        .await
    }

    /// The dispatcher calls every denial `AccessDeniedException`; some services call theirs otherwise.
    async fn named(&self, call: &Call, response: Response<Body>) -> Response<Body> {
        const GENERAL: &str = "AccessDeniedException";
        let denied = response.status() == StatusCode::FORBIDDEN
            && response.headers().get(ERROR_CODE).is_some_and(|code| code == GENERAL);
        if !denied {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        // The length of a text is part of CBOR, so nothing can be replaced within it.
        if let Some(message) = call.message_in(&body) {
            let said = message.split(" Encoded authorization").next().unwrap_or_default();
            return call.denied_since(&format!("{said} because no policy allows it"));
        }
        let text = String::from_utf8_lossy(&body);
        // Only EC2 appends an encoded message.
        let short = match text.split_once(" Encoded authorization failure message: ") {
            Some((start, rest)) => {
                let end = rest.find(['<', '"']).unwrap_or(rest.len());
                format!("{start} because no policy allows it{}", &rest[end..])
            }
            None => text.into_owned(),
        };
        let code = call.denial();
        parts.headers.remove(http::header::CONTENT_LENGTH);
        if let Ok(value) = code.parse() {
            parts.headers.insert(ERROR_CODE, value);
        }
        Response::from_parts(parts, Body::from(short.replace(GENERAL, code)))
    }
}

/// The answer to a call that a fault refuses.
fn refused(call: &Call, strike: Option<Effect>) -> Option<Response<Body>> {
    match strike? {
        Effect::Throttle => Some(call.throttled()),
        Effect::ServerError => Some(call.failed()),
        Effect::Deny => Some(call.denied()),
        Effect::ExpireToken => Some(call.expired()),
        Effect::Refuse | Effect::Hang | Effect::LoseResponse | Effect::HangAfter => None,
    }
}

/// How long ago `when` is.
pub(crate) fn since(when: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (now - when).to_std().unwrap_or_default()
}

/// Services whose reads AWS lets lag behind their writes. STS, SSM and Route 53's listings do not.
const EVENTUAL: [&str; 5] = ["ses", "sns", "sqs", "iam", "cloudwatch"];

/// What tells a request from others of its operation.
fn asked(parts: &Parts, body: &Bytes) -> String {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    format!("{path} {}", String::from_utf8_lossy(body)).trim_end().to_owned()
}
