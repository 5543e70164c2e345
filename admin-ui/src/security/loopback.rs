//! Until an owner exists, nobody is let in but from the machine itself.

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};

use super::Guard;
use crate::caller::Peer;
use crate::sign_in::Refusal;

/// Headers by which a proxy says that it speaks for somebody else.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Xylem</title>\n\
    <h1>This server is not set up yet</h1>\n\
    <p>Until it has an owner, its console answers on the machine itself only. Open it there, or through a tunnel:</p>\n\
    <pre>ssh -L 5443:localhost:5443 your-server</pre>\n\
    <p>and then <code>https://localhost:5443</code> here.</p>\n";

pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.people.has_owner() || is_local(&request) {
        return next.run(request).await;
    }
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") && !request.uri().path().starts_with("/api/") {
        return (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response();
    }
    Refusal::OnlyHere.into_response()
}

fn is_local(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let is_here = peer.is_some_and(|peer| peer.0.0.ip().to_canonical().is_loopback());
    is_here && !FORWARDED.iter().any(|name| request.headers().contains_key(*name))
}
