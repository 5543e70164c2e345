//! What happens in rooms, as those who are in them see it (XEP-0045).

use xylem_testing::{Client, Kit, Server};

const ROOM: &str = "coven@conference.localhost";

fn heath() -> Server {
    let server =
        Kit::new().plugin("xylem.muc").plugin("xylem.presence").plugin("xylem.roster").plugin("xylem.blocking").start();
    for name in ["crone", "wiccan", "hag"] {
        server.account(name);
    }
    server
}

fn enter(client: &mut Client, nick: &str) {
    client.send(&format!("<presence to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
}

/// A room with default settings, and its owner in it.
fn coven(server: &Server) -> Client {
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    crone.skip();
    crone
}

fn somebody(server: &Server, address: &str, nick: &str) -> Client {
    let mut client = server.client(address);
    enter(&mut client, nick);
    client.skip();
    client
}

fn x(inner: &str) -> String {
    format!("<x xmlns='http://jabber.org/protocol/muc#user'>{inner}</x>")
}

const ID: &str = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/>";

#[test]
fn a_new_room_is_locked_until_it_is_configured() {
    let server = heath();
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.receives(&format!(
        "<presence from='{ROOM}/first'>{}{ID}</presence>",
        x("<item affiliation='owner' role='moderator' jid='crone@localhost/desktop'/><status code='110'/><status code='201'/>")
    ));
    crone.receives(&format!("<message type='groupchat' from='{ROOM}'><subject/></message>"));
    crone.receives_nothing();

    let mut hag = server.client("hag@localhost/pda");
    enter(&mut hag, "third");
    hag.receives(&format!(
        "<presence type='error' from='{ROOM}/third'><x xmlns='http://jabber.org/protocol/muc'/>
         <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    ));

    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    crone.receives(&format!("<iq type='result' id='open' from='{ROOM}'/>"));
    crone.receives_nothing();
    enter(&mut hag, "third");
    hag.receives(&format!(
        "<presence from='{ROOM}/first'>{}{ID}</presence>",
        x("<item affiliation='owner' role='moderator'/>")
    ));
    hag.receives(&format!(
        "<presence from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='participant' jid='hag@localhost/pda'/><status code='110'/>")
    ));
    hag.receives(&format!("<message type='groupchat' from='{ROOM}'><subject/></message>"));
    hag.receives_nothing();
    crone.receives(&format!(
        "<presence from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='participant' jid='hag@localhost/pda'/>")
    ));
    crone.receives_nothing();
    server.no_faults();
}

#[test]
fn a_message_goes_to_everybody() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    hag.send(&format!("<message type='groupchat' id='m1' to='{ROOM}'><body>Harpier cries</body></message>"));
    for client in [&mut crone, &mut hag] {
        client.receives(&format!(
            "<message type='groupchat' id='m1' from='{ROOM}/third'><body>Harpier cries</body>{ID}
               <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{{id}}'/></message>"
        ));
        client.receives_nothing();
    }
    let mut wiccan = server.client("wiccan@localhost/laptop");
    wiccan.send(&format!("<message type='groupchat' id='m2' to='{ROOM}'><body>Double</body></message>"));
    wiccan.receives(&format!(
        "<message type='error' id='m2' from='{ROOM}'><error type='modify'>
           <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    server.no_faults();
}

#[test]
fn who_loses_the_connection_leaves_the_room() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    hag.disconnect();
    crone.receives(&format!(
        "<presence type='unavailable' from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='none' jid='hag@localhost/pda'/>")
    ));
    crone.receives_nothing();
    server.no_faults();
}
