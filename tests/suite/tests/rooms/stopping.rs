//! The last words of rooms.

use std::time::{Duration, Instant};

use xylem_suite::xml::Event;

use crate::stage::{SERVICE, Stage, configure, heard, join};

#[test]
fn who_is_in_a_room_hears_that_the_server_stops_before_the_stream_ends() {
    let stage = Stage::new();
    let mut inside = Vec::new();
    for name in ["romeo", "juliet"] {
        stage.register(name);
        let mut session = stage.log_in(name, "a");
        session.send(&join("verona", name)).unwrap();
        if name == "romeo" {
            session.send(&configure("verona", &[("muc#roomconfig_persistentroom", "1")])).unwrap();
        }
        heard(&mut session);
        inside.push(session);
    }
    for session in &mut inside {
        heard(session);
    }
    let stopping = std::thread::spawn(move || stage.server.stop());
    for (session, nick) in inside.iter_mut().zip(["romeo", "juliet"]) {
        let mut gone = 0;
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < until, "the stream does not end");
            let event = match session.receive().unwrap() {
                Some(event) => event,
                None if session.ended => break,
                None => continue,
            };
            match event {
                Event::Element(tree) if tree.name == "presence" => {
                    let text = tree.to_string();
                    assert_eq!(tree.attribute("from"), Some(&*format!("verona@{SERVICE}/{nick}")), "{text}");
                    assert!(text.contains("'332'") && text.contains("'110'"), "{text}");
                    gone += 1;
                }
                Event::Element(tree) => assert!(tree.to_string().contains("system-shutdown"), "{tree}"),
                _ => break,
            }
        }
        assert_eq!(gone, 1, "once, and nothing of the other");
    }
    stopping.join().unwrap().unwrap();
}
