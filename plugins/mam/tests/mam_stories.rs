//! The archive of an account (XEP-0313).

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, json};

const QUERY: &str = "<query xmlns='urn:xmpp:mam:2'";
const RSM: &str = "http://jabber.org/protocol/rsm";

fn verona(settings: xylem_testing::Value) -> Server {
    let server = Kit::new().plugin("xylem.mam").plugin("xylem.roster").config("xylem.mam", settings).start();
    server.account("romeo");
    server.account("juliet");
    server
}

fn say(client: &mut Client, to: &str, text: &str) {
    client.send(&format!("<message to='{to}' id='{text}' type='chat'><body>{text}</body></message>"));
}

/// Asks for a page; what comes before the end of it, and the end.
fn page(client: &mut Client, id: &str, content: &str) -> (Vec<String>, String) {
    client.skip();
    client.send(&format!("<iq type='set' id='{id}'>{QUERY} queryid='q'>{content}</query></iq>"));
    let mut came = client.skip();
    let end = came.pop().unwrap_or_default();
    assert!(end.starts_with("<iq"), "{end}");
    (came, end)
}

fn form(fields: &str) -> String {
    format!(
        "<x xmlns='jabber:x:data' type='submit'>
           <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>{fields}</x>"
    )
}

fn set(content: &str) -> String {
    format!("<set xmlns='{RSM}'>{content}</set>")
}

fn texts(results: &[String]) -> Vec<&str> {
    results.iter().map(|xml| between(xml, "<body>", "</body>")).collect()
}

fn ids(results: &[String]) -> Vec<&str> {
    results.iter().map(|xml| between(xml.split("<result").nth(1).unwrap_or_default(), " id='", "'")).collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or("", |(found, _)| found)
}

#[test]
fn both_sides_find_what_was_said() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    juliet.skip();
    say(&mut romeo, "juliet@localhost", "1");
    let got = juliet.receives(
        "<message from='romeo@localhost/orchard' to='juliet@localhost' id='1' type='chat'><body>1</body>
           <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='{id:hers}'/></message>",
    );
    let hers = got.caught("hers").to_owned();
    say(&mut juliet, "romeo@localhost/orchard", "2");
    romeo.receives(
        "<message from='juliet@localhost/balcony' to='romeo@localhost/orchard' id='2' type='chat'><body>2</body>
           <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='{id}'/></message>",
    );
    juliet.send(&format!("<iq type='set' id='q1'>{QUERY} queryid='f27'/></iq>"));
    juliet.receives(&format!(
        "<message from='juliet@localhost'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='{hers}'>
           <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{{stamp}}'/>
             <message xmlns='jabber:client' from='romeo@localhost/orchard' to='juliet@localhost' id='1' type='chat'>
               <body>1</body></message></forwarded></result></message>"
    ));
    let second = juliet.receives(
        "<message from='juliet@localhost'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='{id:last}'>
           <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>
             <message xmlns='jabber:client' from='juliet@localhost/balcony' to='romeo@localhost/orchard' id='2' type='chat'>
               <body>2</body></message></forwarded></result></message>",
    );
    juliet.receives(&format!(
        "<iq type='result' id='q1'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='{RSM}'>
           <first>{hers}</first><last>{}</last><count>2</count></set></fin></iq>",
        second.caught("last")
    ));
    juliet.receives_nothing();
    let (results, _) = page(&mut romeo, "q2", "");
    assert_eq!(texts(&results), ["1", "2"]);
    server.no_faults();
}

