//! Until an owner exists, nobody is let in but from the machine itself.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

use super::Guard;
use crate::caller::Peer;
use crate::sign_in::Refusal;

/// Headers by which a proxy says that it speaks for somebody else, besides those that begin with `x-forwarded-`.
const FORWARDED: [&str; 6] = ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"];

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
    is_here && !is_forwarded(request.headers()) && is_called_local(request)
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-forwarded-") || FORWARDED.contains(&name.as_str()))
}

/// Whether the request means this machine by a name of its own. By any other, a page from elsewhere
/// could have had its name point here (DNS rebinding), and a browser of this machine speak for it.
fn is_called_local(request: &Request) -> bool {
    let of_target = request.uri().authority().map(|it| it.as_str().to_owned());
    let named = || Some(request.headers().get(HOST)?.to_str().ok()?.to_owned());
    let Some(Ok(authority)) = of_target.or_else(named).map(|text| text.parse::<Authority>()) else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_this_machine_by_a_name_of_its_own_is_local() {
        let local = |from: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/setup");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo(Peer(from.parse().unwrap())));
            is_local(&request)
        };
        for host in ["localhost:5443", "LOCALHOST", "127.0.0.1:5443", "[::1]:5443", "xylem.localhost"] {
            assert!(local("127.0.0.1:4", &[("host", host)]), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.0.2.1", "", "127.0.0.1.evil.example:5443"] {
            assert!(!local("127.0.0.1:4", &[("host", host)]), "{host}");
        }
        assert!(!local("127.0.0.1:4", &[]));
        assert!(!local("192.0.2.1:4", &[("host", "localhost")]));
        assert!(local("[::ffff:127.0.0.1]:4", &[("host", "localhost")]));
        for name in ["x-forwarded-for", "x-forwarded-proto", "via", "forwarded", "cf-connecting-ip"] {
            assert!(!local("127.0.0.1:4", &[("host", "localhost"), (name, "1")]), "{name}");
        }
    }
}
