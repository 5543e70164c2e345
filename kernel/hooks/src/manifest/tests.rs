#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::json;
use xylem_stanza::Type;

use super::*;
use crate::filter::AddressForm;

const HEAD: &str = r#"
[plugin]
id = "xylem.blocking"
version = "0.1.0"
api = "xylem:plugin@0.1"
summary = "Keeps unwanted people away"
license = "MIT OR Apache-2.0"
"#;

const FULL: &str = r#"
[[xep]]
number = 191
version = "1.3"
[run]
model = "keyed"
key = "account"
shards = 2
memory = "8MiB"
deadline = "30ms"
wall = "1s"
outbox = { count = 100, bytes = "1MiB" }
log-rate = 5
on-fault = "refuse"
[match]
zebra = "{urn:z}*"
body = "{jabber:client}body"
blocked = "peer in list"
friend = "peer in xylem.roster/contacts"
listed = "any in list"
[[hook]]
on = "message.in"
phase = "screen"
handler = "screen_in"
type = ["chat", "normal"]
to = ["bare", "full"]
when = "blocked and not body"
before = ["a.b"]
after = ["c.d"]
[[iq]]
ns = "urn:xmpp:blocking"
names = ["block", "unblock"]
type = ["set"]
to = "account"
own = true
handler = "change"
[[event]]
on = "session.available"
handler = "here"
[replies]
answer = "answered"
wake = "woken"
[lifecycle]
start = "begin"
[[store]]
name = "list"
shape = "kv"
view = true
quota = { rows = 1000, bytes = "1MiB" }
[[limit]]
name = "register"
count = 5
per = "1h"
[[domain]]
claim = "conference.{domain}"
[adds]
"disco.server" = ["urn:xmpp:blocking"]
"stream.after-auth" = ["<x xmlns='urn:x'/>"]
[needs]
edit = true
outbox = { from = ["account", "server"], to = ["any"] }
views = ["xylem.roster/contacts"]
sessions = ["read"]
groups = true
accounts = ["exists", "password"]
contributions = ["disco.server"]
ask = true
wake = true
[config.zeal]
type = "enum"
default = "some"
values = ["none", "some"]
help = "How eager."
[config.max_messages]
type = "integer"
default = 100
min = 0
max = 10000
help = "How many."
[config.keep]
type = "duration"
default = "1d"
max = "30d"
help = "How long."
"#;

fn parse(rest: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(&format!("{HEAD}{rest}"))
}

#[test]
fn everything_is_read_in_the_order_of_the_file() {
    let manifest = parse(FULL).unwrap();
    assert_eq!(manifest.id(), "xylem.blocking");
    assert_eq!(manifest.run.memory, 8 << 20);
    assert_eq!(manifest.run.deadline, Duration::from_millis(30));
    assert_eq!(
        (manifest.run.model, manifest.run.key, manifest.run.shards),
        (RunModel::Keyed, KeyKind::Account, Some(2))
    );
    let names: Vec<_> = manifest.matches.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["zebra", "body", "blocked", "friend", "listed"]);
    assert_eq!(manifest.matches[2].test, Test::Peer { table: "xylem.blocking/list".into(), scope: Scope::Key });
    assert_eq!(manifest.matches[3].test, Test::Peer { table: "xylem.roster/contacts".into(), scope: Scope::Key });
    assert_eq!(manifest.matches[4].test, Test::Any { table: "xylem.blocking/list".into(), scope: Scope::Key });
    let hook = &manifest.hooks[0];
    assert!(hook.types.contains(Type::Chat) && !hook.types.contains(Type::Headline));
    assert!(hook.to.contains(AddressForm::Full) && !hook.to.contains(AddressForm::None));
    assert!(hook.when.holds(0b0100) && !hook.when.holds(0b0110));
    assert_eq!(manifest.on_fault(Phase::Copy), OnFault::Refuse);
    assert_eq!(manifest.domains[0].at("example.org"), "conference.example.org");
    assert_eq!(manifest.store("list").unwrap().quota_rows, 1000);
    assert!(manifest.needs.accounts.password && !manifest.needs.accounts.delete);
    assert!(manifest.needs.sessions.read && !manifest.needs.sessions.end);
    let options: Vec<_> = manifest.config.options.iter().map(|option| option.name.as_str()).collect();
    assert_eq!(options, ["zeal", "max_messages", "keep"]);
}

