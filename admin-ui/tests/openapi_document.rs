//! The committed document is that of the table. `XYLEM_WRITE=1` (`cargo xtask docs`) writes it.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use xylem_admin::openapi;

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = openapi::document(&xylem_ops::specs());
    if std::env::var_os("XYLEM_WRITE").is_some() {
        std::fs::write(path, format!("{current:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (path, is) in current.pointer("/paths").and_then(Value::as_object).unwrap() {
        let was = committed.pointer("/paths").and_then(|paths| paths.get(path));
        assert_eq!(was, Some(is), "{path}: run `cargo xtask docs`");
    }
    assert!(committed == current, "admin-ui/openapi.json is old: run `cargo xtask docs`");
}

/// What a document refers to is in it, and nothing else is in `components`.
#[test]
fn no_reference_leads_nowhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = openapi::document(&xylem_ops::specs());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
