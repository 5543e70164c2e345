//! One conversation, several devices (XEP-0280).

use xylem_testing::{Client, Kit, Server};

const ENABLE: &str = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.carbons").plugin("xylem.mam").plugin("xylem.roster").start();
    server.account("romeo");
    server.account("juliet");
    server
}

/// Online, with carbons.
fn device(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send(ENABLE);
    client.receives("<iq type='result' id='c'/>");
    client.send("<presence/>");
    client.skip();
    client
}

fn wrapped(account: &str, direction: &str, kind: &str, stanza: &str) -> String {
    format!(
        "<message from='{account}' type='{kind}'><{direction} xmlns='urn:xmpp:carbons:2'>
           <forwarded xmlns='urn:xmpp:forward:0'>{stanza}</forwarded></{direction}></message>"
    )
}

#[test]
fn both_directions_reach_the_other_devices() {
    let server = verona();
    let mut orchard = device(&server, "romeo@localhost/orchard");
    let mut garden = device(&server, "romeo@localhost/garden");
    let mut plain = server.client("romeo@localhost/plain");
    plain.send("<presence><priority>-1</priority></presence>");
    let mut balcony = device(&server, "juliet@localhost/balcony");
    for client in [&mut orchard, &mut garden, &mut plain] {
        client.skip();
    }
    orchard.send("<message to='juliet@localhost/balcony' type='chat' id='1'><body>hi</body></message>");
    balcony.receives(
        "<message from='romeo@localhost/orchard' to='juliet@localhost/balcony' type='chat' id='1'><body>hi</body>
           <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='{id}'/></message>",
    );
    garden.receives(&wrapped(
        "romeo@localhost",
        "sent",
        "chat",
        "<message xmlns='jabber:client' from='romeo@localhost/orchard' to='juliet@localhost/balcony' type='chat' id='1'>
           <body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='{id}'/></message>",
    ));
    balcony.send("<message to='romeo@localhost/orchard' type='chat' id='2'><body>ho</body></message>");
    let original = "<message xmlns='jabber:client' from='juliet@localhost/balcony' to='romeo@localhost/orchard' type='chat' id='2'>
           <body>ho</body><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='{id}'/></message>";
    orchard.receives(original);
    garden.receives(&wrapped("romeo@localhost", "received", "chat", original));
    for client in [&mut orchard, &mut garden, &mut plain, &mut balcony] {
        client.receives_nothing();
    }
    server.no_faults();
}

#[test]
fn who_gets_the_message_gets_no_copy() {
    let server = verona();
    let mut orchard = device(&server, "romeo@localhost/orchard");
    let mut garden = device(&server, "romeo@localhost/garden");
    let mut watch = device(&server, "romeo@localhost/watch");
    watch.send("<presence><priority>-1</priority></presence>");
    let mut balcony = device(&server, "juliet@localhost/balcony");
    for client in [&mut orchard, &mut garden, &mut watch] {
        client.skip();
    }
    balcony.send("<message to='romeo@localhost' type='chat' id='1'><body>all</body></message>");
    for (client, copies) in [(&mut orchard, 0), (&mut garden, 0), (&mut watch, 1)] {
        let came = client.skip();
        assert_eq!(came.len(), 1, "{came:?}");
        assert_eq!(came.concat().matches("<received").count(), copies, "{came:?}");
    }
    orchard.send("<message to='romeo@localhost/garden' type='chat' id='2'><body>me</body></message>");
    let came = garden.skip();
    assert!(came.len() == 1 && !came.concat().contains("urn:xmpp:carbons:2"), "{came:?}");
    assert_eq!(watch.skip().concat().matches("<received").count(), 1);
    orchard.receives_nothing();
    server.no_faults();
}

#[test]
fn what_is_not_eligible_is_not_copied() {
    let server = verona();
    let mut orchard = device(&server, "romeo@localhost/orchard");
    let mut garden = device(&server, "romeo@localhost/garden");
    let mut balcony = device(&server, "juliet@localhost/balcony");
    garden.skip();
    let body = "<body>hi</body>";
    let room = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    let invite = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>";
    for (kind, content, copied) in [
        ("chat", format!("{body}<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>"), false),
        ("chat", format!("{body}<no-copy xmlns='urn:xmpp:hints'/>"), false),
        ("chat", format!("{body}<private xmlns='urn:xmpp:carbons:2'/>"), false),
        (
            "chat",
            "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>".into(),
            false,
        ),
        ("chat", format!("{body}{room}"), false),
        ("chat", format!("{body}{invite}"), true),
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>".into(), true),
        ("normal", "<x xmlns='urn:example:other'/>".into(), false),
        ("normal", body.into(), true),
        ("normal", "<received xmlns='urn:xmpp:receipts' id='1'/>".into(), true),
        ("normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>".into(), true),
        ("normal", "<x xmlns='jabber:x:conference' jid='r@c'/>".into(), true),
        ("headline", body.into(), false),
        ("groupchat", body.into(), false),
        ("error", body.into(), false),
    ] {
        balcony.send(&format!("<message to='romeo@localhost/orchard' type='{kind}'>{content}</message>"));
        let came = garden.skip();
        assert_eq!(came.len(), usize::from(copied), "{kind} {content}: {came:?}");
        assert_eq!(orchard.skip().len(), 1, "{kind} {content}");
    }
    server.no_faults();
}

#[test]
fn errors_follow_what_they_answer() {
    let server = verona();
    let mut orchard = device(&server, "romeo@localhost/orchard");
    let mut garden = device(&server, "romeo@localhost/garden");
    orchard.skip();
    orchard.send("<message to='nobody@localhost' type='chat' id='lost'><body>hi</body></message>");
    assert!(orchard.skip().concat().contains("type='error'"));
    let came = garden.skip();
    assert_eq!(came.len(), 2, "{came:?}");
    assert!(came[0].contains("<sent") && came[1].contains("<received") && came[1].contains("service-unavailable"));
    server.no_faults();
}

#[test]
fn it_can_be_switched_on_and_off() {
    let server = verona();
    let mut orchard = device(&server, "romeo@localhost/orchard");
    let mut garden = device(&server, "romeo@localhost/garden");
    orchard.skip();
    garden.send(ENABLE);
    garden.receives("<iq type='result' id='c'/>");
    for _ in 0..2 {
        garden.send("<iq type='set' id='d'><disable xmlns='urn:xmpp:carbons:2'/></iq>");
        garden.receives("<iq type='result' id='d'/>");
    }
    orchard.send("<message to='juliet@localhost' type='chat'><body>hi</body></message>");
    garden.receives_nothing();
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<iq type='set' id='x' to='romeo@localhost'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    assert!(juliet.skip().concat().contains("type='error'"));
    server.no_faults();
}
