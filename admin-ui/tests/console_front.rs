//! What stands before the routes: the first-run wizard, headers, bounds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "each file of tests uses some of it")]
#[path = "support/browser.rs"]
mod browser;
#[allow(dead_code, reason = "each file of tests uses some of it")]
#[path = "support/people.rs"]
mod people;

use std::sync::Arc;
use std::time::Duration;

use browser::{Page, Stage};
use http::{HeaderMap, HeaderValue, StatusCode};
use people::Town;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xylem_ops::Rank;

const PASSWORD: &str = "wherefore art thou";

async fn owned() -> Stage {
    let town = Town::default();
    town.settle("juliet@a.example", PASSWORD, Rank::Owner);
    Stage::of(Arc::new(town)).await
}

fn plan() -> Value {
    json!({
        "domain": "a.example", "certificate": { "kind": "self-signed" },
        "owner": { "name": "juliet", "password": PASSWORD }, "registration": "closed", "plugins": ["*"],
    })
}

/// RFC 9112 §9.6: the answer is not lost because its request is still being sent, and the connection goes on.
#[tokio::test]
async fn an_answer_before_the_end_of_a_request_is_seen() {
    let stage = owned().await;
    let mut stream = stage.connect(b"http/1.1").await;
    let body = "x".repeat(300_000);
    for _ in 0..2 {
        let head = "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\
            Content-Type: application/json\r\nContent-Length: 300000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 404 "), "{}", String::from_utf8_lossy(&answer[..length]));
        assert!(length < answer.len(), "the answer is read in one piece");
    }
}

