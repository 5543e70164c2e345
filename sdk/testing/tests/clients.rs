//! What the kit's clients see of a server without plugins.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use xylem_testing::{Client, Kit, Server};

fn verona() -> (Server, Client, Client) {
    let server = Kit::new().start();
    server.account("romeo");
    server.account("juliet");
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    romeo.send("<presence/>");
    juliet.send("<presence/>");
    romeo.skip();
    juliet.skip();
    (server, romeo, juliet)
}

#[test]
fn messages_arrive_in_order_and_nothing_else_does() {
    let (_server, mut romeo, mut juliet) = verona();
    romeo.send_all(&[
        "<message to='juliet@localhost' type='chat'><body>one</body></message>",
        "<message to='juliet@localhost/balcony' type='chat'><body>two</body></message>",
    ]);
    juliet.receives("<message from='romeo@localhost/orchard' type='chat'><body>one</body></message>");
    juliet.receives("<message from='{any}/orchard' type='chat'><body>{any}</body></message>");
    juliet.receives_nothing();
    romeo.receives_nothing();
}

#[test]
fn what_nobody_answers_is_answered() {
    let (server, mut romeo, _) = verona();
    romeo.send("<iq type='get' to='localhost' id='1'><q xmlns='urn:nobody'/></iq>");
    romeo.receives(
        "<iq type='error' from='localhost' id='1'><error type='cancel'>
           <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    romeo.send("<message to='@' id='2'/>");
    romeo.receives(
        "<message type='error' id='2'><error type='modify'>
           <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    server.no_faults();
}

#[test]
fn a_wrong_expectation_shows_what_came() {
    let (_server, mut romeo, mut juliet) = verona();
    romeo.send("<message to='juliet@localhost' type='chat'><body>one</body></message>");
    let said = complaint(|| drop(juliet.receives("<message from='{any}' type='chat'><body>two</body></message>")));
    assert!(said.contains("text \"two\" expected, \"one\" received"), "{said}");
    let said = complaint(|| drop(juliet.receives("<presence/>")));
    assert!(said.contains("received nothing"), "{said}");
    romeo.send("<message to='juliet@localhost' type='chat'><body>three</body></message>");
    let said = complaint(|| juliet.receives_nothing());
    assert!(said.contains("three"), "{said}");
}

#[test]
fn sessions_end_when_they_are_replaced_dropped_or_removed() {
    let (mut server, mut romeo, mut juliet) = verona();
    let again = server.client("romeo@localhost/orchard");
    romeo.is_ended_with("conflict");
    assert!(complaint(|| romeo.send("<presence/>")).contains("conflict"));
    assert_eq!(again.address(), "romeo@localhost/orchard");

    juliet.disconnect();
    juliet.is_ended_with("connection lost");
    server.delete_account("romeo");
    again.is_ended_with("not-authorized");
    assert_eq!(server.password("romeo"), None);

    server.restart();
    assert_eq!(server.password("juliet").as_deref(), Some("secret"));
    let said = complaint(|| drop(server.client("romeo@localhost/orchard")));
    assert!(said.contains("no account"), "{said}");
}

#[test]
fn domains_are_apart() {
    let server = Kit::new().domain("verona.example").domain("mantua.example").start();
    server.account("romeo");
    server.account("romeo@mantua.example");
    let mut here = server.client("romeo@verona.example/x");
    let mut there = server.client("romeo@mantua.example/x");
    here.send("<message to='romeo@mantua.example/x'><body>hi</body></message>");
    there.receives("<message from='romeo@verona.example/x'><body>hi</body></message>");
    here.receives_nothing();
}

fn complaint(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("there was nothing to complain about");
    panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

#[test]
fn a_session_may_wait_for_its_client() {
    let (_server, mut romeo, mut juliet) = verona();
    juliet.hibernate();
    romeo.send("<message to='juliet@localhost' type='chat'><body>one</body></message>");
    romeo.receives_nothing();
    juliet.resume();
    juliet.receives("<message from='romeo@localhost/orchard' type='chat'><body>one</body></message>");
    juliet.hibernate();
    juliet.disconnect();
    juliet.is_ended_with("connection lost");
}
