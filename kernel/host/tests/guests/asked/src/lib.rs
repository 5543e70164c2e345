//! A plugin that is asked, and answers as the message commands.

wit_bindgen::generate!({
    path: ["../../../../../sdk/wit"],
    inline: r#"
        package test:asked;
        world asked {
            import xylem:kv/kv@0.1.0;
            import xylem:runtime/runtime@0.1.0;
            import xylem:outbox/outbox@0.1.0;
            export xylem:muc-ext/extension@0.1.0;
        }
    "#,
    world: "test:asked/asked",
    generate_all,
});

use exports::xylem::muc_ext::extension::{Field, Guest, Judgement, Occupant, Verdict};
use xylem::kv::kv;
use xylem::outbox::outbox;
use xylem::runtime::runtime;
use xylem::stanza::types::Failure;

struct Asked;

export!(Asked);

fn no() -> Failure {
    Failure { condition: "policy-violation".to_owned(), kind: None, text: None, app: None }
}

impl Guest for Asked {
    fn join(_: String, who: Occupant) -> Verdict {
        if who.nick == "tybalt" { Verdict::Reject(no()) } else { Verdict::Pass }
    }

    fn message(_: String, _: Occupant, stanza: String) -> Judgement {
        // What is said in the middle of `do:NAME=` is for the plugin whose configuration has that name.
        let name = runtime::config();
        let mine = |command: &str| stanza.contains(&format!("{command}:{}", name.split('"').nth(3).unwrap_or("")));
        if mine("note") {
            let _ = kv::put(0, "heard", stanza.as_bytes(), &[]);
            let _ = outbox::send("<message to='aside@example.org'/>");
        }
        if mine("crash") {
            panic!("on command");
        }
        while mine("loop") {
            std::hint::black_box(());
        }
        if mine("reject") {
            return Judgement::Reject(no());
        }
        if mine("broken") {
            return Judgement::Edit("<message>".to_owned());
        }
        if mine("edit") {
            let mark = name.split('"').nth(3).unwrap_or("");
            return Judgement::Edit(stanza.replace("</body>", &format!(" {mark} was here</body>")));
        }
        Judgement::Pass
    }

    fn fields(_: String) -> Vec<String> {
        Vec::new()
    }

    fn configure(_: String, _: Vec<Field>) -> Verdict {
        Verdict::Pass
    }

    fn features(_: String) -> Vec<String> {
        let config = runtime::config();
        vec![format!("urn:{}", config.split('"').nth(3).unwrap_or(""))]
    }
}