#[test]
fn pages_go_both_ways_and_can_be_flipped() {
    let server = verona(json!({ "page": 3, "max_page": 4 }));
    let mut romeo = server.client("romeo@localhost/orchard");
    for text in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        say(&mut romeo, "juliet@localhost", text);
        server.advance(Duration::from_secs(1));
    }
    let (first, end) = page(&mut romeo, "a", "");
    assert_eq!(texts(&first), ["1", "2", "3"]);
    assert!(end.contains("<count>8</count>") && !end.contains("complete="), "{end}");
    let (most, _) = page(&mut romeo, "b", &set("<max>1000</max>"));
    assert_eq!(texts(&most).len(), 4, "bounded");
    let known = ids(&most);
    let (next, end) = page(&mut romeo, "c", &set(&format!("<max>4</max><after>{}</after>", known[3])));
    assert_eq!(texts(&next), ["5", "6", "7", "8"]);
    assert!(end.contains("complete='true'"), "{end}");
    let (last, end) = page(&mut romeo, "d", &set("<max>2</max><before/>"));
    assert_eq!(texts(&last), ["7", "8"]);
    assert!(!end.contains("complete="), "{end}");
    let before = format!("<max>2</max><before>{}</before>", ids(&last)[0]);
    let (results, end) = page(&mut romeo, "e", &(set(&before) + "<flip-page/>"));
    assert_eq!(texts(&results), ["6", "5"]);
    assert!(end.contains(&format!("<first>{}</first>", ids(&results)[1])), "{end}");
    let (results, end) = page(&mut romeo, "f", &set(&format!("<max>4</max><before>{}</before>", known[2])));
    assert_eq!(texts(&results), ["1", "2"]);
    assert!(end.contains("complete='true'"), "{end}");
    let (results, end) = page(&mut romeo, "g", &set("<max>0</max>"));
    assert_eq!(results.len(), 0);
    assert!(end.contains("<count>8</count>") && !end.contains("<first>"), "{end}");
    server.no_faults();
}

#[test]
fn forms_narrow_it_down() {
    let server = verona(json!({}));
    server.account("nurse");
    let mut romeo = server.client("romeo@localhost/orchard");
    for (to, text) in [
        ("juliet@localhost", "1"),
        ("nurse@localhost/hall", "2"),
        ("juliet@localhost/balcony", "3"),
        ("romeo@localhost", "4"),
        ("nurse@localhost", "5"),
    ] {
        romeo.send(&format!(
            "<message to='{to}' id='{text}'><body>{text}</body><store xmlns='urn:xmpp:hints'/></message>"
        ));
        server.advance(Duration::from_secs(10));
    }
    romeo.skip();
    let (all, _) = page(&mut romeo, "all", "");
    assert_eq!(texts(&all), ["1", "2", "3", "4", "5"], "to oneself once");
    let known = ids(&all);
    let field = |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
    for (fields, wanted) in [
        (field("with", "JULIET@localhost"), "1 3"),
        (field("with", "juliet@localhost/balcony"), "3"),
        (field("with", "juliet@localhost/chamber"), ""),
        (field("with", "romeo@localhost"), "4"),
        (field("start", "2026-01-01T00:00:20Z"), "3 4 5"),
        (field("end", "2026-01-01T00:00:20Z"), "1 2 3"),
        (field("start", "2026-01-01T01:00:10+01:00") + &field("end", "2026-01-01T00:00:29.9Z"), "2 3"),
        (field("after-id", known[1]), "3 4 5"),
        (field("after-id", known[0]) + &field("before-id", known[3]), "2 3"),
        (field("with", "nurse@localhost") + &field("after-id", known[2]), "5"),
        (format!("<field var='ids'><value>{}</value><value>{}</value></field>", known[3], known[1]), "2 4"),
        (field("include-groupchat", "true"), "1 2 3 4 5"),
    ] {
        let (results, end) = page(&mut romeo, "q", &form(&fields));
        assert_eq!(texts(&results).join(" "), wanted, "{fields} {end}");
        assert!(end.contains("complete='true'"), "{end}");
    }
    server.no_faults();
}

#[test]
fn what_cannot_be_asked_is_told() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    say(&mut romeo, "juliet@localhost", "1");
    let field = |name: &str, value: &str| form(&format!("<field var='{name}'><value>{value}</value></field>"));
    for (content, condition) in [
        (set("<after>00000000000000aa</after>"), "item-not-found"),
        (set("<before>nonsense</before>"), "item-not-found"),
        (field("after-id", "00000000000000aa"), "item-not-found"),
        (field("ids", "00000000000000aa"), "item-not-found"),
        (set("<max>many</max>"), "bad-request"),
        (set("<index>3</index>"), "feature-not-implemented"),
        (field("colour", "red"), "feature-not-implemented"),
        (field("start", "yesterday"), "bad-request"),
        (field("with", "@"), "bad-request"),
        ("<x xmlns='jabber:x:data' type='submit'/>".to_owned(), "bad-request"),
        ("<x xmlns='jabber:x:data' type='form'/>".to_owned(), "bad-request"),
    ] {
        let (results, end) = page(&mut romeo, "q", &content);
        assert!(results.is_empty() && end.contains(condition) && end.contains("type='error'"), "{content}: {end}");
    }
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send(&format!("<iq type='set' id='x' to='romeo@localhost'>{QUERY}/></iq>"));
    juliet.receives(
        "<iq type='error' id='x' from='romeo@localhost'><error type='cancel'>
           <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    server.no_faults();
}

