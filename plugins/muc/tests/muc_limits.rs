//! What one person, or all together, cannot do to a room (XEP-0045 §14.6).

mod coven;

use std::time::Duration;

use coven::{ROOM, coven, heath, somebody};
use serde_json::json;
use xylem_testing::{Client, Kit, Server};

const MESSAGE: &str = "<message type='groupchat' id='m' to='coven@conference.localhost'><body>b</body></message>";
const REFUSED: &str = "<message type='error' id='m' from='coven@conference.localhost'><error type='wait'>
    <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";

fn set(options: serde_json::Value) -> Server {
    let server = Kit::new().plugin("xylem.muc").config("xylem.muc", options).start();
    for name in ["crone", "wiccan", "hag"] {
        server.account(name);
    }
    server
}

/// Of so many messages, how many are heard by whoever sends them.
fn heard(client: &mut Client, messages: usize) -> usize {
    client.skip();
    for _ in 0..messages {
        client.send(MESSAGE);
    }
    client.skip().iter().filter(|stanza| stanza.contains("'groupchat'") || stanza.contains("\"groupchat\"")).count()
}

#[test]
fn nobody_says_more_than_people_say() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    let mut elsewhere = somebody(&server, "hag@localhost/desktop", "third");
    assert_eq!(heard(&mut hag, 30), 30);
    hag.send(MESSAGE);
    hag.receives(REFUSED);
    elsewhere.skip();
    elsewhere.send(MESSAGE);
    elsewhere.receives(REFUSED);
    // A moderator has something to say about that, and others are not concerned.
    assert_eq!(heard(&mut crone, 40), 40);
    let mut wiccan = somebody(&server, "wiccan@localhost/laptop", "second");
    assert_eq!(heard(&mut wiccan, 1), 1);
    server.advance(Duration::from_secs(10));
    assert_eq!(heard(&mut hag, 31), 30);
    server.no_faults();
}

#[test]
fn a_room_hears_no_more_than_can_be_read() {
    let server = set(json!({ "messages_per_user": 0, "messages_per_room": 40 }));
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    let mut wiccan = somebody(&server, "wiccan@localhost/laptop", "second");
    assert_eq!(heard(&mut hag, 30), 30);
    wiccan.skip();
    assert_eq!(heard(&mut wiccan, 20), 10);
    assert_eq!(heard(&mut crone, 20), 20);
    server.advance(Duration::from_secs(5));
    assert_eq!(heard(&mut hag, 30), 20);
    server.no_faults();
}

#[test]
fn the_administrator_may_set_no_bounds() {
    let server = set(json!({ "messages_per_user": 0, "messages_per_room": 0 }));
    let _crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    assert_eq!(heard(&mut hag, 600), 600);
    server.no_faults();
}

#[test]
fn forgeries_are_taken_out_as_long_as_they_are_few() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    let forged = |kinds: usize| {
        let children: String =
            (0..kinds).map(|n| format!("<x{n} xmlns='http://jabber.org/protocol/muc#user'/>").repeat(2)).collect();
        format!("<message type='groupchat' id='f' to='{ROOM}'>{children}<body>true</body></message>")
    };
    hag.send(&forged(16));
    let reflected = crone.skip().concat();
    assert!(reflected.contains("<body>true</body>") && !reflected.contains("muc#user"), "{reflected}");
    hag.skip();
    hag.send(&forged(17));
    hag.receives(&format!(
        "<message type='error' id='f' from='{ROOM}'><error type='modify'>
           <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    crone.receives_nothing();
    server.no_faults();
}
