//! Plugins that ask each other.

use std::time::{Duration, Instant};

use crate::stage::{DOMAIN, KEY, Stage, manifest, sent};
use xylem_host::{HostError, Package, Settings};

const OWNER: &str = r#"
[[hook]]
on = "message.in"
phase = "default"
handler = "f"
[extension]
interface = "xylem:muc-ext@0.1"
[needs]
outbox = { from = ["account"], to = ["any"] }
"#;

/// A plugin that is asked; its name is its only option.
fn taker(name: &str, rest: &str) -> String {
    format!(
        "[[extend]]\ninterface = \"xylem:muc-ext@0.1\"\n{rest}\n[[store]]\nname = \"rows\"\nshape = \"kv\"\n[needs]\noutbox = {{ from = [\"account\"], to = [\"any\"] }}\n[config.name]\ntype = \"string\"\ndefault = \"{name}\"\nhelp = \"h\"\n"
    )
}

fn stage(takers: &[(&str, &str)]) -> Stage {
    let stage = Stage::empty();
    stage.install("asker", "t", OWNER);
    for (name, rest) in takers {
        stage.install("asked", name, &taker(name, rest));
    }
    stage.host.start();
    stage
}

/// What the owner was told, and the effects before that.
async fn ask(stage: &Stage, body: &str) -> String {
    let said = |effect: &xylem_hooks::Effect| sent(effect).contains("join");
    let before = stage.effects().iter().filter(|effect| said(effect)).count();
    stage.hook(body).await;
    for _ in 0..500 {
        let effects = stage.effects();
        if let Some(effect) = effects.iter().filter(|effect| said(effect)).nth(before) {
            return sent(effect);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the owner was harmed: {body}");
}

#[tokio::test]
async fn answers_are_folded_in_order() {
    let alone = stage(&[]);
    assert!(ask(&alone, "hi").await.contains(">pass, join pass, features <"));
    let stage = stage(&[("a", ""), ("b", "before = [\"a\"]"), ("c", "phase = \"screen\"")]);
    assert!(ask(&stage, "hi").await.contains(">pass, join pass, features urn:c urn:b urn:a<"));
    let edited = ask(&stage, "edit:a edit:b").await;
    assert!(edited.contains(">edit (") && edited.contains("edit:b b was here a was here("), "{edited}");
    assert!(ask(&stage, "edit:b reject:a").await.contains(">reject policy-violation,"));
    stage.hook("reject:b note:a").await;
    assert!(stage.store.kv("a/rows").partition(KEY).await.unwrap().is_empty().unwrap(), "asked after a rejection");
}

#[tokio::test]
async fn whoever_is_asked_has_a_turn_of_his_own() {
    let stage = stage(&[("a", "")]);
    ask(&stage, "note:a").await;
    let aside = stage.effects().iter().map(sent).filter(|xml| xml.contains("aside@example.org")).count();
    assert_eq!(aside, 1);
    let rows = stage.store.kv("a/rows").partition(KEY).await.unwrap();
    assert!(rows.get(b"heard").unwrap().is_some());
    ask(&stage, "note:a crash:a more").await;
    let row = rows.get(b"heard").unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row).contains("more"), "half a turn was kept");
}

#[tokio::test]
async fn a_fault_costs_the_one_that_is_asked_and_nobody_else() {
    let stage = stage(&[("a", ""), ("b", ""), ("s", "phase = \"screen\"")]);
    assert!(ask(&stage, "crash:a edit:b").await.contains("b was here"));
    assert!(ask(&stage, "broken:a").await.contains(">pass,"));
    let begun = Instant::now();
    assert!(ask(&stage, "loop:b edit:a").await.contains("a was here"), "longer than its own deadline");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(ask(&stage, "crash:s").await.contains(">reject internal-server-error,"));
    assert_eq!((stage.info("t").faults, stage.info("a").faults, stage.info("b").faults), (0, 2, 1));
    assert_eq!(stage.info("s").faults, 1);
}

#[tokio::test]
async fn questions_without_end_are_not_heard() {
    let stage = stage(&[("a", "")]);
    assert!(ask(&stage, "do:many edit:a").await.contains(">pass, join pass, features <"));
    assert_eq!(stage.info("t").faults, 0);
    assert!(ask(&stage, "edit:a").await.contains("a was here"), "the next call may ask again");
}

fn refused(stage: &Stage, guest: &'static str, id: &str, rest: &str) -> String {
    let package = Package::new(id, crate::stage::guest(guest), &manifest(id, rest)).unwrap();
    let error: HostError = stage.host.install(package, Settings::default()).unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn circles_clashes_and_what_is_not_declared_are_refused() {
    let stage = stage(&[("a", "")]);
    assert!(refused(&stage, "asker", "u", OWNER).contains("both have [extension] xylem:muc-ext@0.1"));
    let silent = OWNER.replace("[extension]\ninterface = \"xylem:muc-ext@0.1\"\n", "");
    assert!(refused(&stage, "asker", "v", &silent).contains("imports xylem:muc-ext/extension@0.1.0"));
    let empty = refused(&stage, "bare", "w", "[[extend]]\ninterface = \"xylem:muc-ext@0.1\"\n");
    assert!(empty.contains("[[extend]] xylem:muc-ext@0.1") && empty.contains("does not export"), "{empty}");
    assert!(stage.host.plan(DOMAIN).unwrap().plugins().count() == 2, "what was there stays");
    let lonely = Stage::empty();
    let own = format!("{}[extension]\ninterface = \"xylem:muc-ext@0.1\"\n", taker("n", ""));
    assert!(refused(&lonely, "asked", "n", &own).contains("circle: n → n"));
}