#[test]
fn what_says_nothing_is_not_archived() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    for (kind, content) in [
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("chat", "<body>secret</body><no-store xmlns='urn:xmpp:hints'/>"),
        ("chat", "<body>secret</body><no-permanent-store xmlns='urn:xmpp:hints'/>"),
        ("headline", "<body>news</body>"),
        ("groupchat", "<body>everybody</body>"),
        (
            "error",
            "<body>failed</body><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        ),
    ] {
        romeo.send(&format!("<message to='juliet@localhost/balcony' type='{kind}'>{content}</message>"));
    }
    romeo.skip();
    let seen = juliet.skip().concat();
    assert!(!seen.contains("stanza-id"), "{seen}");
    for client in [&mut romeo, &mut juliet] {
        let (results, _) = page(client, "q", "");
        assert!(results.is_empty(), "{results:?}");
    }
    romeo.send(
        "<message to='juliet@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>",
    );
    romeo.skip();
    assert_eq!(page(&mut romeo, "q", "").0.len(), 1);
}

#[test]
fn ids_in_the_name_of_the_archive_are_its_own() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    romeo.send(
        "<message to='juliet@localhost/balcony' type='chat' id='m'><body>hi</body>
           <stanza-id xmlns='urn:xmpp:sid:0' by='Juliet@localhost' id='forged'/>
           <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='forged too'/>
           <stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.localhost' id='room'/></message>",
    );
    let got = juliet.receives(
        "<message from='romeo@localhost/orchard' to='juliet@localhost/balcony' type='chat' id='m'><body>hi</body>
           <stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.localhost' id='room'/>
           <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='{id:given}'/></message>",
    );
    assert_ne!(got.caught("given"), "forged");
    let (results, _) = page(&mut romeo, "q", "");
    assert!(!results.concat().contains("forged too"), "{results:?}");
    server.no_faults();
}

#[test]
fn preferences_decide() {
    let server = verona(json!({}));
    server.account("nurse");
    let mut romeo = server.client("romeo@localhost/orchard");
    let prefs = |default: &str, always: &str, never: &str| {
        format!(
            "<prefs xmlns='urn:xmpp:mam:2' default='{default}'><always>{always}</always><never>{never}</never></prefs>"
        )
    };
    romeo.send("<iq type='get' id='g'><prefs xmlns='urn:xmpp:mam:2'/></iq>");
    romeo.receives(&format!("<iq type='result' id='g'>{}</iq>", prefs("always", "", "")));
    let chosen = prefs("roster", "<jid>nurse@localhost</jid>", "<jid>nurse@localhost/hall</jid>");
    romeo.send(&format!("<iq type='set' id='s'>{chosen}</iq>"));
    romeo.receives(&format!("<iq type='result' id='s'>{chosen}</iq>"));
    romeo.send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost'/></query></iq>");
    romeo.skip();
    for (to, text) in [
        ("juliet@localhost/balcony", "1"),
        ("nurse@localhost", "2"),
        ("nurse@localhost/hall", "3"),
        ("tybalt@localhost", "4"),
    ] {
        say(&mut romeo, to, text);
    }
    romeo.skip();
    assert_eq!(texts(&page(&mut romeo, "q", "").0), ["1", "2"]);
    romeo.send(&format!("<iq type='set' id='n'>{}</iq>", prefs("never", "", "")));
    romeo.skip();
    say(&mut romeo, "juliet@localhost", "5");
    romeo.skip();
    assert_eq!(texts(&page(&mut romeo, "q", "").0), ["1", "2"]);
    for wrong in [prefs("sometimes", "", ""), prefs("always", "<jid>@</jid>", "")] {
        romeo.send(&format!("<iq type='set' id='w'>{wrong}</iq>"));
        let answer = romeo.skip().concat();
        assert!(answer.contains("type='error'"), "{answer}");
    }
    server.no_faults();
}

