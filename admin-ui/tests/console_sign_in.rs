//! Signing in, over real TLS, as a browser does it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "each file of tests uses some of it")]
#[path = "support/authenticator.rs"]
mod authenticator;
#[allow(dead_code, reason = "each file of tests uses some of it")]
#[path = "support/browser.rs"]
mod browser;
#[allow(dead_code, reason = "each file of tests uses some of it")]
#[path = "support/people.rs"]
mod people;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use authenticator::Authenticator;
use browser::{Browser, Page, Stage};
use hmac::{Hmac, Mac as _};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use people::{FAILURES, Town};
use serde_json::{Value, json};
use sha1::Sha1;
use xylem_admin::sign_in::Deed;
use xylem_ops::Rank;

const JULIET: &str = "juliet@a.example";
const PASSWORD: &str = "wherefore art thou";

async fn stage() -> Stage {
    let town = Town::default();
    town.settle(JULIET, PASSWORD, Rank::Owner);
    Stage::of(Arc::new(town)).await
}

async fn signed_in(stage: &Stage) -> Browser<'_> {
    let mut browser = stage.browser();
    let page = browser.sign_in(JULIET, PASSWORD).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    browser
}

/// What an app shows; made here on its own (RFC 6238).
fn code(secret: &str, later: u64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret.chars().map(|c| format!("{:05b}", LETTERS.find(c).unwrap())).collect();
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    let step = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30 + later;
    let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// An app that is there; its secret, the codes on paper, and the code that was shown.
async fn with_app(browser: &mut Browser<'_>) -> (String, Vec<String>, String) {
    let begun = browser.post("/me/totp/begin", json!({ "password": PASSWORD })).await;
    let secret = begun.json["secret"].as_str().unwrap().to_owned();
    assert!(begun.json["uri"].as_str().unwrap().contains(&secret));
    let shown = code(&secret, 0);
    let confirmed = browser.post("/me/totp/confirm", json!({ "code": shown })).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{confirmed:?}");
    let codes = confirmed.json["recovery"].as_array().unwrap();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(), shown)
}

