//! The routes of signing in, and what they have in common.

use std::net::IpAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use http::header::{CONTENT_TYPE, HOST, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::passkey::Site;
use super::{Login, Refusal, factor_routes, session_routes};
use crate::caller::Peer;

/// Longest body of a request here, in bytes: a passkey's key is some hundreds.
const BODY_BYTES: usize = 32 << 10;

/// `/api/v1/session` and `/api/v1/me`.
pub fn routes<S: Clone + Send + Sync + 'static>(sign_in: Login) -> Router<S> {
    Router::new()
        .route(
            "/api/v1/session",
            get(session_routes::show).post(session_routes::password).delete(session_routes::sign_out),
        )
        .route("/api/v1/session/totp", post(session_routes::code))
        .route("/api/v1/session/passkey/begin", post(session_routes::passkey_begin))
        .route("/api/v1/session/passkey/finish", post(session_routes::passkey_finish))
        .route("/api/v1/me/sessions", get(session_routes::list).delete(session_routes::end_others))
        .route("/api/v1/me/sessions/{id}", delete(session_routes::end_one))
        .route("/api/v1/me/factors", get(factor_routes::show))
        .route("/api/v1/me/totp/begin", post(factor_routes::app_begin))
        .route("/api/v1/me/totp/confirm", post(factor_routes::app_confirm))
        .route("/api/v1/me/totp/remove", post(factor_routes::app_remove))
        .route("/api/v1/me/recovery", post(factor_routes::codes))
        .route("/api/v1/me/passkeys/begin", post(factor_routes::passkey_begin))
        .route("/api/v1/me/passkeys/finish", post(factor_routes::passkey_finish))
        .route("/api/v1/me/passkeys/remove", post(factor_routes::passkey_remove))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(sign_in)
}

/// Where a request comes from, and to what name.
pub(crate) struct Visitor {
    pub(crate) peer: IpAddr,
    pub(crate) headers: HeaderMap,
    pub(super) method: http::Method,
    /// None where passkeys cannot be used.
    pub(super) site: Option<Site>,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Whoever cannot be told apart would share one brake with all others.
        let peer = Peer::of(parts).ok_or(Refusal::NotNow)?;
        let authority = authority(parts);
        let site = authority.as_deref().and_then(Site::new);
        Ok(Self { peer: peer.ip().to_canonical(), headers: parts.headers.clone(), method: parts.method.clone(), site })
    }
}

/// What the request calls this host: `:authority` of HTTP/2, or `Host`.
fn authority(parts: &Parts) -> Option<String> {
    let of_target = parts.uri.authority().map(ToString::to_string);
    of_target.or_else(|| Some(parts.headers.get(HOST)?.to_str().ok()?.to_owned()))
}

/// A JSON body. Pages of other sites cannot send one without asking first, since its media type is
/// demanded (Fetch §4.10, "CORS-safelisted").
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::Invalid("the body must be application/json".to_owned()));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Refusal::Invalid("the body is too long, or broke off".to_owned()))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Refusal::Invalid(format!("the body: {error}")))
    }
}

/// An answer that sets cookies.
pub(crate) fn with_cookies(
    body: &serde_json::Value,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Response {
    let mut response = axum::Json(body).into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