#[test]
fn the_oldest_go_by_age() {
    let server = verona(json!({ "max_age": "2d" }));
    let mut romeo = server.client("romeo@localhost/orchard");
    for text in ["1", "2", "3"] {
        say(&mut romeo, "juliet@localhost", text);
        server.advance(Duration::from_secs(86_400));
    }
    server.advance(Duration::from_secs(3600));
    romeo.skip();
    assert_eq!(texts(&page(&mut romeo, "a", "").0), ["2", "3"]);
    server.advance(Duration::from_secs(10 * 86_400));
    assert!(page(&mut romeo, "b", "").0.is_empty());
    server.no_faults();
}

#[test]
fn the_oldest_go_by_number() {
    let mut server = verona(json!({ "max_messages": 2 }));
    let mut romeo = server.client("romeo@localhost/orchard");
    for text in ["1", "2", "3"] {
        say(&mut romeo, "juliet@localhost", text);
    }
    server.restart();
    server.advance(Duration::from_secs(86_401));
    let mut romeo = server.client("romeo@localhost/orchard");
    assert_eq!(texts(&page(&mut romeo, "a", "").0), ["2", "3"]);
    server.delete_account("romeo");
    server.account("romeo");
    let mut romeo = server.client("romeo@localhost/orchard");
    assert!(page(&mut romeo, "b", "").0.is_empty());
}

#[test]
fn retracted_messages_leave_tombstones() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    say(&mut romeo, "juliet@localhost", "m1");
    say(&mut juliet, "romeo@localhost", "m2");
    let retract = |id: &str, wanted: &str| {
        format!(
            "<message to='juliet@localhost' type='chat' id='{id}'><retract xmlns='urn:xmpp:message-retract:1' id='{wanted}'/></message>"
        )
    };
    romeo.send(&retract("r1", "m1"));
    romeo.send(&retract("r2", "m2"));
    romeo.skip();
    juliet.skip();
    for client in [&mut romeo, &mut juliet] {
        let (results, _) = page(client, "q", "");
        assert_eq!(texts(&results), ["", "m2", "", ""], "somebody else's message stays");
        assert_eq!(between(&results[0], "<retracted", "/>").matches("id='r1'").count(), 1, "{}", results[0]);
        assert!(results[0].contains("id='m1'") && results[0].contains("from='romeo@localhost/orchard'"));
        assert!(results[2].contains("<retract "));
    }
    server.no_faults();
}

#[test]
fn form_and_metadata() {
    let server = verona(json!({}));
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<iq type='get' id='m' to='romeo@localhost'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
    romeo.receives("<iq type='result' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
    say(&mut romeo, "juliet@localhost", "1");
    server.advance(Duration::from_millis(1500));
    say(&mut romeo, "juliet@localhost", "2");
    romeo.skip();
    romeo.send("<iq type='get' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
    romeo.receives(
        "<iq type='result' id='m'><metadata xmlns='urn:xmpp:mam:2'>
           <start id='{id}' timestamp='2026-01-01T00:00:00.000Z'/><end id='{id}' timestamp='2026-01-01T00:00:01.500Z'/>
         </metadata></iq>",
    );
    romeo.send("<iq type='get' id='f'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let form = romeo.receives("<iq type='result' id='f'><query xmlns='urn:xmpp:mam:2'>{...}</query></iq>");
    for field in ["with", "start", "end", "before-id", "after-id", "ids"] {
        assert!(form.xml().contains(&format!("var='{field}'")), "{}", form.xml());
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let server = verona(json!({ "page": 100 }));
    let mut romeo = server.client("romeo@localhost/orchard");
    let text = "x".repeat(5000);
    for _ in 0..100 {
        say(&mut romeo, "juliet@localhost", &text);
    }
    romeo.skip();
    romeo.stop_reading();
    for number in 0..40 {
        romeo.send(&format!("<iq type='set' id='{number}'>{QUERY}/></iq>"));
    }
    let mut other = server.client("romeo@localhost/other");
    other.send("<iq type='get' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
    assert!(other.skip().concat().contains("<start"), "the account is free");
    romeo.disconnect();
    server.no_faults();
}
