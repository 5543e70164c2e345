//! A room, and who may be in it.
#![allow(dead_code, reason = "not every test needs all of it")]

use xylem_testing::{Client, Kit, Server};

pub(crate) const ROOM: &str = "coven@conference.localhost";

/// Where three accounts may meet.
pub(crate) fn heath() -> Server {
    let server =
        Kit::new().plugin("xylem.muc").plugin("xylem.presence").plugin("xylem.roster").plugin("xylem.blocking").start();
    for name in ["crone", "wiccan", "hag"] {
        server.account(name);
    }
    server
}

/// Wants to enter under this nickname.
pub(crate) fn enter(client: &mut Client, nick: &str) {
    client.send(&format!("<presence to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
}

/// A room with default settings, and its owner in it.
pub(crate) fn coven(server: &Server) -> Client {
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    crone.skip();
    crone
}

/// Somebody who is in the room and has read what he got when he came.
pub(crate) fn somebody(server: &Server, address: &str, nick: &str) -> Client {
    let mut client = server.client(address);
    enter(&mut client, nick);
    client.skip();
    client
}
