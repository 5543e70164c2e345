//! What went wrong, as RFC 9457 has it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use xylem_ops::OpError;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem it is: `/problems/not-found`. It stays the same from version to version.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// This one in words, for people.
    detail: String,
}

/// Every kind: its slug, status and title.
pub(crate) const KINDS: [(&str, u16, &str); 20] = [
    ("unknown-operation", 404, "There is no such operation"),
    ("invalid", 400, "An argument is missing, unknown or out of its bounds"),
    ("not-allowed", 403, "The caller may not do this"),
    ("not-found", 404, "What it is about does not exist"),
    ("conflict", 409, "It exists already, or its state forbids this"),
    ("unavailable", 503, "Not now"),
    ("failed", 500, "The server failed; its log says more"),
    ("not-signed-in", 401, "Nobody is signed in"),
    ("method-not-allowed", 405, "This method is not for this address"),
    ("too-large", 413, "The request is too large"),
    ("not-json", 415, "A body has to be application/json"),
    ("too-many-requests", 429, "Too many requests"),
    ("wrong-credentials", 401, "Account and password do not fit"),
    ("wrong-password", 403, "The password that was asked for again is not right"),
    ("wrong-code", 403, "The code is not right, or was used already"),
    ("wrong-passkey", 403, "The passkey was not accepted"),
    ("step-over", 401, "What was begun is over"),
    ("wrong-token", 403, "The token against forged requests is missing or another one"),
    ("cross-origin", 403, "The request comes from another site"),
    ("only-here", 403, "Until there is an owner, only the machine itself is answered"),
];

impl Problem {
    /// One of `KINDS`, by its slug.
    #[must_use]
    pub fn new(slug: &str, detail: impl Into<String>) -> Self {
        let known = KINDS.iter().find(|(known, _, _)| *known == slug);
        let (slug, status, title) = known.copied().unwrap_or(("failed", 500, "The server failed; its log says more"));
        Self { kind: format!("/problems/{slug}"), title, status, detail: detail.into() }
    }

    /// Nobody is signed in, or no longer.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new("not-signed-in", "sign in, or send a token: Authorization: Bearer TOKEN")
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<OpError> for Problem {
    fn from(error: OpError) -> Self {
        let slug = match &error {
            OpError::UnknownOperation(_) => "unknown-operation",
            OpError::Invalid(_) => "invalid",
            OpError::Denied(_) => "not-allowed",
            OpError::NotFound(_) => "not-found",
            OpError::Conflict(_) => "conflict",
            OpError::Unavailable(_) => "unavailable",
            _ => "failed",
        };
        Self::new(slug, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(crate) async fn no_route() -> Problem {
    Problem::new("not-found", "there is nothing at this address; /api/v1/openapi.json says what there is")
}

pub(crate) async fn no_method() -> Problem {
    Problem::new("method-not-allowed", "there is something at this address, but not for this method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_kind() {
        let problem = Problem::from(OpError::Conflict("it is there".into()));
        assert_eq!((problem.kind.as_str(), problem.status), ("/problems/conflict", 409));
        let json = serde_json::to_value(&problem).unwrap_or_default();
        assert_eq!(json.get("type"), Some(&"/problems/conflict".into()));
        assert_eq!(json.get("detail"), Some(&"it is there".into()));
    }
}
