//! What the proxy says (XEP-0065 §4, §6.3.5). There are no sockets here: connections and
//! what becomes of them are in `tests/suite/tests/bytestreams.rs`.

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, json};

fn verona(settings: serde_json::Value) -> Server {
    let server = Kit::new().domain("localhost").domain("mantua.example").plugin("xylem.disco").plugin("xylem.roster");
    let server = server.plugin("xylem.proxy65").config("xylem.proxy65", settings).start();
    server.account("juliet");
    server.account("romeo@mantua.example");
    server
}

fn ask(client: &mut Client, kind: &str, to: &str, payload: &str) {
    client.send(&format!("<iq type='{kind}' to='{to}' id='1'>{payload}</iq>"));
}

fn refused(client: &mut Client, from: &str, kind: &str, condition: &str) {
    client.receives(&format!(
        "<iq type='error' from='{from}' id='1'>{{...}}<error type='{kind}'>
           <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

const ADDRESS: &str = "<query xmlns='http://jabber.org/protocol/bytestreams'/>";
const ACTIVATE: &str = "<query xmlns='http://jabber.org/protocol/bytestreams' sid='s'>
                          <activate>romeo@localhost/orchard</activate></query>";

#[test]
fn it_is_found_beside_its_server_and_says_what_it_is() {
    let server = verona(json!({}));
    let mut juliet = server.client("juliet@localhost/balcony");
    let (info, items) = ("http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items");
    ask(&mut juliet, "get", "localhost", &format!("<query xmlns='{items}'/>"));
    juliet.receives(&format!(
        "<iq type='result' from='localhost' id='1'><query xmlns='{items}'><item jid='proxy.localhost'/></query></iq>"
    ));
    ask(&mut juliet, "get", "proxy.localhost", &format!("<query xmlns='{info}'/>"));
    juliet.receives(&format!(
        "<iq type='result' from='proxy.localhost' id='1'><query xmlns='{info}'>
           <identity category='proxy' type='bytestreams' name='File transfer proxy'/>
           <feature var='http://jabber.org/protocol/bytestreams'/><feature var='{info}'/><feature var='{items}'/>
         </query></iq>"
    ));
    ask(&mut juliet, "get", "proxy.localhost", &format!("<query xmlns='{items}'/>"));
    juliet.receives(&format!("<iq type='result' from='proxy.localhost' id='1'><query xmlns='{items}'/></iq>"));
    for to in ["somebody@proxy.localhost", "somebody@proxy.localhost/r"] {
        ask(&mut juliet, "get", to, &format!("<query xmlns='{info}'/>"));
        refused(&mut juliet, to, "cancel", "item-not-found");
    }
    ask(&mut juliet, "get", "proxy.localhost", &format!("<query xmlns='{info}' node='n'/>"));
    refused(&mut juliet, "proxy.localhost", "cancel", "item-not-found");
    server.no_faults();
}

#[test]
fn without_a_socket_it_is_unable() {
    let server = verona(json!({}));
    let mut juliet = server.client("juliet@localhost/balcony");
    ask(&mut juliet, "get", "proxy.localhost", ADDRESS);
    refused(&mut juliet, "proxy.localhost", "cancel", "not-allowed");
    ask(&mut juliet, "set", "proxy.localhost", ACTIVATE);
    refused(&mut juliet, "proxy.localhost", "cancel", "item-not-found");
    server.no_faults();
}

#[test]
fn what_is_no_activation_is_refused() {
    let server = verona(json!({}));
    let mut juliet = server.client("juliet@localhost/balcony");
    let ns = "http://jabber.org/protocol/bytestreams";
    for (payload, kind, condition) in [
        (format!("<query xmlns='{ns}'><activate>romeo@localhost/r</activate></query>"), "modify", "bad-request"),
        (format!("<query xmlns='{ns}' sid=''><activate>romeo@localhost/r</activate></query>"), "modify", "bad-request"),
        (format!("<query xmlns='{ns}' sid='s'/>"), "modify", "bad-request"),
        (
            format!("<query xmlns='{ns}' sid='s'><activate xmlns='x'>romeo@localhost/r</activate></query>"),
            "modify",
            "bad-request",
        ),
        (format!("<query xmlns='{ns}' sid='s'><activate/></query>"), "modify", "jid-malformed"),
        (format!("<query xmlns='{ns}' sid='s'><activate>romeo@@/</activate></query>"), "modify", "jid-malformed"),
    ] {
        ask(&mut juliet, "set", "proxy.localhost", &payload);
        refused(&mut juliet, "proxy.localhost", kind, condition);
    }
    server.no_faults();
}

#[test]
fn only_those_use_it_who_may() {
    let romeo = "romeo@mantua.example";
    for (settings, juliet_may, romeo_may) in [
        (json!({}), true, false),
        (json!({ "access": "server" }), true, true),
        (json!({ "access": "anyone", "deny": [romeo] }), true, false),
        (json!({ "access": "server", "deny": ["localhost"] }), false, true),
        (json!({ "allow": ["mantua.example"] }), true, true),
        (json!({ "allow": [romeo], "deny": ["romeo@mantua.example/orchard"] }), true, false),
    ] {
        let server = verona(settings);
        for (address, may) in [("juliet@localhost/balcony", juliet_may), ("romeo@mantua.example/orchard", romeo_may)] {
            let mut client = server.client(address);
            for (kind, payload, otherwise) in [("get", ADDRESS, "not-allowed"), ("set", ACTIVATE, "item-not-found")] {
                ask(&mut client, kind, "proxy.localhost", payload);
                let (kind, condition) = if may { ("cancel", otherwise) } else { ("auth", "forbidden") };
                refused(&mut client, "proxy.localhost", kind, condition);
            }
        }
        server.no_faults();
    }
}

#[test]
fn nobody_tries_without_end() {
    let server = verona(json!({}));
    let mut juliet = server.client("juliet@localhost/balcony");
    for _ in 0..60 {
        ask(&mut juliet, "set", "proxy.localhost", ACTIVATE);
        refused(&mut juliet, "proxy.localhost", "cancel", "item-not-found");
    }
    ask(&mut juliet, "set", "proxy.localhost", ACTIVATE);
    refused(&mut juliet, "proxy.localhost", "wait", "policy-violation");
    server.advance(Duration::from_secs(5));
    ask(&mut juliet, "set", "proxy.localhost", ACTIVATE);
    refused(&mut juliet, "proxy.localhost", "cancel", "item-not-found");
}
