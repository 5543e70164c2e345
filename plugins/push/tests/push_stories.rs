//! Who is woken, for what, how often, and what happens when nobody answers (XEP-0357).

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, json};

const SERVICE: &str = "push@localhost/app";

fn verona(kit: Kit) -> Server {
    let server = kit.plugin("xylem.push").plugin("xylem.roster").plugin("xylem.offline").start();
    for name in ["romeo", "juliet", "push"] {
        server.account(name);
    }
    server
}

fn enable(client: &mut Client, node: &str) {
    client
        .send(&format!("<iq type='set' id='on'><enable xmlns='urn:xmpp:push:0' jid='{SERVICE}' node='{node}'/></iq>"));
    client.receives("<iq type='result' id='on'/>");
}

/// Juliet's phone has enabled a node and gone.
fn juliet_sleeps(server: &Server, node: &str) {
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, node);
    phone.disconnect();
}

fn say(client: &mut Client, id: &str) {
    client.send(&format!("<message to='juliet@localhost' id='{id}' type='chat'><body>text of {id}</body></message>"));
}

fn publication(node: &str, count: u32, more: &str) -> String {
    format!(
        "<iq type='set' id='{{id:ask}}' from='localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
           <publish node='{node}'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'>
             <field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>
             <field var='message-count'><value>{count}</value></field>
             <field var='pending-subscription-count'><value>0</value></field>{more}
           </x></notification></item></publish></pubsub></iq>"
    )
}

/// The service is told, and accepts.
fn accepts(service: &mut Client, node: &str, count: u32) {
    let told = service.receives(&publication(node, count, ""));
    service.send(&format!("<iq type='result' id='{}' to='localhost'/>", told.caught("ask")));
}

/// The service is told, and answers with this error.
fn refuses(service: &mut Client, node: &str, count: u32, kind: &str, condition: &str) {
    let told = service.receives(&publication(node, count, ""));
    service.send(&format!(
        "<iq type='error' id='{}' to='localhost'><error type='{kind}'>
           <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        told.caught("ask")
    ));
}

#[test]
fn an_absent_device_is_told_once_for_each_message_and_the_count_grows() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    for count in 1..=3 {
        say(&mut romeo, &count.to_string());
        accepts(&mut service, "n", count);
        service.receives_nothing();
    }
    let mut phone = server.client("juliet@localhost/phone");
    phone.send("<presence/>");
    assert_eq!(phone.skip().concat().matches("<body>").count(), 3);
    say(&mut romeo, "4");
    service.receives_nothing();
    phone.disconnect();
    say(&mut romeo, "5");
    accepts(&mut service, "n", 1);
    service.receives_nothing();
    server.no_faults();
}

#[test]
fn a_message_without_id_tells_once_as_well() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<message to='juliet@localhost'><body>one</body></message>");
    accepts(&mut service, "n", 1);
    romeo.send("<message to='juliet@localhost'><body>two</body></message>");
    accepts(&mut service, "n", 2);
    service.receives_nothing();
}

#[test]
fn each_device_is_looked_at_by_itself() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "phone");
    let mut tablet = server.client("juliet@localhost/tablet");
    enable(&mut tablet, "tablet");
    tablet.send("<presence/>");
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    accepts(&mut service, "phone", 1);
    service.receives_nothing();
    assert!(tablet.skip().concat().contains("text of 1"));
    tablet.disconnect();
    say(&mut romeo, "2");
    accepts(&mut service, "phone", 2);
    accepts(&mut service, "tablet", 1);
    service.receives_nothing();
}

#[test]
fn what_a_session_never_read_tells_its_device_when_it_ends() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, "n");
    phone.send("<presence/>");
    phone.skip();
    phone.stop_reading();
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    service.receives_nothing();
    phone.disconnect();
    accepts(&mut service, "n", 1);
    service.receives_nothing();
    server.no_faults();
}

#[test]
fn registrations_outlive_the_server() {
    let mut server = verona(Kit::new());
    juliet_sleeps(&server, "n");
    server.restart();
    let mut service = server.client(SERVICE);
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    accepts(&mut service, "n", 1);
}

#[test]
fn content_is_told_only_where_the_administrator_says_so() {
    let server = verona(Kit::new().config("xylem.push", json!({ "sender": true, "body": true })));
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    let sender = "<field var='last-message-sender'><value>romeo@localhost/orchard</value></field>";
    let text = "<field var='last-message-body'><value>text of 1</value></field>";
    service.receives(&publication("n", 1, &[sender, text].concat()));
    romeo.send(
        "<message to='juliet@localhost' id='2' type='chat'><body>I sent you an encrypted message</body>
           <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>c2VjcmV0</payload></encrypted></message>",
    );
    service.receives(&publication("n", 2, sender));
}

#[test]
fn a_node_that_is_refused_three_times_rests_for_a_day() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    for count in 1..=3 {
        say(&mut romeo, &count.to_string());
        refuses(&mut service, "n", count, "cancel", "item-not-found");
    }
    say(&mut romeo, "4");
    service.receives_nothing();

    // One more chance each day.
    server.advance(Duration::from_secs(86_400));
    say(&mut romeo, "5");
    refuses(&mut service, "n", 5, "cancel", "item-not-found");
    say(&mut romeo, "6");
    service.receives_nothing();

    // Enabled again it is as good as new.
    juliet_sleeps(&server, "n");
    say(&mut romeo, "7");
    accepts(&mut service, "n", 1);
    server.no_faults();
}

