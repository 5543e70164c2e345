//! A plugin with nothing but a hook: it answers one question and lets pass.

wit_bindgen::generate!({
    path: ["../../../../../sdk/wit"],
    inline: r#"
        package test:bare;
        world bare {
            import xylem:kv/kv@0.1.0;
            export xylem:plugin/hooks@0.1.0;
        }
    "#,
    world: "test:bare/bare",
    generate_all,
});

use exports::xylem::plugin::hooks;
use xylem::stanza::types::Verdict;

struct Bare;

export!(Bare);

impl hooks::Guest for Bare {
    fn on_stanza(hook: u32, _: u64, text: String, index: Vec<u32>) -> Verdict {
        std::hint::black_box((text.len(), index.len()));
        if hook == 1 && xylem::kv::kv::get(0, "setting").is_ok_and(|row| row.is_some()) {
            return Verdict::Stop;
        }
        Verdict::Pass
    }
}
