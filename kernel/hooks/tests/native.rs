//! What the server does at a hook without a call, and the tests that decide it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use serde_json::json;
use xylem_hooks::call::PluginIndex;
use xylem_hooks::manifest::{ElementName, Native};
use xylem_hooks::{HookPoint, Manifest, ManifestEntry, Next, Party, Phase, Plan, Stamp, Views};
use xylem_stanza::{Jid, Stanza};

const MANIFEST: &str = r#"
[plugin]
id = "a.b"
version = "1"
api = "xylem:plugin@0.1"
summary = "s"
license = "MIT"
[match]
mark = "{urn:x}mark"
any = "{urn:x}*"
own = "peer is key"
all = "config who is all"
few = "config most is 3"
[[hook]]
on = "message.out"
phase = "record"
when = "not own"
handler = "kept"
record = { store = "rows", when = "all and few", stamp = "{urn:x}mark", every = 100 }
[[hook]]
on = "message.out"
phase = "default"
when = "mark"
strip = "{urn:x}mark"
[[hook]]
on = "message.out"
phase = "observe"
when = "any"
handler = "seen"
[[store]]
name = "rows"
shape = "archive"
marks = ["mark and not any", "any"]
[config.who]
type = "string"
default = "all"
help = "h"
[config.most]
type = "integer"
default = 3
help = "h"
"#;

struct Nothing;

impl Views for Nothing {
    fn contains(&self, _: &str, _: &str, _: &Jid) -> Option<bool> {
        Some(false)
    }

    fn any(&self, _: &str, _: &str) -> Option<bool> {
        Some(false)
    }

    fn tagged(&self, _: &str, _: &str) -> bool {
        false
    }

    fn waits(&self, _: &str) -> bool {
        false
    }
}

fn plan(config: serde_json::Value) -> Plan {
    let manifest = Arc::new(Manifest::parse(MANIFEST).unwrap());
    let config = manifest.config.resolve(&config).unwrap();
    Plan::compile(&[ManifestEntry { config, ..ManifestEntry::new(PluginIndex(0), manifest) }], "b").unwrap()
}

#[test]
fn a_manifest_says_what_is_done_without_a_call() {
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let Some(Native::Record(record)) = &manifest.hooks[0].native else { panic!("no record") };
    assert_eq!((record.store, record.every), (0, 100));
    assert!(record.when.holds(0b11000) && !record.when.holds(0b01000));
    assert!(manifest.hooks[1].handler.is_empty());
    assert_eq!(manifest.stores[0].marks.len(), 2);
    for (was, is, problem) in [
        ("\"mark and not any\", \"any\"", "\"own\"", "children only"),
        ("shape = \"archive\"\nmarks", "shape = \"kv\"\nmarks", "shape `archive`"),
        ("every = 100", "every = 1", "2 to"),
        ("phase = \"default\"", "phase = \"observe\"", "edits nothing"),
    ] {
        let error = Manifest::parse(&MANIFEST.replacen(was, is, 1)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn options_and_the_key_itself_are_tested() {
    let stanza = Stanza::parse("<message to='c@b/x'/>").unwrap();
    let bits = |config, key: &str| {
        let plan = plan(config);
        let party = Party { key, domain: "b", peer: stanza.to() };
        match plan.point(HookPoint::MessageOut).walk(&stanza).next(Phase::Default, &party, &Nothing) {
            Next::Call { bits, .. } => Some(bits),
            _ => None,
        }
    };
    assert_eq!(bits(json!({}), "a@b"), Some(0b11000));
    assert_eq!(bits(json!({ "who": "few" }), "a@b"), Some(0b10000));
    assert_eq!(bits(json!({ "most": 4 }), "a@b"), Some(0b01000));
    assert_eq!(bits(json!({}), "c@b"), None, "said to oneself");
}

#[test]
fn stamps_are_seen_by_the_hooks_that_follow_until_they_are_taken_out() {
    let (plan, stanza) = (plan(json!({})), Stanza::parse("<message to='c@b'><body/></message>").unwrap());
    let party = Party { key: "a@b", domain: "b", peer: stanza.to() };
    let mut walk = plan.point(HookPoint::MessageOut).walk(&stanza);
    let mut next = || match walk.next(Phase::Observe, &party, &Nothing) {
        Next::Call { step, .. } => Some(step.phase),
        _ => None,
    };
    assert_eq!(next(), Some(Phase::Record));
    let mut left = walk.clone();
    assert!(matches!(left.next(Phase::Observe, &party, &Nothing), Next::Done), "no mark in it");
    let mark = ElementName::parse("{urn:x}mark").unwrap();
    walk.added(&mark);
    let Next::Call { step, .. } = walk.next(Phase::Observe, &party, &Nothing) else { panic!("not stripped") };
    assert!(matches!(&step.native, Some(Native::Strip(child)) if **child == mark));
    let mut kept = walk.clone();
    assert!(matches!(kept.next(Phase::Observe, &party, &Nothing), Next::Call { .. }));
    walk.removed(&mark, &stanza);
    assert!(matches!(walk.next(Phase::Observe, &party, &Nothing), Next::Done));
    let stamp = Stamp { child: Arc::new(mark), by: "o'neil@b".into(), id: 0x1f };
    assert_eq!(stamp.to_xml(), "<mark xmlns='urn:x' by='o&apos;neil@b' id='000000000000001f'/>");
}