#[test]
fn little_is_enough() {
    let manifest = parse("").unwrap();
    assert_eq!(manifest.run.memory, 16 << 20);
    assert_eq!(manifest.run.outbox, OutboxLimit { count: 10_000, bytes: 4 << 20 });
    assert_eq!(manifest.on_fault(Phase::Screen), OnFault::Refuse);
    assert_eq!(manifest.on_fault(Phase::Copy), OnFault::Bypass);
    assert!(manifest.needs == Needs::default());
}

#[test]
fn the_configuration_is_checked_and_filled_in() {
    let schema = parse(FULL).unwrap().config;
    let resolved = schema.resolve(&json!({"max_messages": 5, "keep": "2h"})).unwrap();
    assert_eq!(resolved, json!({"zeal": "some", "max_messages": 5, "keep": 7_200_000}));
    let problem = |set| schema.resolve(&set).unwrap_err().to_string();
    assert_eq!(problem(json!({"max": 5})), "max: no such option; known: zeal, max_messages, keep");
    assert_eq!(problem(json!({"max_messages": 10_001})), "max_messages: write a whole number, 0 to 10000");
    assert_eq!(problem(json!({"max_messages": "x"})), "max_messages: write a whole number, 0 to 10000");
    assert_eq!(problem(json!({"zeal": "all"})), "zeal: write one of none, some");
    assert!(problem(json!({"keep": "31d"})).contains("at most"));
}

