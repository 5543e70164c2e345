//! Why a request was not granted, as the browser is told (RFC 9457).

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::RETRY_AFTER;

use super::backend::Unavailable;
use crate::problem::Problem;

/// The kinds are stable; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is signed in; whether there is anybody who could.
    #[error("sign in first")]
    NotSignedIn { setup: bool },
    /// Wrong password, no such account, or one that may not sign in.
    #[error("account and password do not fit")]
    WrongCredentials,
    /// The password that was asked for once more.
    #[error("this is not your password")]
    WrongPassword,
    #[error("this code is not right, or it was used already")]
    WrongCode,
    #[error("the passkey was not accepted")]
    WrongPasskey,
    /// What was begun is over or never was.
    #[error("this took too long; begin again")]
    StepOver,
    #[error("too many failures; try again later")]
    TooManyFailures { retry_after: Duration },
    #[error("the request does not come from a page of this console")]
    CrossOrigin,
    #[error("the request has no token, or not that of the session")]
    WrongToken,
    #[error("until an owner exists the console answers on the server itself only: open it at https://localhost")]
    OnlyHere,
    #[error("{0}")]
    Invalid(String),
    #[error("there is no {0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(&'static str),
    #[error("not now: try again later")]
    NotNow,
}

impl Refusal {
    /// Names the kind for programs.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::NotSignedIn { .. } => "not-signed-in",
            Self::WrongCredentials => "wrong-credentials",
            Self::WrongPassword => "wrong-password",
            Self::WrongCode => "wrong-code",
            Self::WrongPasskey => "wrong-passkey",
            Self::StepOver => "step-over",
            Self::TooManyFailures { .. } => "too-many-requests",
            Self::CrossOrigin => "cross-origin",
            Self::WrongToken => "wrong-token",
            Self::OnlyHere => "only-here",
            Self::Invalid(_) => "invalid",
            Self::NotFound(_) => "not-found",
            Self::Conflict(_) => "conflict",
            Self::NotNow => "unavailable",
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        tracing::error!(%error, "the console cannot answer");
        Self::NotNow
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.slug(), refusal.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match &self {
            Self::NotSignedIn { setup } => not_signed_in(*setup),
            other => Problem::from(other.clone()).into_response(),
        };
        if let Self::TooManyFailures { retry_after } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().saturating_add(1)));
        }
        response
    }
}

/// Says as well whether there is anybody who could sign in, so that a page knows what to show.
fn not_signed_in(setup: bool) -> Response {
    let problem = Problem::from(Refusal::NotSignedIn { setup });
    let mut fields = serde_json::to_value(&problem).unwrap_or_default();
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("setup".to_owned(), setup.into());
    }
    let (parts, _) = problem.into_response().into_parts();
    Response::from_parts(parts, Body::from(fields.to_string()))
}
