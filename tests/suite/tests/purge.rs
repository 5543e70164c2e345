//! What a removed plugin has stored stays until it is purged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};

use xylem_suite::server::{Server, program};
use xylem_suite::session::{Login, Session, Via};

const SET: &str = "<query xmlns='jabber:iq:private'><keep xmlns='urn:example:keep'>mine</keep></query>";
const GET: &str = "<query xmlns='jabber:iq:private'><keep xmlns='urn:example:keep'/></query>";

#[test]
fn what_a_plugin_stored_goes_when_it_is_purged() {
    let server = Server::start(&["--backend", "memory"]).unwrap();
    let target = &server.target;
    let login = Login {
        domain: target.domain.clone(),
        local: Some("romeo".to_owned()),
        password: "secret".to_owned(),
        resource: None,
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    };
    Session::open(target, Via::StartTls, &target.domain).unwrap().register(&target.domain, "romeo", "secret").unwrap();
    let mut romeo = Session::open(target, Via::StartTls, &target.domain).unwrap();
    romeo.login(&login).unwrap();
    let mut ask = |kind: &str, query: &str| {
        romeo.query("q", &format!("<iq type='{kind}' id='q'>{query}</iq>")).unwrap().to_string()
    };
    let kept = "<keep xmlns='urn:example:keep'>mine</keep>";
    let package = package("xylem.private");
    let package = package.to_str().unwrap();

    ask("set", SET);
    let said = target.administer(&["plugin", "remove", "xylem.private"]).unwrap();
    assert!(said.contains("still there") && said.contains("--purge xylem.private"), "{said}");
    assert!(ask("get", GET).contains("service-unavailable"));
    target.administer(&["plugin", "install", package]).unwrap();
    assert!(ask("get", GET).contains(kept), "it came back");

    let unasked = target.administer(&["plugin", "remove", "--purge", "xylem.private"]).unwrap_err().to_string();
    assert!(unasked.contains("--yes"), "{unasked}");
    target.administer(&["plugin", "remove", "xylem.private"]).unwrap();
    let said = target.administer(&["plugin", "remove", "--purge", "--yes", "xylem.private"]).unwrap();
    assert!(said.contains("for 1 accounts"), "{said}");
    let again = target.administer(&["plugin", "remove", "--purge", "--yes", "xylem.private"]).unwrap_err().to_string();
    assert!(again.contains("no plugin xylem.private"), "{again}");
    let kernel = target.administer(&["plugin", "remove", "--purge", "--yes", "kernel"]).unwrap_err().to_string();
    assert!(kernel.contains("kernel's own"), "{kernel}");
    target.administer(&["plugin", "install", package]).unwrap();
    let empty = ask("get", GET);
    assert!(empty.contains("result") && !empty.contains("mine"), "{empty}");
    server.stop().unwrap();
}

fn package(id: &str) -> PathBuf {
    let beside = || program().unwrap().parent().and_then(Path::parent).unwrap().join("plugins");
    let folder = std::env::var_os("XYLEM_PLUGINS").map_or_else(beside, PathBuf::from);
    folder.join(format!("{id}.wasm"))
}