/// What is wrong, in which line below the head, and what the refusal must say.
#[test]
fn every_mistake_names_line_key_and_fix() {
    let hook = "[[hook]]\non = \"message.in\"\nphase = \"screen\"\nhandler = \"f\"\n";
    let iq = "[[iq]]\nns = \"n\"\nnames = [\"q\"]\nhandler = \"f\"\n";
    let cases: Vec<(String, usize, &str, &str)> = vec![
        (
            "[[store]]\nname = \"a\"\nshape = \"archive\"\nclass = \"volatile\"\n".into(),
            1,
            "[[store]]",
            "goes with `shape = \"kv\"`",
        ),
        (
            "[match]\nm = \"peer in a\"\n[[store]]\nname = \"a\"\nshape = \"kv\"\nclass = \"volatile\"\n".into(),
            2,
            "[match] m",
            "filters cannot ask it",
        ),
        ("[run]\nmodle = \"keyed\"\n".into(), 2, "[run] modle", "unknown field `modle`, expected one of `model`"),
        ("[run]\nmodel = \"actor\"\n".into(), 2, "[run] model", "expected one of `keyed`, `pooled`, `fresh`"),
        ("[run]\nmemory = \"1GiB\"\n".into(), 2, "[run] memory", "out of range; write 65536 to 268435456"),
        ("[run]\nmemory = \"16 apples\"\n".into(), 2, "[run] memory", "16 apples"),
        ("[run]\ndeadline = \"5\"\n".into(), 2, "[run] deadline", "write ms, s, m, h or d"),
        ("[run]\ndeadline = \"5s\"\n".into(), 2, "[run] deadline", "must be 1 ms to 1000 ms"),
        (format!("{hook}when = \"boddy\"\n"), 5, "[[hook]] when", "`boddy` is not defined; add it under [match]"),
        (format!("{hook}type = [\"get\"]\n"), 5, "[[hook]] type", "message.in has no type `get`"),
        (format!("{hook}type = []\n"), 5, "[[hook]] type", "leave the key out"),
        (hook.replace("message.in", "message.inn"), 2, "[[hook]] on", "expected one of `message.out`"),
        (hook.replace("screen", "fallback"), 1, "[[hook]]", "is the phase of"),
        (hook.replace("\"f\"", "\"my function\""), 4, "[[hook]] handler", "not a function name"),
        (hook.replace("handler = \"f\"\n", ""), 1, "[[hook]]", "missing field `handler`"),
        (format!("{hook}strip = \"{{a}}b\"\n"), 4, "[[hook]] handler", "nobody is called"),
        (hook.replace("handler = \"f\"", "strip = \"b\""), 4, "[[hook]] strip", "write {namespace}name"),
        (format!("{hook}record = {{ store = \"x\" }}\n"), 5, "[[hook]] record", "no archive `x`"),
        ("[match]\nm = \"config x is y\"\n".into(), 2, "[match] m", "no option `x`"),
        ("[match]\na = \"body\"\n".into(), 2, "[match] a", "write {namespace}name"),
        ("[match]\na = \"{x}\"\n".into(), 2, "[match] a", "is no element test"),
        ("[match]\na = \"peer in list\"\n".into(), 2, "[match] a", "add a [[store]]"),
        ("[match]\na = \"peer in x.y/z\"\n".into(), 2, "[match] a", "add it to `views`"),
        ("[match]\nand = \"{x}y\"\n".into(), 2, "[match] and", "is no name"),
        (
            format!("{iq}to = \"server\"\ntype = [\"get\"]\nown = true\n"),
            7,
            "[[iq]] own",
            "only for `to = \"account\"`",
        ),
        (
            format!("{iq}to = \"account\"\ntype = [\"get\"]\nbefore-auth = true\n"),
            7,
            "[[iq]] before-auth",
            "only for `to = \"server\"`",
        ),
        (
            format!("{iq}to = \"server\"\ntype = [\"set\"]\nbind = \"asked\"\n"),
            7,
            "[[iq]] bind",
            "only for `to = \"account\"`",
        ),
        (format!("{iq}to = \"account\"\ntype = [\"get\"]\nbind = \"asked\"\n"), 7, "[[iq]] bind", "clients ask with"),
        (
            format!("{iq}to = \"account\"\ntype = [\"set\"]\nbind = \"always\"\n"),
            7,
            "[[iq]] bind",
            "the server asks with",
        ),
        (format!("{iq}to = \"account\"\ntype = [\"result\"]\n"), 6, "[[iq]] type", "has no type `result`"),
        (
            "[[store]]\nname = \"a\"\nshape = \"kv\"\n[[store]]\nname = \"a\"\nshape = \"kv\"\n".into(),
            4,
            "[[store]] name",
            "two of the name `a`",
        ),
        (
            "[[store]]\nname = \"a\"\nshape = \"kv\"\ntext = { of = [\"{x}a\"] }\n".into(),
            1,
            "[[store]]",
            "goes with `shape",
        ),
        (
            "[[store]]\nname = \"a\"\nshape = \"archive\"\ntext = { of = [\"body\"] }\n".into(),
            1,
            "[[store]]",
            "as `{namespace}name`",
        ),
        ("[[limit]]\nname = \"a\"\ncount = 0\nper = \"1h\"\n".into(), 3, "[[limit]] count", "out of range"),
        ("[[limit]]\nname = \"a\"\nper = \"1h\"\n".into(), 1, "[[limit]]", "write `count`, or `option`"),
        ("[[limit]]\nname = \"a\"\noption = \"b\"\nper = \"1h\"\n".into(), 3, "[[limit]] option", "of type integer"),
        ("[adds]\n\"disco.sever\" = []\n".into(), 2, "[adds] \"disco.sever\"", "unknown slot; known: disco.server"),
        (
            "[adds]\n\"stream.after-auth\" = [\"<a>\"]\n".into(),
            2,
            "[adds] \"stream.after-auth\"",
            "not one well-formed element",
        ),
        ("[needs]\nviews = [\"roster\"]\n".into(), 2, "[needs] views", "write plugin/store"),
        ("[needs]\nask = true\n".into(), 2, "[needs] ask", "add `outbox"),
        ("[needs]\nwake = true\n".into(), 1, "[needs]", "under [replies]"),
        ("[needs]\nsessions = [\"all\"]\n".into(), 2, "[needs] sessions", "a list of `read`, `tag`, `end`"),
        ("[[domain]]\nclaim = \"{domain}\"\n".into(), 2, "[[domain]] claim", "conference.{domain}"),
        (
            "[config.x]\ntype = \"integer\"\ndefault = \"a\"\nhelp = \"h\"\n".into(),
            1,
            "[config.x]",
            "the default does not fit",
        ),
        ("[config.x]\ntype = \"number\"\ndefault = 1\nhelp = \"h\"\n".into(), 2, "[config.x] type", "expected one of"),
        (
            "[config.x]\ntype = \"boolean\"\ndefault = true\nmin = 1\nhelp = \"h\"\n".into(),
            1,
            "[config.x]",
            "min and max are for",
        ),
        ("[run\n".into(), 1, "[run", "expected"),
    ];
    let head = HEAD.lines().count();
    for (text, line, key, hint) in cases {
        let error = parse(&text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(error.problem.contains(hint), "{text}: {error}");
        assert_eq!((error.line, error.key.as_str()), (head + line, key), "{text}: {error}");
    }
    let matches: String = (0..65).map(|n| format!("m{n} = \"{{x}}y\"\n")).collect();
    assert!(parse(&format!("[match]\n{matches}")).unwrap_err().problem.contains("more than 64"));
    let id = Manifest::parse(&HEAD.replace("xylem.blocking", "Xylem Blocking")).unwrap_err();
    assert!(id.line == 3 && id.problem.contains("write lowercase words"), "{id}");
    let api = Manifest::parse(&HEAD.replace("@0.1", "@0.9")).unwrap_err();
    assert!(api.problem.contains("offers `xylem:plugin@0.1`"), "{api}");
}

#[test]
fn no_text_makes_it_panic() {
    let text = format!("{HEAD}{FULL}");
    for (cut, _) in text.char_indices().step_by(7) {
        let _ = Manifest::parse(&text[..cut]);
        let _ = Manifest::parse(&text[cut..]);
        let _ = Manifest::parse(&format!("{}\u{0}é\"[{}", &text[..cut], &text[cut..]));
    }
}

#[test]
fn listeners_name_a_list_of_addresses_and_need_a_grant() {
    const LISTENER: &str = "[[listener]]\nname = 'l'\nframing = 'socks5'\naddresses = 'at'\nwaiting = '5s'\n";
    const CONFIG: &str = "[config.at]\ntype = 'list'\ndefault = []\nhelp = 'h'\n";
    const GRANT: &str = "[needs]\nwires = true\n";
    let manifest = Manifest::parse(&[HEAD, LISTENER, CONFIG, GRANT].concat()).unwrap();
    let listener = &manifest.listeners[0];
    assert_eq!((listener.name.as_str(), listener.addresses.as_str(), listener.per_label), ("l", "at", 2));
    assert_eq!((listener.handshake.as_secs(), listener.waiting.as_secs(), &listener.ended), (10, 5, &None));
    assert!(manifest.needs.wires && listener.framing == Framing::Socks5);
    for parts in [[HEAD, LISTENER, CONFIG, ""], [HEAD, LISTENER, GRANT, ""], [HEAD, LISTENER, LISTENER, ""]] {
        let refused = Manifest::parse(&parts.concat()).unwrap_err();
        assert_eq!(refused.line, 8, "{refused}");
    }
    let twice = Manifest::parse(&[HEAD, LISTENER, LISTENER, CONFIG, GRANT].concat()).unwrap_err();
    assert!(twice.to_string().contains("two of the name"), "{twice}");
}

#[test]
fn a_setting_decides_what_is_indexed() {
    let text = TextSpec {
        of: vec![ElementName { ns: "jabber:client".into(), name: "body".into() }],
        setting: Some("full_text".into()),
    };
    let on = |config: serde_json::Value| text.is_on(&config.to_string());
    assert!(on(serde_json::json!({ "a": 1, "full_text": true, "z": "x" })));
    assert!(!on(serde_json::json!({ "full_text": false })));
    assert!(!on(serde_json::json!({ "note": "\"full_text\":true" })), "a text that looks like it");
    assert!(!on(serde_json::json!({})));
    assert!(TextSpec { setting: None, ..text }.is_on("{}"));
}
