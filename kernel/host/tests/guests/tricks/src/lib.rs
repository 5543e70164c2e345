//! A plugin that does on command what plugins should not do, and what they should.
//! A stanza holds words `do:NAME:ARGUMENT`.

wit_bindgen::generate!({
    path: ["../../../../../sdk/wit"],
    inline: r#"
        package test:tricks;
        world tricks {
            import xylem:runtime/runtime@0.1.0;
            import xylem:stanza/current@0.1.0;
            import xylem:outbox/outbox@0.1.0;
            import xylem:kv/kv@0.1.0;
            import xylem:sessions/sessions@0.1.0;
            import xylem:groups/groups@0.1.0;
            import xylem:accounts/accounts@0.1.0;
            import xylem:contributions/contributions@0.1.0;
            import xylem:limits/limits@0.1.0;
            import xylem:wires/wires@0.1.0;
            import xylem:archive/archive@0.1.0;
            import xylem:admin/table@0.1.0;
            export xylem:plugin/hooks@0.1.0;
            export xylem:plugin/iq@0.1.0;
            export xylem:plugin/events@0.1.0;
            export xylem:plugin/operations@0.1.0;
            export xylem:plugin/replies@0.1.0;
            export xylem:plugin/wire-events@0.1.0;
            export xylem:plugin/lifecycle@0.1.0;
        }
    "#,
    world: "test:tricks/tricks",
    generate_all,
});

use exports::xylem::plugin::iq::Outcome;
use exports::xylem::plugin::{events, hooks, iq, lifecycle, operations, replies, wire_events};
use xylem::admin::table;
use xylem::admin::types::Refusal;
use xylem::kv::kv;
use xylem::outbox::outbox;
use xylem::runtime::runtime;
use xylem::stanza::current;
use xylem::stanza::types::{Failure, Fault, Verdict};
use xylem::wires::wires;

struct Tricks;

export!(Tricks);

fn commands(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(|c: char| c.is_whitespace() || c == '<').filter_map(|word| {
        let (_, word) = word.split_once("do:")?;
        Some(word.split_once(':').unwrap_or((word, "")))
    })
}

fn note(key: &str, value: &str) {
    let _ = kv::put(0, key, value.as_bytes(), &[]);
}

fn message(to: &str, body: &str) -> String {
    format!("<message to='{to}'><body>{body}</body></message>")
}

