//! Blocking as both sides see it (XEP-0191).

use xylem_testing::{Kit, Server};

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.blocking").plugin("xylem.roster").start();
    for name in ["juliet", "paris"] {
        server.account(name);
    }
    server
}

const BLOCK: &str = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></block></iq>";

#[test]
fn the_blocked_are_not_heard_and_learn_nothing() {
    let server = verona();
    let mut juliet = server.client("juliet@localhost/balcony");
    let mut paris = server.client("paris@localhost/garden");
    juliet.send("<presence/>");
    juliet.skip();
    juliet.send(BLOCK);
    juliet.receives("<iq type='result' id='b'/>");

    paris.send("<message to='juliet@localhost' id='1' type='chat'><body>Fair maid!</body></message>");
    paris.receives(
        "<message type='error' id='1' from='juliet@localhost'><error type='cancel'>
           <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    paris.send("<presence to='juliet@localhost/balcony'/>");
    paris.receives_nothing();
    juliet.receives_nothing();

    // §3.3: and nothing goes out to them.
    juliet.send("<message to='paris@localhost' id='2' type='chat'><body>Begone.</body></message>");
    juliet.receives(
        "<message type='error' id='2' from='paris@localhost'><error type='cancel'>
           <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
           <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>",
    );
    paris.receives_nothing();
    server.no_faults();
}

#[test]
fn resources_with_the_list_hear_of_changes() {
    let server = verona();
    let mut juliet = server.client("juliet@localhost/balcony");
    let mut phone = server.client("juliet@localhost/phone");
    let mut idle = server.client("juliet@localhost/idle");
    phone.send("<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
    phone.receives("<iq type='result' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>");

    juliet.send(BLOCK);
    juliet.receives("<iq type='result' id='b'/>");
    phone.receives(
        "<iq type='set' id='{id}'><block xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></block></iq>",
    );
    juliet.send("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
    juliet.receives("<iq type='result' id='u'/>");
    phone.receives("<iq type='set' id='{id}'><unblock xmlns='urn:xmpp:blocking'/></iq>");
    juliet.receives_nothing();
    idle.receives_nothing();
}

#[test]
fn a_block_outlives_the_server() {
    let mut server = verona();
    server.client("juliet@localhost/balcony").send(BLOCK);
    server.restart();

    let mut juliet = server.client("juliet@localhost/balcony");
    let mut paris = server.client("paris@localhost/garden");
    juliet.send("<presence/>");
    juliet.skip();
    paris.send("<message to='juliet@localhost/balcony' id='1'><body>Again!</body></message>");
    assert!(paris.skip().concat().contains("service-unavailable"));
    juliet.receives_nothing();
    juliet.send("<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>");
    juliet.receives(
        "<iq type='result' id='l'><blocklist xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></blocklist></iq>",
    );
}
