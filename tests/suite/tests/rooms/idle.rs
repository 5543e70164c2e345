//! Rooms that nobody is in cost rows on disk, and nothing of a plugin's memory.

use std::time::{Duration, Instant};

use xylem_suite::session::Session;
use xylem_suite::xml::Tree;

use crate::stage::{SERVICE, Stage, configure, heard, join, number};

/// Rooms made before the answers are waited for.
const AT_ONCE: usize = 20;
/// Who makes them.
const OWNERS: usize = 16;
/// For so many.
const PATIENCE: Duration = Duration::from_secs(60);
const INSTANCES: &str = "xylem_plugin_instances{plugin=\"xylem.muc\"}";
const MEMORY: &str = "xylem_plugin_memory_bytes{plugin=\"xylem.muc\"}";

#[test]
fn persistent_rooms_cost_no_instance_and_come_back() {
    let stage = Stage::new();
    let rooms = number("XYLEM_ROOMS", 100);
    let mut owners: Vec<Session> = (0..OWNERS).map(|n| stage.owner(n)).collect();
    let (begun, few) = (Instant::now(), rooms / 10);
    make(&mut owners, 0, few);
    let before = (stage.metric(INSTANCES), stage.metric(MEMORY), stage.resident());
    make(&mut owners, few, rooms);
    let after = (stage.metric(INSTANCES), stage.metric(MEMORY), stage.resident());
    println!(
        "{few} rooms, then {rooms}, in {:?}: instances {} and {}, their memory {} and {} KiB, RSS {} and {} KiB",
        begun.elapsed(),
        before.0,
        after.0,
        before.1 / 1024,
        after.1 / 1024,
        before.2,
        after.2
    );
    assert!(before.0 > 0, "the metric is not called so");
    assert_eq!(before.0, after.0, "instances for rooms");
    assert!(after.1 <= before.1 + (4 << 20), "{before:?} {after:?}");

    let mut romeo = owners.swap_remove(0);
    let some = [0, rooms / 3, rooms - 1];
    let begun = Instant::now();
    for (nth, room) in some.map(|room| format!("idle{room}@{SERVICE}")).iter().enumerate() {
        let info = format!(
            "<iq type='get' id='i{nth}' to='{room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        );
        let info = romeo.query(&format!("i{nth}"), &info).unwrap().to_string();
        assert!(info.contains("muc_persistent"), "{info}");
        // A message to it: there is such a room, and he is not in it.
        romeo.send(&format!("<message type='groupchat' id='m' to='{room}'><body>x</body></message>")).unwrap();
        let refused = until(&mut romeo, "error").pop().unwrap().to_string();
        assert!(refused.contains("not-acceptable"), "{refused}");
        romeo.send(&join(room.split('@').next().unwrap(), "first")).unwrap();
        romeo.send(&format!("<message type='groupchat' id='m' to='{room}'><body>x</body></message>")).unwrap();
        let all = until(&mut romeo, "<body>");
        let own = all.first().unwrap().to_string();
        assert!(own.contains("110") && !own.contains("201") && own.contains("owner"), "{own}");
        assert!(all.last().unwrap().to_string().contains("<body>x</body>"), "{all:?}");
    }
    println!("{} came back in {:?}", some.len(), begun.elapsed());
    stage.server.stop().unwrap();
}

/// What is heard until something holds this text.
fn until(session: &mut Session, text: &str) -> Vec<Tree> {
    let (mut all, until) = (Vec::new(), Instant::now() + PATIENCE);
    while !all.iter().any(|tree: &Tree| tree.to_string().contains(text)) {
        assert!(Instant::now() < until, "no {text} in {all:?}");
        std::thread::sleep(Duration::from_millis(20));
        all.extend(heard(session));
    }
    all
}

/// Each waits for the disk; so several at a time.
fn make(owners: &mut [Session], from: usize, to: usize) {
    std::thread::scope(|scope| {
        for (nth, owner) in owners.iter_mut().enumerate() {
            let names: Vec<String> = (from..to).skip(nth).step_by(OWNERS).map(|n| format!("idle{n}")).collect();
            scope.spawn(move || make_some(owner, &names));
        }
    });
}

fn make_some(owner: &mut Session, names: &[String]) {
    for names in names.chunks(AT_ONCE) {
        for name in names {
            owner.send(&join(name, "first")).unwrap();
            owner.send(&configure(name, &[("muc#roomconfig_persistentroom", "1")])).unwrap();
            owner.send(&format!("<presence type='unavailable' to='{name}@{SERVICE}/first'/>")).unwrap();
        }
        let mut made = 0;
        let until = Instant::now() + PATIENCE;
        // The rooms answer when they have been written, a ping may overtake them.
        while made < names.len() {
            std::thread::sleep(Duration::from_millis(50));
            let all = heard(owner);
            let failed = all.iter().find(|tree| tree.attribute("type") == Some("error"));
            assert!(failed.is_none() && Instant::now() < until, "{made} of {}: {failed:?}", names.len());
            made += all.iter().filter(|tree| tree.name == "iq" && tree.attribute("type") == Some("result")).count();
        }
    }
}
