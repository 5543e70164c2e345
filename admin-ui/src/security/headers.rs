//! Headers that make browsers careful.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, HOST, STRICT_TRANSPORT_SECURITY};

use super::Guard;

/// A year, in seconds: what RFC 6797 §6.1 calls `max-age`. Other hosts of the domain are not ours to speak for.
const INSIST: &str = "max-age=31536000";

/// Nothing but what this server itself serves, nowhere but in a window of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const ALWAYS: [(&str, &str); 8] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-dns-prefetch-control", "off"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), \
         payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

pub(super) async fn add(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let authority = request.uri().authority().map(|authority| authority.host().to_owned());
    let host = authority.or_else(|| {
        let host = request.headers().get(HOST)?.to_str().ok()?;
        Some(host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned())
    });
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // Over an untrusted certificate browsers ignore it; told later, it would lock out who clicked through.
    if host.is_some_and(|host| (guard.trusted)(&host)) {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(INSIST));
    }
    response
}
