//! A plugin that asks others about each message and sends on what they say.

wit_bindgen::generate!({
    path: ["../../../../../sdk/wit"],
    inline: r#"
        package test:asker;
        world asker {
            import xylem:stanza/current@0.1.0;
            import xylem:outbox/outbox@0.1.0;
            import xylem:muc-ext/extension@0.1.0;
            export xylem:plugin/hooks@0.1.0;
        }
    "#,
    world: "test:asker/asker",
    generate_all,
});

use exports::xylem::plugin::hooks;
use xylem::muc_ext::extension::{self, Judgement, Occupant, Verdict as Word};
use xylem::outbox::outbox;
use xylem::stanza::types::Verdict;

struct Asker;

export!(Asker);

fn tell(text: &str) {
    let text = text.replace('<', "(").replace('>', ")");
    let _ = outbox::send(&format!("<message to='out@example.org'><body>{text}</body></message>"));
}

impl hooks::Guest for Asker {
    fn on_stanza(_: u32, _: u64, text: String, _: Vec<u32>) -> Verdict {
        let who = Occupant {
            jid: "juliet@example.org/b".to_owned(),
            nick: "j".to_owned(),
            role: "participant".to_owned(),
            affiliation: "none".to_owned(),
        };
        let xml = xylem::stanza::current::xml().unwrap_or_default();
        let times = if text.contains("do:many") { 100 } else { 1 };
        let mut said = String::new();
        for _ in 0..times {
            said = match extension::message("room", &who, &xml) {
                Judgement::Pass => "pass".to_owned(),
                Judgement::Edit(xml) => format!("edit {xml}"),
                Judgement::Reject(failure) => format!("reject {}", failure.condition),
            };
        }
        let join = match extension::join("room", &who) {
            Word::Pass => "pass".to_owned(),
            Word::Reject(failure) => format!("reject {}", failure.condition),
        };
        tell(&format!("{said}, join {join}, features {}", extension::features("room").join(" ")));
        Verdict::Pass
    }
}
