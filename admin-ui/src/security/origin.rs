//! Requests that change something come from pages of this console, or from no browser at all.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

use crate::sign_in::Refusal;

pub(super) async fn check(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_own(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(origin = ?request.headers().get(ORIGIN), "refused: a request from another site's page");
    Refusal::CrossOrigin.into_response()
}

/// By what browsers say and pages cannot change (Fetch §3.1, Fetch Metadata §2.3). Programs say neither;
/// there are no cookies to be misused then.
fn is_own(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return true };
    let host =
        uri.authority().map(|authority| authority.to_string().to_ascii_lowercase()).or_else(|| text(HOST.as_str()));
    let own = origin.strip_prefix("https://").map(|origin| origin.trim_end_matches(":443"));
    own.is_some() && own == host.as_deref().map(|host| host.trim_end_matches(":443"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_pages_of_this_host_count_as_own() {
        let own = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
            });
            is_own(&Uri::from_static("/api/v1/session"), &headers.collect())
        };
        let host = ("host", "console.example:5443");
        assert!(own(&[host]) && own(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(own(&[host, ("origin", "https://console.example:5443")]));
        assert!(own(&[("host", "console.example:443"), ("origin", "https://console.example")]));
        for wrong in ["null", "https://console.example", "http://console.example:5443", "https://evil.example", ""] {
            assert!(!own(&[host, ("origin", wrong)]), "{wrong}");
        }
        for wrong in ["same-site", "cross-site", "none"] {
            assert!(!own(&[host, ("origin", "https://console.example:5443"), ("sec-fetch-site", wrong)]), "{wrong}");
        }
        assert!(!own(&[("origin", "https://console.example")]), "to no host");
    }
}
