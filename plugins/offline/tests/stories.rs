//! Messages that wait (XEP-0160).

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, json};

fn verona(most: u32) -> Server {
    let kit = Kit::new().plugin("xylem.offline").config("xylem.offline", json!({ "max_messages": most }));
    let server = kit.start();
    server.account("romeo");
    server.account("juliet");
    server
}

fn say(client: &mut Client, text: &str) {
    client.send(&format!("<message to='juliet@localhost' id='{text}' type='chat'><body>{text}</body></message>"));
}

fn kept(text: &str, stamp: &str) -> String {
    format!(
        "<message from='romeo@localhost/orchard' id='{text}' type='chat'><body>{text}</body>
           <delay xmlns='urn:xmpp:delay' from='localhost' stamp='{stamp}'/></message>"
    )
}

#[test]
fn messages_wait_in_order_with_their_times_and_survive_a_restart() {
    let mut server = verona(100);
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "one");
    server.advance(Duration::from_secs(90));
    say(&mut romeo, "two");
    romeo.receives_nothing();
    server.restart();

    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.receives_nothing();
    juliet.send("<presence/>");
    juliet.receives(&kept("one", "2026-01-01T00:00:00{any}Z"));
    juliet.receives(&kept("two", "2026-01-01T00:01:30{any}Z"));
    juliet.receives_nothing();

    juliet.disconnect();
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    let again = juliet.skip().concat();
    assert!(!again.contains("<body>"), "delivered twice: {again}");
    server.no_faults();
}

#[test]
fn a_full_store_is_no_store() {
    let server = verona(2);
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "one");
    say(&mut romeo, "two");
    romeo.receives_nothing();
    say(&mut romeo, "three");
    romeo.receives(
        "<message type='error' id='three' from='juliet@localhost'><error type='cancel'>
           <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
}

#[test]
fn what_a_client_never_read_waits_for_the_next() {
    let server = verona(100);
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    juliet.skip();
    juliet.stop_reading();
    say(&mut romeo, "unheard");
    juliet.disconnect();
    romeo.receives_nothing();

    let mut juliet = server.client("juliet@localhost/phone");
    juliet.send("<presence/>");
    let came = juliet.skip().concat();
    assert!(came.contains("<body>unheard</body>"), "{came}");
}

#[test]
fn a_handover_that_breaks_off_is_made_again_once() {
    let server = verona(100);
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "one");
    say(&mut romeo, "two");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.stop_reading();
    juliet.send("<presence/>");
    juliet.disconnect();

    let mut juliet = server.client("juliet@localhost/phone");
    juliet.send("<presence/>");
    let came = juliet.skip().concat();
    for text in ["one", "two"] {
        assert_eq!(came.matches(&format!("<body>{text}</body>")).count(), 1, "{came}");
    }
    assert_eq!(came.matches("urn:xmpp:delay").count(), 2, "stamped when they came, and never again: {came}");
}

#[test]
fn a_message_that_cannot_be_kept_is_not_lost_in_silence() {
    let server = verona(100);
    let mut romeo = server.client("romeo@localhost/orchard");
    server.fail_next_commit();
    say(&mut romeo, "one");
    romeo.receives(
        "<message type='error' id='one' from='juliet@localhost'><error type='wait'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
}

#[test]
fn administrators_see_what_waits_and_drop_it() {
    let server = verona(100);
    let mut romeo = server.client("romeo@localhost/orchard");
    let account = json!({ "account": "juliet@localhost" });
    let empty = json!({ "messages": 0, "oldest": null, "newest": null });
    assert_eq!(server.operation("offline.show", account.clone()), Ok(empty.clone()));
    say(&mut romeo, "one");
    server.advance(Duration::from_secs(90));
    say(&mut romeo, "two");
    let begun = 1_767_225_600;
    let waiting = json!({ "messages": 2, "oldest": begun, "newest": begun + 90 });
    assert_eq!(server.operation("offline.show", account.clone()), Ok(waiting));
    assert_eq!(server.operation("offline.purge", account.clone()), Ok(json!({ "removed": 2 })));
    assert_eq!(server.operation("offline.show", account), Ok(empty));
    let nobody = server.operation("offline.purge", json!({ "account": "tybalt@localhost" }));
    assert_eq!(nobody, Err("there is no account tybalt@localhost".to_owned()));
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    assert!(!juliet.skip().concat().contains("<body>"), "what was dropped does not come");
    server.no_faults();
}