#[tokio::test]
async fn who_has_the_code_sets_the_server_up_and_nobody_else() {
    let stage = Stage::of(Arc::new(Town::default())).await;
    let code = stage.setup.begin().unwrap();
    let mut browser = stage.browser();
    assert_eq!(browser.get("/session").await.json["setup"], true);
    assert_eq!(browser.get("/setup").await.json, json!({ "state": "code" }));
    assert_eq!(browser.post("/setup", plan()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.post("/setup/check", plan()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.post("/setup/code", json!({ "code": "AAAA-AAAA" })).await.kind(), "wrong-code");
    let page = browser.post("/setup/code", json!({ "code": code })).await;
    assert_eq!((page.status, page.json["state"].as_str()), (StatusCode::OK, Some("open")), "{page:?}");
    assert_eq!(browser.get("/setup").await.json["proposal"]["domains"], json!(["a.example"]));
    let mut thief = stage.browser();
    assert_eq!(thief.post("/setup/code", json!({ "code": code })).await.status, StatusCode::CONFLICT);
    thief.csrf.clone_from(&browser.csrf);
    assert_eq!(thief.post("/setup", plan()).await.status, StatusCode::UNAUTHORIZED);

    for (field, wrong) in [
        ("owner.password", json!({ "name": "juliet", "password": "juliet1234" })),
        ("owner.name", json!({ "name": "a@b", "password": PASSWORD })),
    ] {
        let mut plan = plan();
        plan["owner"] = wrong;
        let page = browser.post("/setup/check", plan.clone()).await;
        assert_eq!(page.json["problems"][0]["field"], field);
        let page = browser.post("/setup", plan).await;
        assert_eq!((&page.json["problems"][0]["field"], page.json.get("session")), (&json!(field), None));
    }
    let mut acme = plan();
    acme["certificate"] = json!({ "kind": "acme", "contact": "a@b.example", "terms_agreed": false });
    assert_eq!(browser.post("/setup/check", acme).await.json["problems"][0]["field"], "certificate");
    let mut acme = plan();
    acme["certificate"] = json!({ "kind": "acme", "contact": "", "terms_agreed": true });
    assert_eq!(browser.post("/setup/check", acme).await.json["problems"], json!([]));
    let offered = browser.get("/setup").await.json;
    assert_eq!(offered["certificates"], json!(["self-signed", "files", "acme"]));
    assert_eq!(offered["acme"]["directory"], "https://authority.example/directory");
    let token = browser.csrf.take();
    assert_eq!(browser.post("/setup", plan()).await.kind(), "wrong-token");
    browser.csrf = token;
    let page = browser.post("/setup", plan()).await;
    assert_eq!(page.json["session"]["role"], "owner", "{page:?}");
    assert_eq!(browser.get("/session").await.json["account"], "juliet@a.example");
    assert_eq!(browser.get("/setup").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post("/setup", plan()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.setup.begin(), None);
}

#[tokio::test]
async fn without_an_owner_only_the_machine_itself_is_let_in() {
    let stage = Stage::of(Arc::new(Town::default())).await;
    let mut browser = stage.browser();
    assert_eq!(browser.get("/setup").await.status, StatusCode::OK);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        browser.headers = HeaderMap::new();
        browser.headers.insert(header, HeaderValue::from_static("192.0.2.1"));
        for path in ["/setup", "/session", "/operations"] {
            let page = browser.get(path).await;
            assert_eq!((page.status, page.kind()), (StatusCode::FORBIDDEN, "only-here"), "{path}");
        }
        browser.headers.insert("accept", HeaderValue::from_static("text/html"));
        let page = browser.get("/../").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    stage.town.settle("juliet@a.example", PASSWORD, Rank::Owner);
    assert_eq!(browser.get("/session").await.status, StatusCode::UNAUTHORIZED);
}

fn is_careful(page: &Page, path: &str) {
    let header = |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let policy = header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
    assert!(header("permissions-policy").contains("camera=()"), "{path}");
    if path.starts_with("/api") {
        assert_eq!(header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn every_answer_is_careful() {
    let stage = owned().await;
    let mut browser = stage.browser();
    for path in ["/api/v1/session", "/api/v1/setup", "/api/v1/nothing", "/api/v1/me/sessions"] {
        let page = browser.get(path).await;
        is_careful(&page, path);
        assert!(!page.headers.contains_key("strict-transport-security"));
        is_careful(&browser.post(path, json!({})).await, path);
    }
    browser.headers.insert("origin", HeaderValue::from_static("https://evil.example"));
    is_careful(&browser.post("/api/v1/session", json!({})).await, "/api/v1/session");
    browser.headers.clear();
    browser.host = "trusted.example".to_owned();
    assert!(browser.get("/session").await.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn who_forgets_the_s_of_https_is_told() {
    let stage = owned().await;
    let mut plain = TcpStream::connect(stage.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
}

/// Sends bytes; what comes back until the connection ends, or for a while.
async fn raw(stage: &Stage, bytes: &[u8]) -> String {
    let mut stream = stage.connect(b"http/1.1").await;
    // The server may hang up in the middle.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut buffer)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn sizes_are_bounded_and_nothing_is_smuggled() {
    let stage = owned().await;
    let head = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(300_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "A: b\r\n".repeat(200));
    for request in [&long, &many] {
        let answer = raw(&stage, request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let body = "a".repeat(64 << 10);
    let answer = raw(&stage, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let answer = raw(&stage, format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let second = "GET /api/v1/second HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for smuggling in [
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}   {second}"),
        format!("{head}Transfer-Encoding: gzip\r\n\r\n{second}"),
        format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{second}"),
        format!("{head}Content-Length: -1\r\n\r\n{second}"),
        format!("{head}Content-Length: 99999999999999999999\r\n\r\n{second}"),
        format!("{head}Content-Length : 0\r\n\r\n{second}"),
        "GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n".to_owned(),
    ] {
        let answer = raw(&stage, smuggling.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{smuggling} {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count().min(2), usize::from(!answer.is_empty()), "{smuggling} {answer}");
    }
    // Both lengths: the chunks count (RFC 9112 §6.3), and what follows is not read as another request.
    let both = format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let answer = raw(&stage, both.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}
