//! HTTP on a loopback port. Each connection is a task; ending the server ends them all.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::control;
use crate::front::{Cut, Front};

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, front: Arc<Front>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        // A client that is gone again before it is accepted is no concern of ours.
        if let Ok((stream, peer)) = listener.accept().await {
            connections.spawn(connection(stream, peer, Arc::clone(&front)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, front: Arc<Front>) {
    // Without this, answers in two packets wait for an acknowledgement that the client delays.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, peer, Arc::clone(&front)));
    // A connection that is cut on purpose ends as an error as well.
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    front: Arc<Front>,
) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    if let Some(path) = parts.uri.path().strip_prefix(control::PREFIX) {
        return Ok(control::answer(&front, &parts.method, path, &body));
    }
    front.answer(parts, body, peer).await
}
