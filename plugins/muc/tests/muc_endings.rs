//! Rooms that end, and what is left of them.

mod coven;

use std::time::Duration;

use coven::{ROOM, coven, enter, heath, somebody};

const HISTORY: &str = "xylem.muc/history";
const DAY: Duration = Duration::from_hours(24);

fn message(body: &str) -> String {
    format!("<message type='groupchat' id='m' to='{ROOM}'><body>{body}</body></message>")
}

#[test]
fn when_the_server_stops_everybody_hears_why_he_is_out() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    let mut again = somebody(&server, "hag@localhost/desktop", "third");
    for client in [&mut crone, &mut hag, &mut again] {
        client.skip();
    }
    server.stopping();
    let gone = |nick: &str, item: &str| {
        format!(
            "<presence type='unavailable' from='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>
               <item {item} role='none'/><status code='110'/><status code='332'/></x>{{...}}</presence>"
        )
    };
    crone.receives(&gone("first", "affiliation='owner' jid='crone@localhost/desktop'"));
    hag.receives(&gone("third", "affiliation='none' jid='hag@localhost/pda'"));
    again.receives(&gone("third", "affiliation='none' jid='hag@localhost/desktop'"));
    // And not that the others are.
    for client in [&mut crone, &mut hag, &mut again] {
        client.receives_nothing();
    }
    // It was a temporary room.
    crone.send(&message("anybody here?"));
    assert!(crone.skip().concat().contains("item-not-found"));
    server.no_faults();
}

#[test]
fn what_a_temporary_room_leaves_is_swept_up_within_a_day() {
    let mut server = heath();
    let mut crone = coven(&server);
    crone.send(&message("double"));
    crone.send(&message("double toil"));
    assert_eq!(server.archived(HISTORY, ROOM), 2);
    drop(crone);
    server.restart();
    assert_eq!(server.archived(HISTORY, ROOM), 2, "nobody looked yet");
    server.advance(DAY);
    assert_eq!(server.archived(HISTORY, ROOM), 0);
    server.no_faults();
}

#[test]
fn what_a_room_keeps_that_is_there_is_not_swept_up() {
    let server = heath();
    let mut crone = coven(&server);
    crone.send(&message("double"));
    for _ in 0..3 {
        server.advance(DAY);
        assert_eq!(server.archived(HISTORY, ROOM), 1);
    }
    crone.send(&format!("<presence type='unavailable' to='{ROOM}/first'/>"));
    assert_eq!(server.archived(HISTORY, ROOM), 0, "it ended with its last occupant");
    server.advance(DAY);
    server.no_faults();
}

#[test]
fn a_new_room_has_nothing_of_one_that_ended_with_the_server() {
    let mut server = heath();
    let mut crone = coven(&server);
    crone.send(&message("double"));
    drop(crone);
    server.restart();
    let mut hag = server.client("hag@localhost/pda");
    enter(&mut hag, "third");
    let came = hag.skip().concat();
    assert!(came.contains("'201'") && !came.contains("double"), "{came}");
    assert_eq!(server.archived(HISTORY, ROOM), 0);
    // The timer of the old one goes off in the new one.
    hag.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    hag.send(&message("toil"));
    server.advance(DAY);
    assert_eq!(server.archived(HISTORY, ROOM), 1);
    server.no_faults();
}
