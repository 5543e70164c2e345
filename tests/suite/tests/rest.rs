//! REST as scripts meet it: every route for every role, allowed or refused, as `kernel/ops/tests/roles.txt`
//! has it; tokens; problems; pages of lists; what is written down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xylem_suite::server::{Server, Target};
use xylem_suite::wire::{Arrival, Wire};

const ROLES: &str = include_str!("../../../kernel/ops/tests/roles.txt");
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
const HERE: &str = "localhost";
const BEYOND: &str = "anon.localhost";

struct Answer {
    status: u16,
    kind: String,
    body: Value,
}

/// One request on a connection of its own.
fn ask(target: &Target, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let console = target.console.as_deref().unwrap();
    let (scheme, authority) = console.split_once("://").unwrap();
    let mut wire = Wire::connect(authority.to_socket_addrs().unwrap().next().unwrap(), PATIENCE).unwrap();
    if scheme == "https" {
        wire.start_tls(&target.tls, HERE, PATIENCE).unwrap();
    }
    let mut request = format!("{method} /api/v1{path} HTTP/1.1\r\nHost: {HERE}\r\nConnection: close\r\n");
    if let Some(token) = token {
        request.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    wire.send(request.as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let deadline = Instant::now() + PATIENCE;
    while let Arrival::Bytes(read) = wire.read(&mut buffer, deadline).unwrap() {
        answer.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {text:?}"));
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        kind: header("content-type:"),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}

fn told(target: &Target, arguments: &[&str]) -> Value {
    serde_json::from_str(&target.administer(&[arguments, &["--json"]].concat()).unwrap()).unwrap()
}

fn token(target: &Target, account: &str, more: &[&str]) -> String {
    let create = ["token", "create", "--account", account, "--name", "test"];
    told(target, &[&create[..], more].concat())["token"].as_str().unwrap().to_owned()
}

/// A token for each role of the list, and whose account it asks about.
fn tokens(target: &Target) -> BTreeMap<&'static str, (String, String)> {
    let mut tokens = BTreeMap::new();
    let all = [
        ("owner", "owner", false, BEYOND),
        ("administrator", "administrator", false, BEYOND),
        ("administrator-here", "administrator", true, HERE),
        ("administrator-beyond", "administrator", true, BEYOND),
        ("operator", "operator", false, BEYOND),
        ("operator-here", "operator", true, HERE),
        ("operator-beyond", "operator", true, BEYOND),
        ("auditor", "auditor", false, HERE),
        ("user", "user", false, HERE),
        ("user-own", "user", false, HERE),
    ];
    for (name, role, limited, domain) in all {
        let account = format!("{name}@{HERE}");
        told(target, &["user", "add", &account, "--password", "pencil"]);
        let domains: &[&str] = if limited { &["--domain", HERE] } else { &[] };
        told(target, &[&["user", "role", &account, role], domains].concat());
        let about = if name == "user-own" { account.clone() } else { format!("nobody@{domain}") };
        tokens.insert(name, (token(target, &account, &["*"]), about));
    }
    tokens
}

/// A request that says whom it is about and would be refused for something else if he may: it has
/// an argument that nothing takes.
fn request(operation: &Value, account: &str) -> (String, Option<Value>) {
    let mut path = operation["path"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let domain = account.split('@').next_back().unwrap();
    let (mut query, mut body) = (vec!["nonsense=1".to_owned()], json!({"nonsense": 1}));
    for argument in operation["arguments"].as_array().unwrap() {
        let name = argument["name"].as_str().unwrap();
        let place = argument["in"].as_str().unwrap();
        let value = match argument["type"]["kind"].as_str().unwrap() {
            "account" => account.to_owned(),
            "address" => format!("room@rooms.{domain}"),
            "domain" => domain.to_owned(),
            _ if place == "path" => "1".to_owned(),
            _ => continue,
        };
        match place {
            "path" => path = path.replace(&format!("{{{name}}}"), &value.replace('@', "%40")),
            "query" => query.push(format!("{name}={}", value.replace('@', "%40"))),
            _ => body[name] = value.into(),
        }
    }
    match operation["method"].as_str().unwrap() {
        "GET" | "DELETE" => (format!("{path}?{}", query.join("&")), None),
        _ => (path, Some(body)),
    }
}

#[test]
fn every_route_is_for_whom_the_list_says() {
    let server = Server::start(&["--backend", "memory"]).unwrap();
    let target = &server.target;
    let (tokens, operations) = (tokens(target), told(target, &["op"]));
    let mut asked = 0;
    for operation in operations.as_array().unwrap() {
        let name = operation["name"].as_str().unwrap();
        let method = operation["method"].as_str().unwrap();
        let listed = ROLES.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        let Some(listed) = listed else {
            assert!(operation["path"].as_str().unwrap().starts_with("/api/v1/x/"), "{name} is not in roles.txt");
            continue;
        };
        for (role, (token, about)) in &tokens {
            let (path, body) = request(operation, about);
            let answer = ask(target, method, &path, Some(token), body.as_ref());
            let allowed = listed.split(' ').any(|listed| listed == *role);
            let expected = if allowed { 400 } else { 403 };
            assert_eq!(answer.status, expected, "{name} for {role}: {method} {path}: {}", answer.body);
            assert_eq!(answer.kind, "application/problem+json", "{name}");
            asked += 1;
        }
        let (path, body) = request(operation, "nobody@localhost");
        assert_eq!(ask(target, method, &path, None, body.as_ref()).status, 401, "{name} for nobody");
        assert_eq!(ask(target, method, &path, Some("xylem_0_0"), body.as_ref()).status, 401, "{name} for no token");
    }
    assert!(asked > 200, "{asked}");
    server.stop().unwrap();
}

#[test]
fn who_is_less_ends_no_tokens_of_who_is_more() {
    let server = Server::start(&["--backend", "memory", "--admin", "owner@localhost"]).unwrap();
    let target = &server.target;
    let owner = token(target, "owner@localhost", &["*"]);
    told(target, &["user", "add", "hal@localhost", "--password", "pencil"]);
    told(target, &["user", "role", "hal@localhost", "administrator"]);
    let hal = token(target, "hal@localhost", &["*"]);
    let id = |token: &str| token.split('_').nth(1).unwrap().to_owned();
    for path in [format!("/tokens/{}", id(&owner)), format!("/tokens/{}?account=owner%40localhost", id(&owner))] {
        let refused = ask(target, "DELETE", &path, Some(&hal), None);
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
    }
    assert_eq!(ask(target, "DELETE", &format!("/tokens/{}", id(&hal)), Some(&owner), None).status, 200);
    let log = told(target, &["op", "audit.list", "operation=token.revoke"]);
    assert!(log.to_string().contains("hal@localhost"), "whose it was: {log}");

    // One that sets passwords is worth no more than that of users.
    let some = token(target, "owner@localhost", &["user.password", "user.role"]);
    told(target, &["user", "role", "hal@localhost", "owner"]);
    let pen = json!({"password": "a new pen"});
    assert_eq!(ask(target, "PUT", "/users/hal%40localhost/password", Some(&some), Some(&pen)).status, 403);
    told(target, &["user", "add", "poins@localhost", "--password", "pencil"]);
    assert_eq!(ask(target, "PUT", "/users/poins%40localhost/password", Some(&some), Some(&pen)).status, 200);
    let rise = json!({"role": "owner"});
    assert_eq!(ask(target, "PUT", "/users/poins%40localhost/role", Some(&some), Some(&rise)).status, 403);
    server.stop().unwrap();
}

#[test]
fn a_token_does_what_it_is_for_and_no_more() {
    let server = Server::start(&["--backend", "memory", "--admin", "admin@localhost"]).unwrap();
    let target = &server.target;
    let some = token(target, "admin@localhost", &["user.*", "--role", "administrator"]);
    let new = json!({"account": "Juliet@localhost", "password": "pencil"});
    let made = ask(target, "POST", "/users", Some(&some), Some(&new));
    assert_eq!((made.status, &made.body["account"]), (200, &json!("juliet@localhost")), "{}", made.body);
    let again = ask(target, "POST", "/users", Some(&some), Some(&new));
    assert_eq!((again.status, &again.body["type"]), (409, &json!("/problems/conflict")));
    assert_eq!(ask(target, "GET", "/status", Some(&some), None).status, 403, "not of its scopes");
    let own = json!({"password": "crayon"});
    let path = "/users/admin%40localhost/password";
    let refused = ask(target, "PUT", path, Some(&some), Some(&own));
    assert_eq!(refused.status, 403, "it would be more than its ceiling afterwards: {}", refused.body);
    let page = ask(target, "GET", "/users?limit=1", Some(&some), None).body;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let next = format!("/users?limit=1&after={}", page["next"].as_str().unwrap().replace('@', "%40"));
    let rest = ask(target, "GET", &next, Some(&some), None).body;
    assert_eq!((&rest["items"][0]["account"], &rest["next"]), (&json!("juliet@localhost"), &Value::Null));
    let tokens = told(target, &["token", "list"]);
    assert!(!tokens.to_string().contains(&some), "only a hash is kept");
    target.administer(&["token", "revoke", tokens["items"][0]["id"].as_str().unwrap()]).unwrap();
    assert_eq!(ask(target, "GET", "/users", Some(&some), None).status, 401);

    let audit = told(target, &["audit", "--operation", "user"]);
    let line = audit["items"].as_array().unwrap().iter().find(|line| line["face"] == "rest" && line["error"].is_null());
    let line = line.unwrap_or_else(|| panic!("{audit}"));
    assert_eq!((&line["who"], &line["from"]), (&json!("admin@localhost (token \"test\")"), &json!("127.0.0.1")));
    assert_eq!(line["arguments"], json!({"account": "juliet@localhost"}));
    assert!(!audit.to_string().contains("pencil") && !audit.to_string().contains("crayon"));
    server.stop().unwrap();
}

#[test]
fn what_is_wrong_is_a_problem_that_says_so() {
    let server = Server::start(&["--backend", "memory", "--admin", "admin@localhost"]).unwrap();
    let target = &server.target;
    let all = token(target, "admin@localhost", &["*"]);
    let cases = [
        ("GET", "/nothing", None, 404, "/problems/not-found"),
        ("PATCH", "/users", None, 405, "/problems/method-not-allowed"),
        ("GET", "/x/none/none", None, 404, "/problems/not-found"),
        ("GET", "/users?limit=1001", None, 400, "/problems/invalid"),
        ("POST", "/users", Some(json!([])), 400, "/problems/invalid"),
        ("POST", "/users", Some(json!({"account": "a@localhost"})), 400, "/problems/invalid"),
        ("GET", "/users/nobody%40localhost", None, 404, "/problems/not-found"),
        ("POST", "/plugins", Some(json!({"package": "/etc/passwd"})), 400, "/problems/invalid"),
        ("POST", "/users", Some(json!({"account": "x".repeat(2 << 20)})), 413, "/problems/too-large"),
    ];
    for (method, path, body, status, kind) in cases {
        let answer = ask(target, method, path, Some(&all), body.as_ref());
        assert_eq!((answer.status, &answer.body["type"]), (status, &json!(kind)), "{method} {path}");
        assert_eq!(answer.kind, "application/problem+json", "{method} {path}");
    }
    let document = ask(target, "GET", "/openapi.json", None, None).body;
    assert_eq!(document["openapi"], "3.1.0");
    server.stop().unwrap();
}
