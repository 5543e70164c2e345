//! All conversations at a glance (XEP-0430).

use std::time::Duration;

use xylem_testing::{Client, Kit, Server};

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.inbox").plugin("xylem.mam").plugin("xylem.roster").start();
    for name in ["romeo", "juliet", "nurse"] {
        server.account(name);
    }
    server
}

fn say(client: &mut Client, to: &str, id: &str) {
    client.send(&format!("<message to='{to}' id='{id}' type='chat'><body>{id}</body></message>"));
}

/// The entries of the inbox (contact, unread) and the totals.
fn inbox(client: &mut Client, query: &str) -> (String, String) {
    client.skip();
    client.send(&format!("<iq type='get' id='i'><inbox xmlns='urn:xmpp:inbox:1' {query}</inbox></iq>"));
    let mut came = client.skip();
    let end = came.pop().unwrap_or_default();
    let entries = came.iter().map(|xml| {
        let jid = between(xml, "jid='", "@");
        [jid, "=", between(xml, "unread='", "'")].concat()
    });
    let fin = ["total='", " unread='", "all-unread='"].map(|name| between(&end, name, "'"));
    (entries.collect::<Vec<_>>().join(" "), fin.join(" "))
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or("", |(found, _)| found)
}

#[test]
fn what_is_new_is_counted_until_it_is_seen() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut nurse = server.client("nurse@localhost/house");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    for id in ["1", "2", "3"] {
        say(&mut romeo, "juliet@localhost", id);
        server.advance(Duration::from_secs(1));
    }
    say(&mut nurse, "juliet@localhost/balcony", "n");
    assert_eq!(inbox(&mut juliet, ">"), ("nurse=1 romeo=3".into(), "2 2 4".into()));
    assert_eq!(inbox(&mut romeo, ">"), ("juliet=0".into(), "1 0 0".into()), "one's own words are read");

    juliet.send("<message to='romeo@localhost/orchard' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='2'/></message>");
    juliet.send(
        "<message to='romeo@localhost/orchard' type='chat'><received xmlns='urn:xmpp:receipts' id='3'/></message>",
    );
    assert_eq!(inbox(&mut juliet, ">"), ("nurse=1 romeo=1".into(), "2 2 2".into()));
    say(&mut juliet, "romeo@localhost", "answer");
    assert_eq!(inbox(&mut juliet, ">"), ("romeo=0 nurse=1".into(), "2 1 1".into()));
    assert_eq!(inbox(&mut juliet, "unread-only='true'>"), ("nurse=1".into(), "2 1 1".into()));
    server.no_faults();
}

#[test]
fn entries_come_with_the_last_message() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "juliet@localhost", "1");
    romeo.skip();
    romeo.send("<iq type='get' id='i'><inbox xmlns='urn:xmpp:inbox:1'/></iq>");
    let entry = romeo.receives(
        "<message from='romeo@localhost'><entry xmlns='urn:xmpp:inbox:1' unread='0' jid='juliet@localhost' id='{id:name}'/>
           <result xmlns='urn:xmpp:mam:2' queryid='i' id='{id:same}'><forwarded xmlns='urn:xmpp:forward:0'>
             <delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>
             <message xmlns='jabber:client' from='romeo@localhost/orchard' to='juliet@localhost' id='1' type='chat'>
               <body>1</body></message></forwarded></result></message>",
    );
    assert_eq!(entry.caught("name"), entry.caught("same"));
    romeo.receives(
        "<iq type='result' id='i'><fin xmlns='urn:xmpp:inbox:1' total='1' unread='0' all-unread='0'>
           <set xmlns='http://jabber.org/protocol/rsm'><first index='0'>{id}</first><last>{id}</last>
             <count>1</count></set></fin></iq>",
    );
    romeo.send("<iq type='get' id='j'><inbox xmlns='urn:xmpp:inbox:1' messages='false'/></iq>");
    romeo.receives(
        "<message from='romeo@localhost'><entry xmlns='urn:xmpp:inbox:1' unread='0' jid='juliet@localhost' id='{id}'/></message>",
    );
    server.no_faults();
}

#[test]
fn pages_follow_the_order_of_last_activity() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    for name in ["a", "b", "c", "d"] {
        say(&mut romeo, &format!("{name}@localhost"), name);
        server.advance(Duration::from_secs(1));
    }
    let set = |content: &str| format!("><set xmlns='http://jabber.org/protocol/rsm'>{content}</set>");
    let mut names: Vec<String> = Vec::new();
    romeo.skip();
    romeo.send("<iq type='get' id='i'><inbox xmlns='urn:xmpp:inbox:1' messages='false'/></iq>");
    for name in ["d", "c", "b", "a"] {
        let entry = romeo.receives(&format!(
            "<message from='romeo@localhost'><entry xmlns='urn:xmpp:inbox:1' unread='0' jid='{name}@localhost' id='{{id:last}}'/></message>"
        ));
        names.push(entry.caught("last").to_owned());
    }
    romeo.skip();
    let [_, c, _, _] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!(inbox(&mut romeo, &set("<max>2</max>")).0, "d=0 c=0");
    // Conversations that move meanwhile are neither left out nor doubled.
    say(&mut romeo, "c@localhost", "again");
    assert_eq!(inbox(&mut romeo, &set(&format!("<max>2</max><after>{c}</after>"))).0, "b=0 a=0");
    assert_eq!(inbox(&mut romeo, &set("<max>1</max><before/>")).0, "a=0");
    assert_eq!(inbox(&mut romeo, &set(&format!("<max>2</max><before>{c}</before>"))).0, "c=0 d=0");
    romeo.send(&format!(
        "<iq type='get' id='x'><inbox xmlns='urn:xmpp:inbox:1'{}</inbox></iq>",
        set("<after>z</after>")
    ));
    assert!(romeo.skip().concat().contains("item-not-found"));
    server.no_faults();
}

#[test]
fn corrections_are_not_news() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    say(&mut romeo, "juliet@localhost", "1");
    romeo.send(
        "<message to='juliet@localhost' id='2' type='chat'><body>better</body>
           <replace xmlns='urn:xmpp:message-correct:0' id='1'/></message>",
    );
    assert_eq!(inbox(&mut juliet, ">"), ("romeo=1".into(), "1 1 1".into()));
    juliet.send("<iq type='get' id='j'><inbox xmlns='urn:xmpp:inbox:1'/></iq>");
    assert!(juliet.skip().concat().contains("better"));
    server.no_faults();
}

#[test]
fn what_is_encrypted_counts_as_well() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    romeo.send(
        "<message to='juliet@localhost' id='1' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/>
           <payload>aGk=</payload></encrypted><store xmlns='urn:xmpp:hints'/></message>",
    );
    assert_eq!(inbox(&mut juliet, ">"), ("romeo=1".into(), "1 1 1".into()));
    server.no_faults();
}
