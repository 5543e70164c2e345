//! Files that are taken away over HTTPS, and answers in fewer bytes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use xylem_suite::server::{Server, Target};
use xylem_suite::wire::{Arrival, Wire};

const PATIENCE: Duration = Duration::from_secs(30);
const OWNER: &str = "prince@localhost";

/// Head and body of an answer; HTTP/1.0, so that it comes in one piece.
fn get(target: &Target, token: &str, path: &str) -> (String, Vec<u8>) {
    let authority = target.console.as_deref().unwrap().strip_prefix("https://").unwrap();
    let mut wire = Wire::connect(authority.to_socket_addrs().unwrap().next().unwrap(), PATIENCE).unwrap();
    wire.start_tls(&target.tls, "localhost", PATIENCE).unwrap();
    let request = format!(
        "GET /api/v1{path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: br, gzip\r\n\r\n"
    );
    wire.send(request.as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let deadline = Instant::now() + PATIENCE;
    while let Arrival::Bytes(read) = wire.read(&mut buffer, deadline).unwrap() {
        answer.extend_from_slice(&buffer[..read]);
    }
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

fn token(target: &Target, account: &str) -> String {
    let made = target.administer(&["--json", "token", "create", "--account", account, "--name", "t", "*"]).unwrap();
    serde_json::from_str::<Value>(&made).unwrap()["token"].as_str().unwrap().to_owned()
}

#[test]
fn exports_are_for_owners_and_accounts_for_who_may_see_them() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let target = &server.target;
    for (account, role) in [("nurse@localhost", "operator"), ("romeo@localhost", "user")] {
        target.administer(&["user", "add", account, "--password", "pencil"]).unwrap();
        target.administer(&["user", "role", account, role]).unwrap();
    }
    let (owner, nurse) = (token(target, OWNER), token(target, "nurse@localhost"));
    let romeo = token(target, "romeo@localhost");
    let status = target.administer(&["--json", "status"]).unwrap();
    let data = serde_json::from_str::<Value>(&status).unwrap()["data"].as_str().unwrap().to_owned();
    let exports = std::path::Path::new(&data).join("exports");
    std::fs::create_dir_all(&exports).unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(exports.join("all.xylem"), &content).unwrap();

    let (head, body) = get(target, &owner, "/exports/all.xylem/content");
    assert!(head.contains(" 200 ") && head.contains("content-disposition: attachment"), "{head}");
    assert!(head.contains("content-length: 200000") && !head.contains("content-encoding"), "{head}");
    assert!(body == content);
    for wrong in ["/exports/none/content", "/exports/..%2faudit.log/content", "/exports/.x/content"] {
        let (head, _) = get(target, &owner, wrong);
        assert!(head.contains(" 404 ") || head.contains(" 400 "), "{wrong}: {head}");
    }
    for other in [&nurse, &romeo] {
        assert!(get(target, other, "/exports/all.xylem/content").0.contains(" 403 "));
    }
    let (head, body) = get(target, &romeo, "/users/romeo%40localhost/export");
    assert!(head.contains(" 200 ") && head.contains("romeo%40localhost.json"), "{head}");
    let dossier: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(dossier["account"], "romeo@localhost");
    assert!(dossier["rows"].is_array() && !dossier.to_string().contains("pencil"), "{dossier}");
    assert!(get(target, &romeo, "/users/prince%40localhost/export").0.contains(" 403 "));
    let audit = target.administer(&["--json", "audit"]).unwrap();
    assert!(audit.contains("export.download") && audit.contains("user.export"), "{audit}");
    server.stop().unwrap();
}

#[test]
fn answers_are_packed_but_for_those_that_could_hold_a_secret() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let target = &server.target;
    let owner = token(target, OWNER);
    for (path, most) in [("/operations", 20_000), ("/openapi.json", 60_000)] {
        let (head, body) = get(target, &owner, path);
        assert!(head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding"), "{path}: {head}");
        assert!(body.len() < most && body.starts_with(&[0x1f, 0x8b]), "{path}: {} bytes", body.len());
        println!("{path}: {} bytes packed", body.len());
    }
    for _ in 0..20 {
        token(target, OWNER);
    }
    let (head, body) = get(target, &owner, "/tokens");
    assert!(body.len() > 1400 && !head.contains("content-encoding"), "{head}");
    server.stop().unwrap();
}