fn obey(name: &str, argument: &str) -> Option<Verdict> {
    match name {
        "stop" => return Some(Verdict::Stop),
        "reject" => {
            let text = Some("go away".to_owned());
            return Some(Verdict::Reject(Failure { condition: argument.to_owned(), kind: None, text, app: None }));
        }
        "loop" => loop {
            std::hint::black_box(());
        },
        "crash" => panic!("on command"),
        "stack" => {
            note("depth", &deep(1).to_string());
        }
        "eat" => eat(),
        "busy" => busy(argument.parse().unwrap_or(1)),
        "put" => {
            let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
            note(key, value);
        }
        "index" => {
            let indexed = kv::IndexEntry { index: "by".to_owned(), value: "v".to_owned() };
            let _ = kv::put(0, argument, b"", &[indexed]);
        }
        "vput" => {
            let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
            let indexed = kv::IndexEntry { index: "by".to_owned(), value: value.to_owned() };
            if kv::put(2, key, value.as_bytes(), &[indexed]).is_err() {
                let _ = outbox::send(&message("out@example.org", "refused"));
            }
        }
        "vdel" => {
            let _ = kv::delete(2, argument);
        }
        "vsend" => {
            let row = kv::get(2, argument).ok().flatten().unwrap_or_else(|| b"none".to_vec());
            let _ = outbox::send(&message("out@example.org", &String::from_utf8_lossy(&row)));
        }
        "vkeys" => {
            let rows = kv::scan(2, "", None, 10).unwrap_or_default();
            let keys: Vec<String> = rows.into_iter().map(|row| row.key).collect();
            let _ = outbox::send(&message("out@example.org", &keys.join(" ")));
        }
        "vfan" => {
            let _ = outbox::to_index(None, 2, "by", argument);
        }
        "big" => note("fault", &format!("{:?}", kv::put(0, "big", &vec![0; 600 << 10], &[]))),
        "fill" => {
            let _ = kv::put(0, &format!("fill{argument}"), &vec![1; 100 << 10], &[]);
        }
        "many" => {
            let stored = (0..2000).take_while(|n| kv::put(0, &format!("row{n}"), b"x", &[]).is_ok()).count();
            note("fault", &stored.to_string());
        }
        "count" => {
            let count = read("n").parse::<u32>().unwrap_or(0) + 1;
            note("n", &count.to_string());
            let _ = outbox::send(&message("out@example.org", &count.to_string()));
        }
        "send" => note_fault(outbox::send(&message(argument, "hello"))),
        "plainsend" => {
            let _ = outbox::send(&message("out@example.org", argument));
        }
        "forge" => note_fault(outbox::send(&format!("<message from='{argument}' to='out@example.org'/>"))),
        "flood" => {
            let sent = (0..200_000).take_while(|_| outbox::send(&message("out@example.org", "x")).is_ok()).count();
            note("sent", &sent.to_string());
        }
        "logflood" => (0..10_000).for_each(|_| runtime::log(runtime::Level::Info, "noise")),
        "edit" => {
            let _ = current::insert("<mark xmlns='urn:tricks'/>");
            let _ = current::remove("urn:tricks:old", "old");
        }
        "forward" => note_fault(outbox::forward(None, Some(argument))),
        "fan" => note_fault(outbox::to_index(None, 0, "by", "v")),
        "sessions" => note_fault(xylem::sessions::sessions::all().map(|_| ())),
        "account" => note_fault(xylem::accounts::accounts::exists(argument).map(|_| ())),
        "wake" => {
            let at = runtime::now() + argument.parse::<u64>().unwrap_or(0);
            note_fault(outbox::wake("alarm", at, "token"));
        }
        "ask" => note_fault(outbox::ask(&format!("<iq type='get' id='x' to='{argument}'><q xmlns='urn:q'/></iq>"), 1000, "mine")),
        "group" => {
            let _ = xylem::groups::groups::put("g", argument);
        }
        "keep" => note_fault(xylem::archive::archive::append(1, argument).map(drop)),
        "togroup" => note_fault(outbox::to_group(None, None, "g", &["left@out.example".to_owned()])),
        "groupfrom" => note_fault(outbox::to_group(None, Some(argument), "g", &[])),
        "take" => note("taken", &xylem::limits::limits::take("few", "s").to_string()),
        "config" => note("config", &runtime::config()),
        "publish" => note_fault(xylem::contributions::contributions::publish("disco.server", &[argument.to_owned()])),
        "element" => {
            let xml = current::element_xml(argument.parse().unwrap_or(0)).unwrap_or_default();
            note("element", &xml);
        }
        "ports" => note_fault(wires::ports(0).map(|ports| note("ports", &format!("{ports:?}")))),
        "waiting" => note_fault(wires::waiting(0, argument).map(|found| note("waiting", &format!("{found:?}")))),
        "splice" => {
            let user = "romeo".to_owned();
            let idle = argument.parse().unwrap_or(0);
            let bounds = wires::Bounds { user, per_user: 1, total: 2, rate: 3, bytes: 4, idle };
            note_fault(wires::splice(7, 8, &bounds, "token"));
        }
        "table" => note("table", &table::list().unwrap_or_default()),
        "call" => note_fault(table::call(argument, "{}", "mine")),
        "close" => note_fault(wires::close(9)),
        "view" => note_fault(kv::get(2, argument).map(|row| note("seen", &format!("{}", row.is_some())))),
        _ => {}
    }
    None
}

