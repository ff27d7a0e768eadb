//! The cloud's own controls over HTTP, below `/_local/`, for tests that run the real binary and for whoever serves a
//! cloud and wants to see or change how it behaves.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::front::Front;
use crate::options::Options;
use crate::ses;

/// Where the controls are.
pub(crate) const PREFIX: &str = "/_local/";

/// What a control answers, or what is wrong with the request.
type Outcome = Result<Value, String>;

pub(crate) fn answer(front: &Front, method: &Method, path: &str, body: &Bytes) -> Response<Body> {
    let outcome = match (method.as_str(), path) {
        ("GET", "health") => Ok(json!({ "status": "running" })),
        ("GET", "calls") => Ok(
            json!({ "calls": front.log.entries(), "counts": front.log.counts(), "total": front.log.total() }),
        ),
        ("DELETE", "calls") => {
            front.log.clear();
            Ok(json!({}))
        }
        ("GET", "faults") => Ok(json!({ "faults": front.faults.armed() })),
        ("POST", "faults") => arm(front, body),
        ("DELETE", "faults") => {
            front.faults.clear();
            Ok(json!({}))
        }
        ("GET", "options") => {
            serde_json::to_value(&*front.world.options.read()).map_err(|error| error.to_string())
        }
        ("PATCH", "options") => change(front, body),
        ("GET", "clock") => Ok(json!({ "now": front.world.clock.now().to_rfc3339() })),
        ("POST", "clock") => advance(front, body),
        (method, path) if path.starts_with("ses/") => {
            ses::control(&front.world, method, path, body)
        }
        _ => {
            return text(
                StatusCode::NOT_FOUND,
                &json!({ "message": format!("no control {method} {path}") }),
            );
        }
    };
    match outcome {
        Ok(value) => text(StatusCode::OK, &value),
        Err(message) => text(StatusCode::BAD_REQUEST, &json!({ "message": message })),
    }
}

fn arm(front: &Front, body: &Bytes) -> Outcome {
    let fault: Fault = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    front.faults.arm(fault);
    Ok(json!({}))
}

/// Changes the given options and leaves the others.
fn change(front: &Front, body: &Bytes) -> Outcome {
    let changes: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut options = front.world.options.write();
    let mut value = serde_json::to_value(&*options).map_err(|error| error.to_string())?;
    if let Some(members) = value.as_object_mut() {
        members.extend(changes);
    }
    *options =
        serde_json::from_value::<Options>(value.clone()).map_err(|error| error.to_string())?;
    Ok(value)
}

fn advance(front: &Front, body: &Bytes) -> Outcome {
    let request: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let seconds = request["advance"].as_f64().ok_or("`advance` is a number of seconds")?;
    let by = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    front.world.clock.advance(by);
    Ok(json!({ "now": front.world.clock.now().to_rfc3339() }))
}

fn text(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}
