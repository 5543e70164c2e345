//! Answers on the wire in fewer bytes: gzip (RFC 9110 §8.4.1.3) where the client takes it.
//!
//! Bytes that were packed tell by their length what repeats in them. Whoever can have a request sent with words of
//! his own, and sees how long the answer is, could guess a secret that stands in the same answer (BREACH). So no answer is
//! packed that could hold one: none to a request that changes something, which new passwords and tokens are told
//! in, and none of the routes of signing in, of the own account, of the first start and of tokens.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Body as _;

/// What is shorter fits a packet or two as it is.
const LEAST: u64 = 1400;
/// What is longer would keep a thread for too long.
const MOST: u64 = 8 << 20;
/// From here on other tasks of the thread are let go on elsewhere.
const LONG: u64 = 256 << 10;
/// Below `/api/v1`; all that is under these.
const NEVER: [&str; 4] = ["session", "me", "setup", "tokens"];

/// Packs answers of the API.
pub(crate) async fn pack(request: Request, next: Next) -> Response {
    let wanted = request.method() == Method::GET && is_taken(request.headers()) && may_be(request.uri().path());
    let response = next.run(request).await;
    if !wanted || !is_json(&response) {
        return response;
    }
    match response.body().size_hint().exact() {
        Some(LEAST..=MOST) => packed(response).await,
        _ => response,
    }
}

/// Whether a client takes gzip (RFC 9110 §12.5.3).
pub(crate) fn is_taken(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        coding.trim().eq_ignore_ascii_case("gzip") && (weight.is_empty() || weight.parse().is_ok_and(|q: f32| q > 0.0))
    })
}

fn may_be(path: &str) -> bool {
    let Some(route) = path.strip_prefix("/api/v1/") else { return false };
    let first = route.split('/').next().unwrap_or_default();
    !NEVER.contains(&first)
}

fn is_json(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind == "application/json" && !headers.contains_key(header::CONTENT_ENCODING)
}

async fn packed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(plain) = to_bytes(body, usize::try_from(MOST).unwrap_or(usize::MAX)).await else {
        return Response::from_parts(head, Body::empty());
    };
    let small = if plain.len() as u64 > LONG {
        let plain = plain.clone();
        tokio::task::spawn_blocking(move || gzip(&plain)).await.ok().flatten()
    } else {
        gzip(&plain)
    };
    head.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some(small) = small.filter(|small| small.len() < plain.len()) else {
        return Response::from_parts(head, Body::from(plain));
    };
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(small.len()));
    Response::from_parts(head, Body::from(small))
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(4));
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_could_hold_a_secret_is_never_packed() {
        for path in
            ["session", "session/totp", "me/factors", "me/sessions", "setup", "setup/code", "tokens", "tokens/x"]
        {
            assert!(!may_be(&format!("/api/v1/{path}")), "{path}");
        }
        assert!(!may_be("/users"), "pages are packed beforehand");
        for path in ["operations", "openapi.json", "users", "sessions", "users/me@a.example"] {
            assert!(may_be(&format!("/api/v1/{path}")), "{path}");
        }
    }

    #[test]
    fn who_takes_gzip_says_so() {
        let asked =
            |value: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        for yes in ["gzip", "br, gzip;q=0.8", "deflate, GZIP", "gzip; q=1"] {
            assert!(is_taken(&asked(yes)), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip;q=0.0", "identity", "*;q=0"] {
            assert!(!is_taken(&asked(no)), "{no}");
        }
        assert!(!is_taken(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn what_is_packed_is_the_same() {
        let text = format!("[{}1]", "\"the same\",".repeat(50_000));
        let mut response = Response::new(Body::from(text.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(is_json(&response));
        let (head, body) = packed(response).await.into_parts();
        let small = to_bytes(body, usize::MAX).await.unwrap();
        assert!(small.len() * 50 < text.len() && head.headers.get(header::CONTENT_ENCODING).unwrap() == "gzip");
        assert_eq!(head.headers.get(header::CONTENT_LENGTH).unwrap().to_str().unwrap(), small.len().to_string());
        let mut back = String::new();
        flate2::read::GzDecoder::new(&small[..]).read_to_string(&mut back).unwrap();
        assert!(back == text);
    }
}