fn note_fault(done: Result<(), Fault>) {
    note("fault", &format!("{done:?}"));
}

fn read(key: &str) -> String {
    let row = kv::get(0, key).ok().flatten();
    row.map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default()
}

fn deep(n: u64) -> u64 {
    let room = std::hint::black_box([n; 64]);
    if n == 0 { 0 } else { deep(n + 1) + room[3] }
}

fn eat() {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

fn busy(rounds: u64) {
    let mut sum = 0u64;
    for n in 0..rounds * 1_000_000 {
        sum = std::hint::black_box(sum.wrapping_add(n));
    }
}

fn all(text: &str) -> Verdict {
    let mut verdict = Verdict::Pass;
    for (name, argument) in commands(text) {
        if let Some(other) = obey(name, argument) {
            verdict = other;
        }
    }
    verdict
}

impl hooks::Guest for Tricks {
    fn on_stanza(_: u32, bits: u64, text: String, _: Vec<u32>) -> Verdict {
        if text.contains("do:bits") {
            note("bits", &bits.to_string());
        }
        all(&text)
    }
}

impl iq::Guest for Tricks {
    fn on_iq(_: u32, text: String, _: Vec<u32>) -> Outcome {
        let _ = all(&text);
        match () {
            () if text.contains("say:fail") => {
                let app = Some("<busy xmlns='urn:tricks'/>".to_owned());
                Outcome::Fail(Failure { condition: "conflict".into(), kind: Some("wait".into()), text: None, app })
            }
            () if text.contains("say:bad") => Outcome::Reply(Some("<a></b>".to_owned())),
            () if text.contains("say:later") => Outcome::Later,
            () if text.contains("say:unhandled") => Outcome::Unhandled,
            () => Outcome::Reply(Some("<answer xmlns='urn:tricks'/>".to_owned())),
        }
    }
}

impl events::Guest for Tricks {
    fn on_event(event: u32, subject: String, detail: String) {
        note(&format!("event{event}"), &format!("{subject} {detail}"));
        all(&detail);
    }
}

impl operations::Guest for Tricks {
    fn run(operation: u32, arguments: String, caller: operations::Caller) -> Result<String, Refusal> {
        note("run", &format!("{operation} {} {}", caller.who, caller.role));
        all(&arguments);
        match () {
            () if arguments.contains("say:nonsense") => Ok("{".to_owned()),
            () if arguments.contains("say:conflict") => Err(Refusal::Conflict("it is there already".to_owned())),
            () => Ok(format!("{{\"key\": \"{}\"}}", runtime::key())),
        }
    }
}

impl replies::Guest for Tricks {
    fn on_answer(token: String, answer: Result<(String, Vec<u32>), Fault>) {
        let answer = match answer {
            Ok((text, _)) => format!("ok {}", text.contains("urn:q")),
            Err(fault) => format!("{fault:?}"),
        };
        note("answer", &format!("{token} {answer}"));
    }

    fn on_operation(token: String, answer: Result<String, Refusal>) {
        note("operated", &format!("{token} {answer:?}"));
        all(&token);
    }

    fn on_page(token: String, sent: Result<replies::Page, Fault>) {
        note("page", &format!("{token} {}", sent.is_ok()));
    }

    fn on_wake(name: String, token: String) {
        note("woken", &format!("{name} {token}"));
        let _ = outbox::send(&message("out@example.org", "awake"));
    }
}

impl wire_events::Guest for Tricks {
    fn on_ended(listener: u32, token: String, ended: wire_events::Ended) {
        let wire_events::Ended { reason, forth, back, lasted } = ended;
        note("ended", &format!("{listener} {token} {reason:?} {forth} {back} {lasted}"));
    }
}

impl lifecycle::Guest for Tricks {
    fn start() -> Result<(), String> {
        match runtime::config().contains("unwilling") {
            true => Err("not today".to_owned()),
            false => Ok(()),
        }
    }
}