#[tokio::test]
async fn wrong_and_unknown_look_the_same_and_are_braked() {
    let stage = stage().await;
    let mut browser = stage.browser();
    let page = browser.get("/session").await;
    assert_eq!((page.status, page.kind()), (StatusCode::UNAUTHORIZED, "not-signed-in"));
    assert_eq!(page.json["setup"], false);
    let wrong = browser.sign_in(JULIET, "no").await;
    let unknown = browser.sign_in("nobody@a.example", "no").await;
    stage.town.settle("nurse@a.example", "peter peter", Rank::User);
    stage.town.change("nurse@a.example", |nurse| nurse.disabled = true);
    let disabled = browser.sign_in("nurse@a.example", "peter peter").await;
    for page in [&unknown, &disabled] {
        assert_eq!((page.status, &page.json), (wrong.status, &wrong.json));
    }
    assert_eq!((wrong.status, wrong.kind()), (StatusCode::UNAUTHORIZED, "wrong-credentials"));
    assert!(browser.cookies.is_empty());
    for _ in 3..FAILURES {
        browser.sign_in(JULIET, "no").await;
    }
    let blocked = browser.sign_in(JULIET, PASSWORD).await;
    assert_eq!((blocked.status, blocked.kind()), (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"));
    assert!(blocked.headers.contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn the_cookie_is_strict_and_the_session_says_who() {
    let stage = stage().await;
    let mut browser = stage.browser();
    let page = browser.sign_in(JULIET, PASSWORD).await;
    let cookie = page.headers.get_all(SET_COOKIE).iter().find(|c| c.to_str().unwrap().starts_with("__Host-xylem="));
    let cookie = cookie.unwrap().to_str().unwrap();
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let page = browser.get("/session").await;
    assert_eq!((page.json["account"].as_str(), page.json["role"].as_str()), (Some(JULIET), Some("owner")));
    assert_eq!(stage.town.deeds.lock().unwrap().as_slice(), [(JULIET.to_owned(), Deed::SignedIn)]);
    let rows = stage.town.rows.lock().unwrap().clone();
    let (cookie, csrf) = (&browser.cookies["__Host-xylem"], browser.csrf.as_ref().unwrap());
    for ((_, key), row) in rows {
        let text = format!("{} {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&row));
        assert!(!text.contains(cookie) && !text.contains(csrf), "a secret is kept: {text}");
    }
}

#[tokio::test]
async fn what_changes_something_needs_the_token_and_comes_from_here() {
    let stage = stage().await;
    let mut browser = signed_in(&stage).await;
    let token = browser.csrf.take();
    for wrong in [None, Some(String::new()), Some("AAAA".to_owned())] {
        browser.csrf = wrong;
        let page = browser.delete("/session").await;
        assert_eq!((page.status, page.kind()), (StatusCode::FORBIDDEN, "wrong-token"));
    }
    browser.csrf = token;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        browser.headers =
            [(http::HeaderName::from_static(name), HeaderValue::from_static(value))].into_iter().collect();
        let page = browser.delete("/session").await;
        assert_eq!((page.status, page.kind()), (StatusCode::FORBIDDEN, "cross-origin"), "{name}: {value}");
        let page = browser.sign_in(JULIET, PASSWORD).await;
        assert_eq!(page.kind(), "cross-origin", "nobody is signed in by another site either");
    }
    let origin = HeaderValue::from_str(&browser.origin()).unwrap();
    browser.headers = [(http::header::ORIGIN, origin)].into_iter().collect();
    let page = browser.delete("/session").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(browser.cookies.is_empty());
    assert!(stage.town.rows.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_is_not_read() {
    let stage = stage().await;
    let mut browser = stage.browser();
    browser.headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let body = json!({ "account": JULIET, "password": PASSWORD });
    let page = browser.send(http::Method::POST, "/session", Some(body)).await;
    assert!(page.status.is_client_error(), "{page:?}");
}

#[tokio::test]
async fn sessions_are_listed_ended_and_outlive_the_server() {
    let stage = stage().await;
    let (mut one, mut two, mut three) = (signed_in(&stage).await, signed_in(&stage).await, signed_in(&stage).await);
    let listed = one.get("/me/sessions").await;
    let items = listed.json["items"].as_array().unwrap();
    assert_eq!((items.len(), items.iter().filter(|item| item["current"] == true).count()), (3, 1));
    let id = two.get("/session").await.json["id"].as_str().unwrap().to_owned();
    assert_eq!(one.delete(&format!("/me/sessions/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(two.get("/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(one.delete(&format!("/me/sessions/{id}")).await.status, StatusCode::NOT_FOUND);
    let again = Stage::of(stage.town.clone()).await;
    let mut after = again.browser();
    after.cookies = three.cookies.clone();
    assert_eq!(after.get("/session").await.status, StatusCode::OK, "after a restart");
    assert_eq!(one.delete("/me/sessions").await.status, StatusCode::NO_CONTENT);
    assert_eq!(three.get("/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(one.get("/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_with_password_role_and_account() {
    let stage = stage().await;
    for change in [
        |juliet: &mut people::Person| juliet.password = "another one".into(),
        |juliet: &mut people::Person| juliet.role.rank = Rank::Auditor,
        |juliet: &mut people::Person| juliet.disabled = true,
    ] {
        stage.town.settle(JULIET, PASSWORD, Rank::Owner);
        let mut browser = signed_in(&stage).await;
        stage.town.change(JULIET, change);
        assert_eq!(browser.get("/session").await.status, StatusCode::UNAUTHORIZED);
        stage.town.settle(JULIET, PASSWORD, Rank::Owner);
        assert_eq!(browser.get("/session").await.status, StatusCode::UNAUTHORIZED, "it does not come back");
    }
}

#[tokio::test]
async fn an_app_is_asked_for_and_its_codes_are_good_once() {
    let stage = stage().await;
    let mut browser = signed_in(&stage).await;
    let page = browser.post("/me/totp/begin", json!({ "password": "no" })).await;
    assert_eq!((page.status, page.kind()), (StatusCode::FORBIDDEN, "wrong-password"));
    let (secret, codes, shown) = with_app(&mut browser).await;
    let rows = stage.town.rows.lock().unwrap().clone();
    assert!(rows.values().all(|row| !String::from_utf8_lossy(row).contains(&codes[0])), "codes are kept sealed");
    let mut other = stage.browser();
    let page = other.sign_in(JULIET, PASSWORD).await;
    assert_eq!((page.json["next"].as_str(), page.json["account"].as_str()), (Some("totp"), None));
    assert!(!other.cookies.contains_key("__Host-xylem"));
    assert_eq!(other.get("/session").await.status, StatusCode::UNAUTHORIZED, "half is nothing");
    let replayed = other.post("/session/totp", json!({ "code": shown })).await;
    assert_eq!((replayed.status, replayed.kind()), (StatusCode::FORBIDDEN, "wrong-code"));
    let next = code(&secret, 1);
    let page = other.post("/session/totp", json!({ "code": next })).await;
    assert_eq!((page.status, page.json["factor"].as_str()), (StatusCode::OK, Some("totp")));
    let mut third = stage.browser();
    third.sign_in(JULIET, PASSWORD).await;
    assert_eq!(third.post("/session/totp", json!({ "code": next })).await.kind(), "wrong-code", "in another browser");
    let page = third.post("/session/totp", json!({ "code": codes[0] })).await;
    assert_eq!((page.status, page.json["factor"].as_str()), (StatusCode::OK, Some("recovery")));
    let mut fourth = stage.browser();
    fourth.sign_in(JULIET, PASSWORD).await;
    assert_eq!(fourth.post("/session/totp", json!({ "code": codes[0] })).await.kind(), "wrong-code");
    let page = third.get("/me/factors").await;
    assert_eq!((page.json["recovery"].as_u64(), page.json["totp"].is_object()), (Some(9), true));
    assert_eq!(third.post("/me/totp/remove", json!({ "password": PASSWORD })).await.status, StatusCode::OK);
    let page = signed_in(&stage).await.get("/me/factors").await;
    assert_eq!(page.json["recovery"].as_u64(), Some(0), "codes stand in for nothing");
}

#[tokio::test]
async fn guessing_codes_is_braked_for_the_account() {
    let stage = stage().await;
    let (secret, codes, _) = with_app(&mut signed_in(&stage).await).await;
    let mut last = None;
    for _ in 0..11 {
        let mut browser = stage.browser();
        browser.sign_in(JULIET, PASSWORD).await;
        last = Some(browser.post("/session/totp", json!({ "code": "000000" })).await.status);
    }
    assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
    let mut browser = stage.browser();
    browser.sign_in(JULIET, PASSWORD).await;
    for right in [code(&secret, 1), codes[0].clone()] {
        let page = browser.post("/session/totp", json!({ "code": right })).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

async fn asked(browser: &mut Browser<'_>) -> Value {
    let page = browser.sign_in(JULIET, PASSWORD).await;
    assert_eq!(page.json["next"], "passkey", "{page:?}");
    browser.post("/session/passkey/begin", json!({})).await.json["publicKey"].clone()
}

#[tokio::test]
async fn a_passkey_signs_in() {
    let stage = stage().await;
    let mut browser = signed_in(&stage).await;
    let mut authenticator = Authenticator::es256(&browser.origin());
    let begun = browser.post("/me/passkeys/begin", json!({ "password": PASSWORD })).await;
    let credential = authenticator.create(&begun.json["publicKey"]);
    let body = json!({ "name": "phone", "credential": credential });
    let made = browser.post("/me/passkeys/finish", body.clone()).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    assert_eq!(made.json["recovery"].as_array().unwrap().len(), 10);
    assert_eq!(browser.post("/me/passkeys/finish", body).await.kind(), "step-over", "a challenge is good once");

    let mut other = stage.browser();
    let options = asked(&mut other).await;
    let answer = authenticator.get(&options);
    let page = other.post("/session/passkey/finish", answer.clone()).await;
    assert_eq!((page.status, page.json["factor"].as_str()), (StatusCode::OK, Some("passkey")), "{page:?}");
    assert_eq!(other.post("/session/passkey/finish", answer.clone()).await.kind(), "step-over");

    let mut third = stage.browser();
    let options = asked(&mut third).await;
    assert_eq!(third.post("/session/passkey/finish", answer).await.kind(), "wrong-passkey", "of another challenge");
    let page = third.post("/session/passkey/finish", authenticator.get(&options)).await;
    assert_eq!(page.kind(), "step-over", "the challenge is spent");
    let options = third.post("/session/passkey/begin", json!({})).await.json["publicKey"].clone();
    let mut stranger = Authenticator::ed25519(&third.origin());
    stranger.id.clone_from(&authenticator.id);
    let page = third.post("/session/passkey/finish", stranger.get(&options)).await;
    assert_eq!((page.status, page.kind()), (StatusCode::FORBIDDEN, "wrong-passkey"));

    let id = made.json["id"].clone();
    let page = other.post("/me/passkeys/remove", json!({ "password": PASSWORD, "id": id })).await;
    assert_eq!(page.status, StatusCode::OK);
    signed_in(&stage).await;
}

#[tokio::test]
async fn a_passkey_of_another_host_is_none_here() {
    let stage = stage().await;
    let mut browser = signed_in(&stage).await;
    browser.host = "console.example:5443".to_owned();
    let mut authenticator = Authenticator::es256(&browser.origin());
    let begun = browser.post("/me/passkeys/begin", json!({ "password": PASSWORD })).await;
    let body = json!({ "name": "", "credential": authenticator.create(&begun.json["publicKey"]) });
    assert_eq!(browser.post("/me/passkeys/finish", body).await.status, StatusCode::OK);
    let mut other = stage.browser();
    let page = other.sign_in(JULIET, PASSWORD).await;
    assert_eq!(page.json["methods"], json!(["recovery"]));
    let mut by_number = stage.browser();
    by_number.host = stage.address.to_string();
    by_number.sign_in(JULIET, PASSWORD).await;
    assert_eq!(by_number.post("/session/passkey/begin", json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_of_an_account_is_told_to_who_is_not_signed_in() {
    let stage = stage().await;
    let mut browser = stage.browser();
    let get = ["/session", "/me/sessions", "/me/factors"];
    let post = [
        "/session/totp",
        "/session/passkey/begin",
        "/session/passkey/finish",
        "/me/totp/begin",
        "/me/totp/confirm",
        "/me/totp/remove",
        "/me/recovery",
        "/me/passkeys/begin",
        "/me/passkeys/finish",
        "/me/passkeys/remove",
    ];
    let credential = json!({ "response": { "clientDataJSON": "", "attestationObject": "" } });
    let body = json!({
        "code": "000000", "password": PASSWORD, "id": "x", "name": "", "credential": credential,
        "response": { "clientDataJSON": "", "authenticatorData": "", "signature": "" },
    });
    let mut pages: Vec<Page> = Vec::new();
    for path in get {
        pages.push(browser.get(path).await);
    }
    for path in post {
        pages.push(browser.post(path, body.clone()).await);
    }
    for page in pages {
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{page:?}");
    }
}

#[tokio::test]
async fn wrong_passwords_are_noted_and_what_is_no_account_is_not() {
    let stage = stage().await;
    let mut browser = stage.browser();
    for name in [JULIET, "my secret in the wrong field"] {
        assert_eq!(browser.sign_in(name, "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = |who: &str| (who.to_owned(), Deed::PasswordRefused { more: 0 });
    assert_eq!(stage.town.deeds.lock().unwrap().as_slice(), [refused(JULIET), refused("somebody")]);
}
