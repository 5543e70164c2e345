//! Live topics over HTTPS: what is told of the server, of its log and of stanzas; text only to owners who said why.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Login, Session, Via};
use xylem_suite::wire::{Arrival, Wire};

const PATIENCE: Duration = Duration::from_secs(30);
const OWNER: &str = "prince@localhost";

/// Somebody who follows topics.
struct Follower {
    wire: Wire,
    text: String,
}

impl Follower {
    fn of(target: &Target, token: &str, query: &str) -> Self {
        Self::known_by(target, &format!("Authorization: Bearer {token}"), query)
    }

    /// With a header that says who it is.
    fn known_by(target: &Target, header: &str, query: &str) -> Self {
        let request = format!(
            "GET /api/v1/events?{query} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nAccept-Encoding: gzip\r\n\r\n"
        );
        Self::asks(target, &request)
    }

    fn asks(target: &Target, request: &str) -> Self {
        let authority = target.console.as_deref().unwrap().strip_prefix("https://").unwrap();
        let mut wire = Wire::connect(authority.to_socket_addrs().unwrap().next().unwrap(), PATIENCE).unwrap();
        wire.start_tls(&target.tls, "localhost", PATIENCE).unwrap();
        wire.send(request.as_bytes()).unwrap();
        let mut follower = Self { wire, text: String::new() };
        follower.until("\r\n\r\n");
        follower
    }

    /// Reads on until the stream's body has ended (RFC 9112 §7.1), which it has to in time.
    fn ends(mut self, why: &str) {
        let asked = Instant::now();
        self.text.clear();
        self.until("\r\n0\r\n\r\n");
        assert!(asked.elapsed() < Duration::from_secs(6), "{why}: it took {:?}", asked.elapsed());
    }

    /// Reads until this was there; everything so far.
    fn until(&mut self, wanted: &str) -> &str {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 64 << 10];
        while !self.text.contains(wanted) {
            match self.wire.read(&mut buffer, deadline).unwrap() {
                Arrival::Bytes(read) => self.text.push_str(&String::from_utf8_lossy(&buffer[..read])),
                _ => panic!("{wanted} did not come: {}", self.text),
            }
        }
        &self.text
    }
}

fn token(target: &Target, account: &str) -> String {
    let made = target.administer(&["--json", "token", "create", "--account", account, "--name", "t", "*"]).unwrap();
    serde_json::from_str::<Value>(&made).unwrap()["token"].as_str().unwrap().to_owned()
}

fn connect(server: &Server, local: &str) -> Session {
    let target = &server.target;
    target.administer(&["user", "add", &format!("{local}@localhost"), "--password", "pencil"]).unwrap();
    let login = Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: "pencil".to_owned(),
        resource: None,
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    };
    let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
    session.login(&login).map_err(|error| format!("{error:?}")).unwrap();
    session
}

/// Signs in with the password; the cookie's header.
fn signed_in(target: &Target, account: &str) -> String {
    let body = format!("{{\"account\":\"{account}\",\"password\":\"pencil\"}}");
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = Follower::asks(target, &request).text;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    format!("Cookie: {}", cookie.split(';').next().unwrap())
}

#[test]
fn whoever_may_follow_no_more_hears_no_more() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let target = &server.target;
    let changes: [(&str, &[&str]); 5] = [
        ("poins", &["user", "role", "poins@localhost", "user"]),
        ("bardolph", &["op", "user.disable", "account=bardolph@localhost"]),
        ("falstaff", &["user", "delete", "falstaff@localhost", "--yes"]),
        ("pistol", &["user", "password", "pistol@localhost", "--password", "pen"]),
        ("nym", &["op", "user.signout", "account=nym@localhost", "tokens=true"]),
    ];
    for (name, change) in changes {
        let account = format!("{name}@localhost");
        target.administer(&["user", "add", &account, "--password", "pencil"]).unwrap();
        target.administer(&["user", "role", &account, "administrator"]).unwrap();
        let mut follower = Follower::known_by(target, &signed_in(target, &account), "topics=overview");
        follower.until("event: overview");
        // A token is not the password's: it goes on when that changes.
        let other = (name != "pistol").then(|| Follower::of(target, &token(target, &account), "topics=overview"));
        target.administer(change).unwrap();
        follower.ends(name);
        if let Some(other) = other {
            other.ends(name);
        }
    }
    let made = target.administer(&["--json", "token", "create", "--account", OWNER, "--name", "t", "*"]).unwrap();
    let made: Value = serde_json::from_str(&made).unwrap();
    let follower = Follower::of(target, made["token"].as_str().unwrap(), "topics=overview,logs");
    target.administer(&["token", "revoke", made["id"].as_str().unwrap()]).unwrap();
    follower.ends("a token that is revoked");
    server.stop().unwrap();
}

#[test]
fn the_overview_comes_once_a_second_and_is_not_packed() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let mut follower = Follower::of(&server.target, &token(&server.target, OWNER), "topics=overview");
    assert!(follower.text.contains("200 OK") && follower.text.contains("text/event-stream"), "{}", follower.text);
    assert!(!follower.text.to_lowercase().contains("content-encoding"), "{}", follower.text);
    let told = follower.until("\n\n").to_owned();
    assert!(told.contains("event: overview") && told.contains("\"uptime_seconds\""), "{told}");
    server.stop().unwrap();
}

#[test]
fn the_log_is_followed_as_it_is_told() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let owner = token(&server.target, OWNER);
    server.target.administer(&["op", "log.level", "level=info"]).unwrap();
    let mut follower = Follower::of(&server.target, &owner, "topics=logs&logs.level=info");
    connect(&server, "balthasar");
    let told = follower.until("session begins").to_owned();
    assert!(told.contains("event: logs") && told.contains("balthasar@localhost"), "{told}");
    assert!(!told.contains("pencil"), "{told}");
    server.stop().unwrap();
}

#[test]
fn stanzas_are_seen_without_what_they_say_until_an_owner_said_why() {
    let server = Server::start(&["--backend", "memory", "--admin", OWNER]).unwrap();
    let target = &server.target;
    let owner = token(target, OWNER);
    let mut romeo = connect(&server, "romeo");
    let message = "<message to='romeo@localhost' id='m1' type='chat'><body>by yonder moon</body></message>";
    let mut locked = Follower::of(target, &owner, "topics=stanzas&stanzas.kind=message");
    romeo.send(message).unwrap();
    let told = locked.until("\"id\":\"m1\"").to_owned();
    assert!(told.contains("event: stanzas") && !told.contains("yonder moon"), "{told}");

    let why = ["--json", "op", "stanza.unlock", "reason=a complaint", "minutes=1"];
    let local: Value = serde_json::from_str(&target.administer(&why).unwrap()).unwrap();
    let others = format!("topics=stanzas&stanzas.unlock={}", local["unlock"].as_str().unwrap());
    assert!(Follower::of(target, &owner, &others).text.contains(" 403 "), "good for who asked alone");

    target.administer(&["user", "add", "nurse@localhost", "--password", "pencil"]).unwrap();
    target.administer(&["user", "role", "nurse@localhost", "operator"]).unwrap();
    let nurse = Follower::of(target, &token(target, "nurse@localhost"), "topics=stanzas");
    assert!(nurse.text.contains(" 403 "), "not for operators: {}", nurse.text);

    let audit = target.administer(&["--json", "audit", "--operation", "stanza"]).unwrap();
    assert!(audit.contains("a complaint") && audit.contains("stanza.unlock"), "{audit}");
    server.stop().unwrap();
}
