//! Stores of class `volatile`: rows of a turn that no disk ever sees.

use std::sync::atomic::Ordering;
use std::time::Duration;

use xylem_hooks::Effect;

use crate::stage::{ALL, KEY, Stage, sent};
use crate::turns::gated;

/// Store number 2.
const NOW: &str =
    "[[store]]\nname = \"now\"\nshape = \"kv\"\nclass = \"volatile\"\nquota = { rows = 3, bytes = \"1KiB\" }\n";

fn manifest() -> String {
    ALL.replace("[[limit]]", &format!("{NOW}[[limit]]"))
}

async fn ask(stage: &Stage, body: &str) -> String {
    let before = stage.effects().len();
    stage.hook(body).await;
    sent(&stage.released(before + 1).await[before])
}

#[tokio::test]
async fn a_turn_without_other_writes_waits_for_no_disk() {
    let (stage, open, _) = gated(&manifest());
    // A turn that is on disk: so is then what came before it, the installation.
    ask(&stage, "do:put:x=1 do:vsend:a").await;
    open.store(false, Ordering::SeqCst);
    assert!(ask(&stage, "do:vput:a=one do:vsend:a").await.contains("one"), "seen by the same call");
    assert!(ask(&stage, "do:vput:b=two do:vkeys").await.contains("a b"));
    stage.hook("do:vput:c@x.example=two do:vfan:two").await;
    let Effect::ToAddresses { to, .. } = &stage.released(4).await[3] else { panic!("no fan-out") };
    assert_eq!(to.iter().map(|one| one.jid().as_str()).collect::<Vec<_>>(), ["b", "c@x.example"]);
    stage.hook_of("other@example.org", 0, "do:vsend:a").await;
    assert!(sent(&stage.released(5).await[4]).contains("none"), "rows of another key");
    open.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_turn_takes_its_writes_and_no_others() {
    let stage = Stage::with("t", &manifest());
    stage.hook("do:vput:a=one").await;
    stage.hook("do:vput:a=two do:vput:b=new do:vdel:a do:crash").await;
    assert!(ask(&stage, "do:vsend:a").await.contains("one"));
    assert!(ask(&stage, "do:vsend:b").await.contains("none"));
}

#[tokio::test]
async fn both_kinds_of_writes_happen_or_neither() {
    let (stage, _, broken) = gated(&manifest());
    stage.hook("do:vput:a=one do:put:x=1").await;
    assert_eq!(stage.row(KEY, "x").await.as_deref(), Some("1"));
    assert!(ask(&stage, "do:vsend:a").await.contains("one"));
    broken.store(true, Ordering::SeqCst);
    // The store is read-only after this.
    stage.hook("do:put:x=2").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stage.hook("do:vput:a=two do:put:x=3").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(ask(&stage, "do:vsend:a").await.contains("one"), "its durable half was refused");
}

#[tokio::test]
async fn rows_outlive_plugins_but_not_their_removal() {
    let stage = Stage::with("t", &manifest());
    stage.hook("do:vput:a=one").await;
    stage.host.disable("t", None).unwrap();
    stage.host.enable("t", None).unwrap();
    assert!(ask(&stage, "do:vsend:a").await.contains("one"));
    stage.install("tricks", "t", &manifest());
    assert!(ask(&stage, "do:vsend:a").await.contains("one"), "an upgrade");
    stage.store.barrier().await.unwrap();
    assert!(stage.store.kv("t/now").partition(KEY).await.unwrap().is_empty().unwrap(), "on disk");
    stage.host.remove("t").unwrap();
    stage.install("tricks", "t", &manifest());
    assert!(ask(&stage, "do:vsend:a").await.contains("none"), "a removal");
}

#[tokio::test]
async fn they_have_their_quota_and_go_with_their_account() {
    let stage = Stage::with("t", &manifest());
    stage.hook("do:vput:a=1 do:vput:b=1 do:vput:c=1").await;
    assert!(ask(&stage, "do:vput:d=1").await.contains("refused"));
    stage.hook("do:vdel:a do:vput:d=1").await;
    assert!(ask(&stage, "do:vkeys").await.contains("b c d"));
    let mut turn = stage.store.turn();
    stage.host.forget_rows(&mut turn, KEY);
    assert!(ask(&stage, "do:vsend:d").await.contains("none"));
}
