//! Accounts made, changed and removed by their owners (XEP-0077).

use std::time::Duration;

use xylem_testing::{Kit, Server, Stranger, json};

fn verona(open: bool) -> Server {
    let kit = Kit::new().plugin("xylem.register").plugin("xylem.roster");
    let server = kit.config("xylem.register", json!({ "open": open })).start();
    server.account("romeo");
    server
}

fn register(stranger: &mut Stranger, name: &str) {
    stranger.send(&format!(
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'>
           <username>{name}</username><password>pencil</password></query></iq>"
    ));
}

#[test]
fn one_address_makes_five_accounts_an_hour() {
    let server = verona(true);
    assert!(server.adds("stream.before-auth").contains("http://jabber.org/features/iq-register"));
    let mut stranger = server.stranger("198.51.100.7");
    for name in ["a", "b", "c", "d", "e"] {
        register(&mut stranger, name);
        stranger.receives("<iq type='result' id='r' from='localhost'/>");
    }
    let refused = "<iq type='error' id='r' from='localhost'><error type='wait'>
        <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    register(&mut stranger, "f");
    stranger.receives(refused);
    assert_eq!(server.password("f"), None);

    // Others are not concerned, and a fifth of an hour brings the next one back.
    register(&mut server.stranger("198.51.100.8"), "g");
    assert_eq!(server.password("g").as_deref(), Some("pencil"));
    server.advance(Duration::from_secs(11 * 60));
    register(&mut stranger, "f");
    stranger.receives(refused);
    server.advance(Duration::from_secs(60));
    register(&mut stranger, "f");
    stranger.receives("<iq type='result' id='r' from='localhost'/>");
    server.no_faults();
}

#[test]
fn a_closed_server_offers_nothing() {
    let server = verona(false);
    assert_eq!(server.adds("stream.before-auth"), "");
    let mut stranger = server.stranger("198.51.100.7");
    register(&mut stranger, "mallory");
    stranger.receives(
        "<iq type='error' id='r' from='localhost'><error type='cancel'>
           <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    assert_eq!(server.password("mallory"), None);
}

#[test]
fn a_password_is_changed_or_stays_when_it_cannot_be_written() {
    let server = verona(false);
    let mut romeo = server.client("romeo@localhost/orchard");
    let change = "<iq type='set' to='localhost' id='p'><query xmlns='jabber:iq:register'>
        <username>romeo</username><password>crayon</password></query></iq>";
    romeo.send(change);
    romeo.receives("<iq type='result' id='p' from='localhost'/>");
    assert_eq!(server.password("romeo").as_deref(), Some("crayon"));

    server.fail_next_commit();
    romeo.send(&change.replace("crayon", "chalk"));
    romeo.receives(
        "<iq type='error' id='p' from='localhost'><error type='wait'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    assert_eq!(server.password("romeo").as_deref(), Some("crayon"));
}

#[test]
fn an_account_that_is_removed_takes_its_sessions_along() {
    let server = verona(false);
    let mut romeo = server.client("romeo@localhost/orchard");
    let phone = server.client("romeo@localhost/phone");
    romeo.send("<iq type='set' id='x'><query xmlns='jabber:iq:register'><remove/></query></iq>");
    romeo.receives("<iq type='result' id='x'/>");
    romeo.is_ended_with("not-authorized");
    phone.is_ended_with("not-authorized");
    assert_eq!(server.password("romeo"), None);
}
