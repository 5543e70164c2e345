//! `[[operation]]` in manifests: what is read, and how mistakes are named.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use serde_json::json;
use xylem_hooks::Manifest;
use xylem_hooks::manifest::{ArgumentKind, LeastRole};

const HEAD: &str =
    "[plugin]\nid = \"t\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n";

const LIST: &str = r#"[[operation]]
name = "room.list"
help = "Lists rooms."
arguments = [{ name = "domain", type = "domain", help = "of which domain" }]
key = "domain"
least = "operator"
changes = false
list = true
result = "rooms"
fields = [
    { name = "room", type = "address", help = "its address" },
    { name = "occupants", type = "number", help = "who is in it" },
]
handler = "list"
"#;

const DESTROY: &str = r#"[[operation]]
name = "room.destroy"
help = "Ends a room."
arguments = [
    { name = "room", type = "address", help = "which" },
    { name = "reason", type = "text", max = 500, optional = true, help = "why" },
    { name = "how", type = "choice", values = ["now", "later"], optional = true, help = "when" },
]
key = "room"
changes = true
danger = "Everybody is sent out."
confirm = "room"
result = "the room"
handler = "destroy"
"#;

fn parse(rest: &str) -> Result<Manifest, String> {
    Manifest::parse(&[HEAD, rest].concat()).map_err(|error| error.to_string())
}

fn refused(rest: &str) -> String {
    match parse(rest) {
        Ok(_) => panic!("accepted: {rest}"),
        Err(error) => error,
    }
}

#[test]
fn what_is_written_is_read() {
    let manifest = parse(&[LIST, DESTROY].concat()).unwrap();
    let [list, destroy] = &manifest.operations[..] else { panic!("two") };
    let names: Vec<_> = list.arguments.iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(names, ["domain", "search", "after", "limit"]);
    assert_eq!(list.key_argument().unwrap().kind, ArgumentKind::Domain);
    assert_eq!((list.least, list.changes, list.line), (LeastRole::Operator, false, 7));
    let schema = list.result_schema();
    assert_eq!(schema["properties"]["items"]["items"]["properties"]["occupants"]["type"], json!(["integer", "null"]));
    assert_eq!(schema["required"], json!(["items", "next", "total"]));
    assert_eq!(destroy.confirm_argument().unwrap().name, "room");
    assert_eq!(destroy.least, LeastRole::Administrator);
    assert_eq!(destroy.arguments[1].kind, ArgumentKind::Text { max: 500 });
    assert_eq!(destroy.arguments[2].kind, ArgumentKind::Choice(vec!["now".into(), "later".into()]));
    assert!(destroy.arguments[0].required && !destroy.arguments[1].required);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let wrong = |from: &str, to: &str| {
        assert!(DESTROY.contains(from), "{from}");
        refused(&DESTROY.replace(from, to))
    };
    for (from, to, line, part) in [
        ("\"room.destroy\"", "\"Destroy\"", 8, "noun.verb"),
        ("key = \"room\"", "key = \"reason\"", 15, "not optional and of type"),
        ("key = \"room\"", "key = \"rom\"", 15, "name of an argument"),
        ("changes = true", "changes = false", 17, "changes nothing"),
        ("confirm = \"room\"", "confirm = \"rom\"", 18, "there is no argument `rom`"),
        ("danger = \"Everybody is sent out.\"\n", "", 17, "Add `danger"),
        ("max = 500", "max = 0", 12, "1 to 65536"),
        ("values = [\"now\", \"later\"]", "values = []", 13, "empty"),
        ("type = \"choice\"", "type = \"flag\"", 13, "belong together"),
        ("name = \"how\"", "name = \"reason\"", 13, "two of the name"),
        ("result = ", "least = \"operator\"\nresult = ", 16, "change nothing"),
        ("result = ", "least = \"user\"\nresult = ", 15, "own account"),
        ("result = ", "state = \"room.show\"\nresult = ", 7, "`room.show` is no operation"),
        ("handler = \"destroy\"", "handler = \"de stroy\"", 20, "function name"),
    ] {
        let error = wrong(from, to);
        assert!(error.contains(&format!("line {line}:")) && error.contains(part), "{from} -> {to}: {error}");
    }
    assert!(refused(&[DESTROY, DESTROY].concat()).contains("there are two of the name `room.destroy`"));
    let taken = LIST.replace("name = \"domain\"", "name = \"limit\"").replace("key = \"domain\"", "key = \"limit\"");
    assert!(refused(&taken).contains("every list has the argument `limit`"));
}

#[test]
fn a_face_of_the_table_says_where_answers_go() {
    let missing = refused("[needs]\noperations = true\n");
    assert!(missing.contains("`operation = \"…\"` under [replies]"), "{missing}");
    let manifest = parse("[replies]\noperation = \"done\"\n[needs]\noperations = true\n").unwrap();
    assert!(manifest.needs.operations);
    assert_eq!(manifest.replies.operation.as_deref(), Some("done"));
}
