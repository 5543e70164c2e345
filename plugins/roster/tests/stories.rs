//! Contact lists and subscriptions as clients see them.

use xylem_testing::{Client, Kit, Server};

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.roster").start();
    server.account("romeo");
    server.account("juliet");
    server
}

/// Logs in, asks for the list (RFC 6121 §2.2) and comes online.
fn online(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send("<iq type='get' id='list'><query xmlns='jabber:iq:roster'/></iq>");
    client.send("<presence/>");
    client.skip();
    client
}

#[test]
fn a_request_is_approved() {
    let server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");

    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    romeo.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' subscription='none' ask='subscribe'/></query></iq>",
    );
    juliet.receives("<presence type='subscribe' from='romeo@localhost'/>");
    juliet.receives_nothing();

    juliet.send("<presence type='subscribed' to='romeo@localhost'/>");
    juliet.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='romeo@localhost' subscription='from'/></query></iq>",
    );
    romeo.receives_in_any_order(&[
        "<presence type='subscribed' from='juliet@localhost'/>",
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' subscription='to'/></query></iq>",
        "<presence from='juliet@localhost/balcony'/>",
    ]);
    romeo.receives_nothing();
    juliet.receives_nothing();
    server.no_faults();
}

#[test]
fn a_request_waits_for_who_is_not_there() {
    let mut server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    server.restart();

    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.receives_nothing();
    juliet.send("<presence/>");
    juliet.receives("<presence type='subscribe' from='romeo@localhost'/>");
    juliet.receives_nothing();
}

#[test]
fn a_list_survives_a_restart_and_whoever_has_it_is_spared_it() {
    let mut server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>
           <item jid='nurse@localhost' name='Nurse'><group>Capulet</group></item></query></iq>",
    );
    romeo.receives("<iq type='result' id='1'/>");
    server.restart();

    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<iq type='get' id='2'><query xmlns='jabber:iq:roster' ver=''/></iq>");
    let list = romeo.receives(
        "<iq type='result' id='2'><query xmlns='jabber:iq:roster' ver='{id:version}'>
           <item jid='nurse@localhost' name='Nurse' subscription='none'><group>Capulet</group></item></query></iq>",
    );
    let version = list.caught("version");
    romeo.send(&format!("<iq type='get' id='3'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>"));
    romeo.receives("<iq type='result' id='3'/>");
    romeo.receives_nothing();
}

#[test]
fn what_is_not_written_is_not_told() {
    let mut server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let add = "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>";

    server.fail_next_commit();
    romeo.send(add);
    romeo.receives(
        "<iq type='error' id='1'><error type='wait'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    romeo.receives_nothing();
    juliet.receives_nothing();

    server.restart();
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>");
    romeo.receives("<iq type='result' id='2'><query xmlns='jabber:iq:roster' ver='{optional}'/></iq>");
}
