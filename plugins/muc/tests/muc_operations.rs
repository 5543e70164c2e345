//! What administrators of the server do with rooms, and what those in them see of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use xylem_testing::{Client, Kit, Server, Value, json};

const CAVE: &str = "cave@conference.localhost";

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.muc").start();
    for name in ["romeo", "juliet"] {
        server.account(name);
    }
    server
}

fn ask(server: &Server, operation: &str, more: Value) -> Result<Value, String> {
    let mut arguments = json!({ "room": CAVE });
    for (key, value) in more.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    server.operation(operation, arguments)
}

fn enter(server: &Server, address: &str, nick: &str) -> Client {
    let mut client = server.client(address);
    client.send(&format!("<presence to='{CAVE}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
    client
}

fn list(server: &Server, more: Value) -> Value {
    let mut arguments = json!({ "domain": "localhost" });
    for (key, value) in more.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    server.operation("room.list", arguments).unwrap()
}

#[test]
fn a_room_is_made_changed_and_ended() {
    let server = verona();
    ask(&server, "room.create", json!({ "owner": "juliet@localhost", "name": "A Dark Cave" })).unwrap();
    assert!(ask(&server, "room.create", json!({})).unwrap_err().contains("there already"));
    let mut romeo = enter(&server, "romeo@localhost/orchard", "Romeo");
    let came = romeo.skip().concat();
    assert!(came.contains("110") && !came.contains("201"), "he did not make it: {came}");
    assert_eq!(list(&server, json!({}))["items"][0]["occupants"], 1);

    ask(&server, "room.configure", json!({ "public": false, "moderated": true, "password": "open" })).unwrap();
    assert!(romeo.skip().concat().contains("104"), "whoever is in it hears that it has changed");
    let shown = ask(&server, "room.show", json!({})).unwrap();
    for (option, value) in [("public", false), ("moderated", true), ("password_protected", true)] {
        assert_eq!(shown[option], value, "{option}");
    }
    assert_eq!(shown["name"], "A Dark Cave", "what is not given stays");
    assert_eq!(list(&server, json!({ "search": "dark" }))["items"][0]["public"], false);

    ask(&server, "room.destroy", json!({ "reason": "It is late" })).unwrap();
    let gone = romeo.skip().concat();
    assert!(gone.contains("destroy") && gone.contains("It is late"), "{gone}");
    assert_eq!(list(&server, json!({}))["total"], 0);
    assert!(ask(&server, "room.show", json!({})).unwrap_err().contains("there is no room"));
    server.no_faults();
}

#[test]
fn who_is_in_a_room_is_seen_and_sent_out() {
    let server = verona();
    ask(&server, "room.create", json!({ "owner": "juliet@localhost" })).unwrap();
    let mut romeo = enter(&server, "romeo@localhost/orchard", "Romeo");
    let mut juliet = enter(&server, "juliet@localhost/balcony", "Juliet");
    romeo.send(&format!("<message to='{CAVE}' type='groupchat' id='1'><body>Hush</body></message>"));
    romeo.skip();
    juliet.skip();
    let there = ask(&server, "room.occupants", json!({})).unwrap();
    assert_eq!((&there["total"], &there["items"][0]["nick"]), (&json!(2), &json!("Juliet")));
    assert_eq!(there["items"][1]["sessions"], json!(["romeo@localhost/orchard"]));
    let said = ask(&server, "room.history", json!({})).unwrap();
    assert_eq!(said["messages"][0]["nick"], "Romeo");
    assert!(said["messages"][0]["stanza"].as_str().unwrap().contains("Hush"));

    assert_eq!(ask(&server, "room.kick", json!({ "nick": "Romeo" })).unwrap()["account"], "romeo@localhost");
    assert!(romeo.skip().concat().contains("307"));
    let ban = json!({ "account": "romeo@localhost", "affiliation": "outcast", "reason": "Brawling" });
    ask(&server, "room.affiliate", ban).unwrap();
    let again = enter(&server, "romeo@localhost/orchard", "Romeo").skip().concat();
    assert!(again.contains("forbidden"), "{again}");
    let listed = ask(&server, "room.affiliations", json!({ "affiliation": "outcast" })).unwrap();
    assert_eq!(
        listed["items"],
        json!([{ "account": "romeo@localhost", "affiliation": "outcast", "nick": null, "reason": "Brawling" }])
    );
    let last = json!({ "account": "juliet@localhost", "affiliation": "none" });
    assert!(
        ask(&server, "room.affiliate", last).unwrap_err().contains("keeps at least one owner"),
        "somebody has to be left"
    );
    server.no_faults();
}

#[test]
fn rooms_are_listed_in_pages() {
    let server = verona();
    for name in ["a", "b", "c", "d", "e"] {
        let room = format!("{name}@conference.localhost");
        server.operation("room.create", json!({ "room": room, "public": name != "b" })).unwrap();
    }
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut wanted = json!({ "limit": 2 });
        if !after.is_null() {
            wanted["after"] = after;
        }
        let page = list(&server, wanted);
        seen.extend(page["items"].as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned()));
        assert_eq!(page["total"], 5);
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let all: Vec<String> =
        ["a", "b", "c", "d", "e"].iter().map(|name| format!("{name}@conference.localhost")).collect();
    assert_eq!(seen, all);
    assert!(
        server.operation("room.create", json!({ "room": "x@localhost" })).unwrap_err().contains("conference.localhost")
    );
    server.no_faults();
}

#[test]
fn rooms_of_every_service_are_listed() {
    let services = json!({ "services": ["conference.{domain}", "talk.{domain}", "halls.example"], "lock": false });
    let server = Kit::new().plugin("xylem.muc").config("xylem.muc", services).start();
    server.account("juliet");
    for room in ["b@conference.localhost", "a@talk.localhost", "c@halls.example", "d@talk.localhost"] {
        server.operation("room.create", json!({ "room": room, "public": !room.starts_with('d') })).unwrap();
    }
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence to='a@talk.localhost/J'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    juliet.send("<presence to='e@halls.example/J'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    let all = ["b@conference.localhost", "c@halls.example", "e@halls.example", "a@talk.localhost", "d@talk.localhost"];
    for size in 1..=5 {
        let (mut seen, mut wanted) = (Vec::new(), json!({ "limit": size }));
        loop {
            let page = list(&server, wanted.clone());
            for room in page["items"].as_array().unwrap() {
                let jid = room["room"].as_str().unwrap();
                let inside = u64::from(jid.starts_with('a') || jid.starts_with('e'));
                assert_eq!(
                    (&room["occupants"], &room["public"]),
                    (&json!(inside), &json!(!jid.starts_with('d'))),
                    "{jid}"
                );
                assert_eq!(room["persistent"], json!(!jid.starts_with('e')), "{jid}");
                seen.push(jid.to_owned());
            }
            match &page["next"] {
                Value::Null => break,
                next => wanted["after"] = next.clone(),
            }
        }
        assert_eq!(seen, all, "{size} at a time");
    }
    let found = list(&server, json!({ "search": "talk." }));
    assert_eq!(found["items"].as_array().unwrap().len(), 2, "{found}");
    server.no_faults();
}

#[test]
fn rooms_are_sorted_by_name_and_by_how_many_are_in_them() {
    let server = verona();
    for (room, name) in [("a", "Zoo"), ("b", "alley"), ("c", "Cave"), ("d", "alley"), ("e", "Barn")] {
        let room = format!("{room}@conference.localhost");
        server.operation("room.create", json!({ "room": room, "name": name })).unwrap();
    }
    let mut there = Vec::new();
    for (who, room) in [("romeo", "c"), ("juliet", "c"), ("romeo", "e")] {
        let mut client = server.client(&format!("{who}@localhost/{room}"));
        client.send(&format!(
            "<presence to='{room}@conference.localhost/{who}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ));
        there.push(client);
    }
    let paged = |sort: &str, order: &str| {
        let (mut seen, mut after) = (String::new(), Value::Null);
        loop {
            let mut wanted = json!({ "limit": 2, "sort": sort, "order": order });
            if !after.is_null() {
                wanted["after"] = after;
            }
            let page = list(&server, wanted);
            assert_eq!(page["total"], 5);
            seen.extend(page["items"].as_array().unwrap().iter().map(|room| &room["room"].as_str().unwrap()[..1]));
            after = page["next"].clone();
            if after.is_null() {
                return seen;
            }
        }
    };
    assert_eq!(paged("name", "asc"), "bdeca");
    assert_eq!(paged("name", "desc"), "acedb");
    assert_eq!(paged("occupants", "desc"), "cedba");
    assert_eq!(paged("occupants", "asc"), "abdec");
    assert_eq!(paged("room", "desc"), "edcba");
    assert_eq!(paged("room", "asc"), "abcde");
    let found = list(&server, json!({ "sort": "name", "search": "ALLEY" }));
    assert_eq!((&found["total"], found["items"].as_array().unwrap().len()), (&json!(2), 2));
    server.no_faults();
}

#[test]
fn people_of_a_room_are_sorted_and_come_in_pages() {
    let server = verona();
    for name in ["nurse", "tybalt"] {
        server.account(name);
    }
    ask(&server, "room.create", json!({ "owner": "juliet@localhost" })).unwrap();
    for (account, affiliation) in
        [("nurse", "admin"), ("romeo", "outcast"), ("tybalt", "member"), ("benvolio", "member")]
    {
        let account = format!("{account}@localhost");
        ask(&server, "room.affiliate", json!({ "account": account, "affiliation": affiliation })).unwrap();
    }
    let _there: Vec<Client> = [("juliet", "zoe"), ("tybalt", "Cat"), ("nurse", "angelica")]
        .map(|(account, nick)| enter(&server, &format!("{account}@localhost/orchard"), nick))
        .into();
    let paged = |operation: &str, sort: &str, order: &str| {
        let (mut seen, mut wanted) = (String::new(), json!({ "limit": 2, "sort": sort, "order": order }));
        loop {
            let page = ask(&server, operation, wanted.clone()).unwrap();
            for item in page["items"].as_array().unwrap() {
                seen.push_str(&item["account"].as_str().unwrap()[..1]);
            }
            if page["next"].is_null() {
                return seen;
            }
            wanted["after"] = page["next"].clone();
        }
    };
    assert_eq!(paged("room.affiliations", "account", "asc"), "bjnrt");
    assert_eq!(paged("room.affiliations", "account", "desc"), "trnjb");
    assert_eq!(paged("room.affiliations", "affiliation", "asc"), "nbtrj");
    assert_eq!(paged("room.affiliations", "affiliation", "desc"), "jrtbn");
    assert_eq!(paged("room.occupants", "nick", "asc"), "ntj");
    assert_eq!(paged("room.occupants", "nick", "desc"), "jtn");
    assert_eq!(paged("room.occupants", "role", "asc"), "njt", "moderators, then by nickname");
    assert!(ask(&server, "room.occupants", json!({ "sort": "reason" })).is_err());
    server.no_faults();
}
