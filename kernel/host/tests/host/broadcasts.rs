//! An instance that dies while it has something for many: all of it happens, or nothing.

use std::sync::Arc;
use std::time::Duration;

use xylem_hooks::Effect;
use xylem_store::backend::{Entry, ScrubReport};
use xylem_store::{Backend, Batch, Scan};

use crate::stage::{ALL, KEY, Stage};

/// What a room does with a message, up to its end.
const BROADCAST: &str = "do:keep:a@x.example do:count do:togroup";

fn members(effect: &Effect) -> Vec<String> {
    let Effect::ToAddresses { to, .. } = effect else { panic!("no fan-out: {effect:?}") };
    to.iter().map(|one| one.jid().as_str().to_owned()).collect()
}

fn fan_outs(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::ToAddresses { .. })).count()
}

async fn kept(stage: &Stage) -> u64 {
    stage.store.barrier().await.unwrap();
    stage.store.archive("t/past").count_now(KEY).unwrap()
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_broadcast_is_no_broadcast() {
    for death in ["do:crash", "do:loop", "do:eat", "do:stack do:crash"] {
        let stage = Stage::with("t", ALL);
        stage.hook("do:group:g1@x.example do:group:g2@x.example").await;
        stage.hook(BROADCAST).await;
        let before = stage.released(2).await;
        assert_eq!((fan_outs(&before), kept(&stage).await), (1, 1), "{death}");

        // Everything is written and asked for; then the instance dies.
        stage.hook(&format!("{BROADCAST} {death}")).await;
        assert_eq!((fan_outs(&stage.effects()), kept(&stage).await), (1, 1), "{death}: half a broadcast");

        // The next instance finds everybody there, and the history as it was.
        stage.hook(BROADCAST).await;
        let after = stage.released(4).await;
        assert_eq!((fan_outs(&after), kept(&stage).await), (2, 2), "{death}");
        assert_eq!(members(after.last().unwrap()), ["g1@x.example", "g2@x.example"], "{death}");
        assert_eq!(stage.row(KEY, "n").await.as_deref(), Some("2"), "{death}: the turn that died counts for nothing");
    }
}

#[tokio::test]
async fn a_crash_behind_a_broadcast_takes_nothing_back() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:group:g1@x.example").await;
    // One on its way to the disk, one that dies meanwhile, one behind them.
    let (first, dies, last) =
        (stage.hook(BROADCAST), stage.hook("do:keep:b@x.example do:togroup do:crash"), stage.hook(BROADCAST));
    tokio::join!(first, dies, last);
    let all = stage.released(4).await;
    assert_eq!((fan_outs(&all), kept(&stage).await), (2, 2));
    assert_eq!(stage.effects().len(), 4, "nothing twice");
}

/// A commit that takes a while, as that of a disk does.
struct Slow(Arc<dyn Backend>);

impl Backend for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn get(&self, table: &str, key: &[u8]) -> xylem_store::Result<Option<Vec<u8>>> {
        self.0.get(table, key)
    }

    fn scan(&self, table: &str, scan: &Scan) -> xylem_store::Result<Vec<Entry>> {
        self.0.scan(table, scan)
    }

    fn commit(&self, batch: &Batch) -> xylem_store::Result<()> {
        std::thread::sleep(Duration::from_millis(2));
        self.0.commit(batch)
    }

    fn tables(&self) -> xylem_store::Result<Vec<String>> {
        self.0.tables()
    }

    fn size(&self) -> xylem_store::Result<u64> {
        self.0.size()
    }

    fn scrub(&self) -> xylem_store::Result<ScrubReport> {
        self.0.scrub()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_to_many_waits_for_the_one_behind_it() {
    let stage = Stage::over(Arc::new(Slow(xylem_store::backend::memory())), Duration::ZERO);
    stage.install("tricks", "t", ALL);
    stage.host.start();
    let members: Vec<String> = (0..20).map(|n| format!("do:group:g{n}@x.example")).collect();
    stage.hook(&members.join(" ")).await;
    for round in 1..=20 {
        // The second comes while the first is being committed, so it is committed after it.
        stage.hook(&format!("do:keep:a@x.example do:put:r={round} do:togroup")).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        stage.hook(&format!("do:keep:b@x.example do:put:r={round} do:togroup")).await;
        let all = stage.released(2 * round).await;
        assert_eq!((fan_outs(&all), all.len()), (2 * round, 2 * round));
    }
    let together = stage.written.together.lock().unwrap().len();
    assert!(together >= 3, "{together} of 20, on a machine however busy");
}