#[test]
fn success_forgives_what_was_before() {
    let server = verona(Kit::new().config("xylem.push", json!({ "refusals": 2 })));
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    for round in 0..3 {
        say(&mut romeo, &format!("a{round}"));
        refuses(&mut service, "n", 2 * round + 1, "auth", "forbidden");
        say(&mut romeo, &format!("b{round}"));
        accepts(&mut service, "n", 2 * round + 2);
    }
}

#[test]
fn passing_failures_and_silence_are_borne_longer() {
    let server = verona(Kit::new().config("xylem.push", json!({ "refusals": 1, "failures": 4 })));
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    refuses(&mut service, "n", 1, "wait", "policy-violation");
    say(&mut romeo, "2");
    refuses(&mut service, "n", 2, "cancel", "service-unavailable");
    say(&mut romeo, "3");
    service.receives(&publication("n", 3, ""));
    server.advance(Duration::from_secs(61));
    say(&mut romeo, "4");
    service.receives(&publication("n", 4, ""));
    server.advance(Duration::from_secs(61));
    say(&mut romeo, "5");
    service.receives_nothing();
}

#[test]
fn a_service_that_is_not_there_is_given_up() {
    let server = verona(Kit::new().config("xylem.push", json!({ "failures": 2 })));
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    say(&mut romeo, "2");
    let mut service = server.client(SERVICE);
    say(&mut romeo, "3");
    service.receives_nothing();
    server.advance(Duration::from_secs(86_400));
    say(&mut romeo, "4");
    accepts(&mut service, "n", 4);
}

#[test]
fn a_flood_is_told_in_one() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    for count in 1..=50 {
        say(&mut romeo, &count.to_string());
    }
    for count in 1..=20 {
        accepts(&mut service, "n", count);
    }
    service.receives_nothing();
    server.advance(Duration::from_secs(61));
    accepts(&mut service, "n", 50);
    service.receives_nothing();
    server.no_faults();
}

#[test]
fn a_flood_that_was_read_meanwhile_is_not_told_of() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    let mut romeo = server.client("romeo@localhost/orchard");
    for count in 1..=50 {
        say(&mut romeo, &count.to_string());
    }
    service.skip();
    let mut phone = server.client("juliet@localhost/phone");
    phone.send("<presence/>");
    server.advance(Duration::from_secs(120));
    service.receives_nothing();
}

#[test]
fn an_account_may_enable_only_so_many() {
    let server = verona(Kit::new().config("xylem.push", json!({ "max_devices": 2, "refusals": 1 })));
    let mut service = server.client(SERVICE);
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, "a");
    enable(&mut phone, "b");
    phone.send(&format!("<iq type='set' id='3'><enable xmlns='urn:xmpp:push:0' jid='{SERVICE}' node='c'/></iq>"));
    phone.receives(
        "<iq type='error' id='3'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
           <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{any}</text></error></iq>",
    );
    enable(&mut phone, "b");

    // What is gone makes way.
    phone.disconnect();
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    refuses(&mut service, "a", 1, "cancel", "gone");
    accepts(&mut service, "b", 1);
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, "c");
    phone.disconnect();
    say(&mut romeo, "2");
    accepts(&mut service, "b", 2);
    accepts(&mut service, "c", 1);
    service.receives_nothing();
}

#[test]
fn removing_an_account_removes_its_devices() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    juliet_sleeps(&server, "n");
    server.delete_account("juliet");
    server.account("juliet");
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    service.receives_nothing();
}

#[test]
fn a_session_that_lost_its_connection_is_told_until_it_is_back() {
    let server = verona(Kit::new());
    let mut service = server.client(SERVICE);
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, "n");
    phone.send("<presence/>");
    phone.hibernate();
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "1");
    accepts(&mut service, "n", 1);
    phone.resume();
    say(&mut romeo, "2");
    service.receives_nothing();
    phone.hibernate();
    say(&mut romeo, "3");
    accepts(&mut service, "n", 1);
    service.receives_nothing();
    server.no_faults();
}

/// What is said in a room while Juliet's phone is in it without a connection.
fn in_a_room(kit: Kit) -> (Server, Client) {
    let server = verona(kit.plugin("xylem.muc").plugin("xylem.presence").plugin("xylem.blocking"));
    let room = "hall@conference.localhost";
    let service = server.client(SERVICE);
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut phone = server.client("juliet@localhost/phone");
    enable(&mut phone, "n");
    phone.send("<presence/>");
    romeo.send(&format!("<presence to='{room}/romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
    romeo.send(&format!(
        "<iq type='set' id='open' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    phone.send(&format!("<presence to='{room}/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
    phone.hibernate();
    romeo.send(&format!("<message to='{room}' id='1' type='groupchat'><body>hear</body></message>"));
    server.no_faults();
    (server, service)
}

#[test]
fn rooms_tell_those_who_are_still_in_them() {
    let (_server, mut service) = in_a_room(Kit::new());
    accepts(&mut service, "n", 1);
    service.receives_nothing();
    let (_server, mut service) = in_a_room(Kit::new().config("xylem.push", json!({ "rooms": false })));
    service.receives_nothing();
}
