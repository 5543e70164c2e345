//! Occupants with devices to be woken (XEP-0357): as long as they are there, what is said in a room asks no plugin.

use std::time::{Duration, Instant};

use xylem_suite::session::Session;
use xylem_suite::xml::{CLIENT, Tree};

use crate::stage::{SERVICE, Stage, configure, heard, join};

const PHONES: usize = 3;
const MESSAGES: usize = 10;
const CALLS: &str = "xylem_plugin_calls_total{plugin=\"xylem.push\"}";

#[test]
fn who_is_there_costs_no_call_and_who_loses_the_connection_is_woken() {
    let stage = Stage::new();
    let mut owner = stage.owner(0);
    owner.send("<presence/>").unwrap();
    owner.send(&join("hall", "owner")).unwrap();
    owner.query("hall", &configure("hall", &[])).unwrap();
    stage.register("app");
    let mut app = stage.log_in("app", "push");
    let mut phones: Vec<Session> = (0..PHONES).map(|n| phone(&stage, n)).collect();

    say(&mut owner, 0);
    phones.iter_mut().for_each(|phone| hears(phone, 1));
    let before = stage.metric(CALLS);
    assert!(before > 0, "they enabled it");
    (1..=MESSAGES).for_each(|number| say(&mut owner, number));
    phones.iter_mut().for_each(|phone| hears(phone, MESSAGES));
    assert_eq!(stage.metric(CALLS), before, "calls for messages to occupants that are there");

    // It was sent eleven messages and has acknowledged none (XEP-0198 §4).
    let mut lost = phones.pop().unwrap();
    assert!(published(&heard(&mut app)).is_empty());
    lost.cut();
    let (begun, mut told) = (Instant::now(), Vec::new());
    while told.len() <= MESSAGES && begun.elapsed() < Duration::from_secs(20) {
        told.extend(published(&heard(&mut app)));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(told, (1..=MESSAGES + 1).map(|n| n.to_string()).collect::<Vec<_>>(), "each once, one device");
    say(&mut owner, MESSAGES + 1);
    while told.len() <= MESSAGES + 1 && begun.elapsed() < Duration::from_secs(20) {
        told.extend(published(&heard(&mut app)));
    }
    assert_eq!(told.last(), Some(&(MESSAGES + 2).to_string()));
    stage.server.stop().unwrap();
}

/// In the room, with stream management and a device that the app's service wakes.
fn phone(stage: &Stage, n: usize) -> Session {
    let name = format!("phone{n}");
    stage.register(&name);
    let mut session = stage.log_in(&name, "phone");
    session.send("<presence/>").unwrap();
    let on =
        format!("<iq type='set' id='on'><enable xmlns='urn:xmpp:push:0' jid='app@localhost/push' node='n{n}'/></iq>");
    assert_eq!(session.query("on", &on).unwrap().attribute("type"), Some("result"));
    session.send(&join("hall", &name)).unwrap();
    heard(&mut session);
    session.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").unwrap();
    heard(&mut session);
    session
}

fn say(owner: &mut Session, number: usize) {
    let to = format!("hall@{SERVICE}");
    owner.send(&format!("<message to='{to}' id='m{number}' type='groupchat'><body>{number}</body></message>")).unwrap();
    // It went out when it has come back.
    hears(owner, 1);
}

/// So much of what is said in the room, and no more.
fn hears(session: &mut Session, messages: usize) {
    let said = |tree: &&Tree| tree.attribute("type") == Some("groupchat") && tree.child(CLIENT, "body").is_some();
    let (begun, mut came) = (Instant::now(), 0);
    while came < messages && begun.elapsed() < Duration::from_secs(20) {
        came += heard(session).iter().filter(said).count();
    }
    assert_eq!(came, messages);
}

/// The number of messages in each notification.
fn published(all: &[Tree]) -> Vec<String> {
    let count = |tree: &Tree| {
        let text = tree.to_string();
        let (_, rest) = text.split_once("message-count")?;
        let (_, rest) = rest.split_once("<value>")?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    all.iter().filter_map(count).collect()
}
