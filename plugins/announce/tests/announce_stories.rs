//! Announcements, the message of the day, the welcome.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, Value, json};

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.announce").plugin("xylem.offline").start();
    for name in ["romeo", "juliet"] {
        server.account(name);
    }
    server.advance(Duration::from_secs(60));
    server
}

fn here(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send("<presence/>");
    client
}

fn ask(server: &Server, name: &str, more: Value) -> Value {
    let mut arguments = json!({ "domain": "localhost" });
    for (key, value) in more.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    let answer = server.operation(name, arguments).unwrap();
    server.advance(Duration::from_secs(1));
    answer
}

fn told(kind: &str, text: &str) -> String {
    format!("<message from='localhost' type='{kind}'><body>{text}</body></message>")
}

#[test]
fn who_is_online_is_told_and_nobody_else() {
    let server = verona();
    let (mut romeo, mut silent) = (here(&server, "romeo@localhost/orchard"), server.client("romeo@localhost/silent"));
    romeo.skip();
    server.advance(Duration::from_secs(1));
    let answer = ask(&server, "announce.send", json!({ "text": "The <prince> comes", "subject": "Hear" }));
    assert_eq!(answer, json!({ "told": 1, "id": null }));
    romeo.receives(
        "<message from='localhost' type='headline'><subject>Hear</subject><body>The &lt;prince> comes</body></message>",
    );
    silent.receives_nothing();
    let mut juliet = here(&server, "juliet@localhost/balcony");
    assert!(!juliet.skip().concat().contains("prince"), "she was not there");
    server.no_faults();
}

#[test]
fn all_are_told_once_as_soon_as_they_come() {
    let mut server = verona();
    let mut romeo = here(&server, "romeo@localhost/orchard");
    romeo.skip();
    server.advance(Duration::from_secs(1));
    let answer = ask(&server, "announce.send", json!({ "text": "News", "to": "all" }));
    let id = answer["id"].as_str().unwrap().to_owned();
    assert_eq!(answer["told"], 1);
    romeo.receives(&told("normal", "News"));
    // Another session of his, and the next visit: he has heard it.
    let mut phone = here(&server, "romeo@localhost/phone");
    assert!(!phone.skip().concat().contains("News"));
    phone.disconnect();
    romeo.disconnect();
    server.restart();
    server.advance(Duration::from_secs(1));
    assert!(!here(&server, "romeo@localhost/orchard").skip().concat().contains("News"));
    // She comes twice and hears it once; who is made later does not.
    let mut juliet = here(&server, "juliet@localhost/balcony");
    juliet.receives(&told("normal", "News"));
    juliet.disconnect();
    assert!(!here(&server, "juliet@localhost/balcony").skip().concat().contains("News"));
    server.account("paris");
    assert!(!here(&server, "paris@localhost/x").skip().concat().contains("News"));

    let listed = ask(&server, "announce.list", json!({}));
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(id)));
    ask(&server, "announce.withdraw", json!({ "id": id }));
    assert_eq!(ask(&server, "announce.list", json!({}))["total"], 0);
    server.no_faults();
}

#[test]
fn accounts_that_are_named_find_it_later() {
    let server = verona();
    let mut romeo = here(&server, "romeo@localhost/orchard");
    romeo.skip();
    let list = json!(["juliet@localhost", "Juliet@localhost"]);
    let answer = ask(&server, "announce.send", json!({ "text": "For you", "to": "accounts", "accounts": list }));
    assert_eq!(answer["told"], 1);
    romeo.receives_nothing();
    assert!(here(&server, "juliet@localhost/balcony").skip().concat().contains("For you"));
    let stranger = json!({ "domain": "localhost", "text": "x", "to": "accounts", "accounts": ["a@elsewhere.example"] });
    assert!(server.operation("announce.send", stranger).unwrap_err().contains("no account of localhost"));
}

