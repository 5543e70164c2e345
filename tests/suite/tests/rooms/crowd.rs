//! A private room that many are in: members only, hidden, and its people are shown to moderators alone.

use std::time::{Duration, Instant};

use xylem_suite::session::Session;

use crate::stage::{SERVICE, Stage, configure, heard, join, number};

/// Sessions that one account may have.
const EACH: usize = 5;
/// Items of one request.
const ITEMS: usize = 200;
/// Looks, 20 ms apart.
const PATIENCE: usize = 500;
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";

#[test]
fn everybody_in_a_private_room_hears_everything_once() {
    let stage = Stage::new();
    let people = number("XYLEM_OCCUPANTS", 60);
    stage.register("romeo");
    let mut romeo = stage.log_in("romeo", "a");
    romeo.send(&join("crowd", "first")).unwrap();
    let fields = [
        ("muc#roomconfig_membersonly", "1"),
        ("muc#roomconfig_publicroom", "0"),
        ("muc#roomconfig_presencebroadcast", "moderator"),
    ];
    romeo.send(&configure("crowd", &fields)).unwrap();
    heard(&mut romeo);
    members(&mut romeo, people);

    let begun = (Instant::now(), stage.computed());
    let mut crowd: Vec<Session> = (0..people).map(|n| enter(&stage, n)).collect();
    println!("{people} came in {:?}, {:?} of the server", begun.0.elapsed(), stage.computed() - begun.1);
    heard(&mut romeo);

    let begun = (Instant::now(), stage.computed());
    romeo.send(&format!("<message type='groupchat' id='hi' to='crowd@{SERVICE}'><body>all</body></message>")).unwrap();
    for (n, session) in crowd.iter_mut().enumerate() {
        let mut once = hears(session);
        for _ in 0..PATIENCE {
            if once > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
            once = hears(session);
        }
        assert_eq!(once, 1, "{n}");
    }
    println!(
        "heard by all, each after a ping, in {:?}, {:?} of the server",
        begun.0.elapsed(),
        stage.computed() - begun.1
    );
    assert!(crowd.iter_mut().all(|session| hears(session) == 0), "somebody heard it again");

    // Somebody who is no member, and whoever looks for the room.
    stage.register("tybalt");
    let mut tybalt = stage.log_in("tybalt", "a");
    tybalt.send(&join("crowd", "tybalt")).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let refused = heard(&mut tybalt).pop().unwrap().to_string();
    assert!(refused.contains("registration-required"), "{refused}");
    let items =
        format!("<iq type='get' id='d' to='{SERVICE}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    assert!(!tybalt.query("d", &items).unwrap().to_string().contains("crowd@"));
    drop(crowd);
    stage.server.stop().unwrap();
}

fn hears(session: &mut Session) -> usize {
    heard(session).iter().filter(|tree| tree.attribute("id") == Some("hi")).count()
}

/// Makes so many people members, most of whom never come, and reads the list.
fn members(owner: &mut Session, people: usize) {
    let accounts = people.div_ceil(EACH);
    let names: Vec<String> =
        (0..accounts).map(|n| format!("member{n}")).chain((0..people).map(|n| format!("absent{n}"))).collect();
    for (nth, some) in names.chunks(ITEMS).enumerate() {
        let items: String =
            some.iter().map(|name| format!("<item affiliation='member' jid='{name}@localhost'/>")).collect();
        let request =
            format!("<iq type='set' id='a{nth}' to='crowd@{SERVICE}'><query xmlns='{ADMIN}'>{items}</query></iq>");
        let answer = owner.query(&format!("a{nth}"), &request).unwrap();
        assert_eq!(answer.attribute("type"), Some("result"), "{answer}");
    }
    let request = format!(
        "<iq type='get' id='list' to='crowd@{SERVICE}'><query xmlns='{ADMIN}'><item affiliation='member'/></query></iq>"
    );
    let list = owner.query("list", &request).unwrap().to_string();
    assert_eq!(list.matches("<item ").count(), names.len(), "the list is whole");
    heard(owner);
}

fn enter(stage: &Stage, n: usize) -> Session {
    let name = format!("member{}", n / EACH);
    if n.is_multiple_of(EACH) {
        stage.register(&name);
    }
    let mut session = stage.log_in(&name, &format!("r{n}"));
    session.send(&join("crowd", &format!("n{n}"))).unwrap();
    // The room answers when it has, a ping may overtake it.
    for _ in 0..PATIENCE {
        if heard(&mut session).iter().any(|tree| tree.name == "presence" && tree.to_string().contains("'110'")) {
            return session;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{name} did not get in");
}