#[test]
fn the_message_of_the_day_is_told_once_until_it_is_another() {
    let server = verona();
    let mut romeo = here(&server, "romeo@localhost/orchard");
    romeo.skip();
    server.advance(Duration::from_secs(1));
    assert_eq!(ask(&server, "motd.set", json!({ "text": "Ball tonight" })), json!({ "told": 1 }));
    romeo.receives(&told("headline", "Ball tonight"));
    romeo.disconnect();
    assert!(!here(&server, "romeo@localhost/orchard").skip().concat().contains("Ball"));
    // A correction is for those who have not heard it.
    ask(&server, "motd.update", json!({ "text": "Ball at nine" }));
    assert_eq!(ask(&server, "motd.show", json!({}))["text"], "Ball at nine");
    here(&server, "juliet@localhost/balcony").receives(&told("headline", "Ball at nine"));
    assert!(!here(&server, "romeo@localhost/phone").skip().concat().contains("Ball"));
    // New accounts are told, too.
    server.account("paris");
    assert!(here(&server, "paris@localhost/x").skip().concat().contains("Ball at nine"));
    assert_eq!(ask(&server, "motd.delete", json!({})), json!({ "removed": true }));
    assert_eq!(ask(&server, "motd.show", json!({}))["text"], Value::Null);
    server.account("benvolio");
    assert!(!here(&server, "benvolio@localhost/x").skip().concat().contains("Ball"));
    assert!(server.operation("motd.update", json!({ "domain": "localhost", "text": "x" })).is_err());
    server.no_faults();
}

#[test]
fn new_accounts_are_welcomed_at_their_first_login() {
    let server = verona();
    here(&server, "romeo@localhost/orchard").disconnect();
    ask(&server, "welcome.set", json!({ "text": "Welcome to Verona" }));
    assert!(!here(&server, "romeo@localhost/orchard").skip().concat().contains("Welcome"), "he is not new");
    server.account("paris");
    let mut paris = here(&server, "paris@localhost/x");
    paris.receives(&told("normal", "Welcome to Verona"));
    paris.disconnect();
    assert!(!here(&server, "paris@localhost/x").skip().concat().contains("Welcome"));
    assert_eq!(ask(&server, "welcome.delete", json!({})), json!({ "removed": true }));
    server.no_faults();
}

#[test]
fn those_that_have_a_role_are_told_wherever_they_are() {
    let kit = Kit::new().plugin("xylem.announce").plugin("xylem.offline");
    let kit = kit.role("prince@localhost", "administrator").role("nurse@localhost", "administrator");
    let server = kit.role("friar@localhost", "auditor").start();
    for name in ["prince", "nurse", "friar", "romeo"] {
        server.account(name);
    }
    server.advance(Duration::from_secs(60));
    let mut prince = here(&server, "prince@localhost/throne");
    let (mut friar, mut romeo) = (here(&server, "friar@localhost/cell"), here(&server, "romeo@localhost/orchard"));
    for client in [&mut prince, &mut friar, &mut romeo] {
        client.skip();
    }
    let answer = ask(&server, "announce.send", json!({ "text": "Peace", "to": "role", "role": "administrator" }));
    assert_eq!(answer, json!({ "told": 2, "id": null }));
    prince.receives(&told("normal", "Peace"));
    friar.receives_nothing();
    romeo.receives_nothing();
    let came = here(&server, "nurse@localhost/house").skip().concat();
    assert!(came.contains("Peace"), "kept for who is away: {came}");
    let nobody = ask(&server, "announce.send", json!({ "text": "Peace", "to": "role", "role": "owner" }));
    assert_eq!(nobody["told"], 0);
    for wrong in [json!({ "to": "role" }), json!({ "to": "all", "role": "owner" }), json!({ "role": "owner" })] {
        let mut arguments = json!({ "domain": "localhost", "text": "x" });
        arguments.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert!(server.operation("announce.send", arguments).unwrap_err().contains("role"), "{wrong}");
    }
    server.no_faults();
}
