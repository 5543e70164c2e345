//! A call happens whole or not at all; what it sends goes out after what it wrote.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use xylem_hooks::{Effect, IqOutcome, Verdict};
use xylem_store::backend::Entry;
use xylem_store::{Backend, Batch, Scan};

use crate::stage::{ALL, KEY, Stage, sent};

/// A backend whose commits wait for a sign, or fail.
struct Gated {
    inner: Arc<dyn Backend>,
    open: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl Backend for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn get(&self, table: &str, key: &[u8]) -> xylem_store::Result<Option<Vec<u8>>> {
        self.inner.get(table, key)
    }

    fn scan(&self, table: &str, scan: &Scan) -> xylem_store::Result<Vec<Entry>> {
        self.inner.scan(table, scan)
    }

    fn commit(&self, batch: &Batch) -> xylem_store::Result<()> {
        while !self.open.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.broken.load(Ordering::SeqCst) {
            return Err(xylem_store::StoreError::Backend { backend: "gated", message: "broken".into() });
        }
        self.inner.commit(batch)
    }

    fn tables(&self) -> xylem_store::Result<Vec<String>> {
        self.inner.tables()
    }

    fn size(&self) -> xylem_store::Result<u64> {
        self.inner.size()
    }

    fn scrub(&self) -> xylem_store::Result<xylem_store::backend::ScrubReport> {
        self.inner.scrub()
    }
}

pub(crate) fn gated(rest: &str) -> (Stage, Arc<AtomicBool>, Arc<AtomicBool>) {
    let (open, broken) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let inner = xylem_store::backend::memory();
    let backend = Gated { inner, open: Arc::clone(&open), broken: Arc::clone(&broken) };
    let stage = Stage::over(Arc::new(backend), Duration::ZERO);
    stage.install("tricks", "t", rest);
    stage.host.start();
    (stage, open, broken)
}

#[tokio::test]
async fn a_trap_after_put_and_send_leaves_nothing() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:put:a=1 do:plainsend:x do:group:a@b do:wake:5 do:edit do:publish:urn:x do:crash").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(stage.effects().is_empty());
    assert_eq!(stage.row(KEY, "a").await, None);
    assert!(stage.store.kv("kernel/timers").partition("t").await.unwrap().is_empty().unwrap());
    assert!(stage.host.plan("example.org").unwrap().contributions("disco.server").is_empty());
    stage.hook("do:togroup").await;
    assert!(stage.effects().is_empty(), "the group has members");
    stage.clock.forward(10);
    stage.host.run_due().await;
    assert_eq!(stage.row(KEY, "woken").await, None);
}

#[tokio::test]
async fn sends_wait_for_the_commit() {
    let (stage, open, _) = gated(ALL);
    open.store(false, Ordering::SeqCst);
    let outcome = stage.hook("do:put:a=1 do:plainsend:first").await;
    assert_eq!(outcome.verdict, Verdict::Pass);
    // Written nothing itself, but must not overtake what its key has under way.
    stage.hook("do:plainsend:second").await;
    stage.hook_of("other@example.org", 0, "do:plainsend:other").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let early: Vec<_> = stage.effects().iter().map(sent).collect();
    assert!(early.iter().all(|xml| xml.contains("other")), "released before the commit: {early:?}");
    open.store(true, Ordering::SeqCst);
    let effects: Vec<_> = stage.released(3).await.iter().map(sent).collect();
    let of_key: Vec<_> = effects.iter().filter(|xml| !xml.contains("other")).collect();
    assert!(of_key[0].contains("first") && of_key[1].contains("second"), "{of_key:?}");
}

#[tokio::test]
async fn what_is_not_written_is_not_sent_and_who_waits_is_told() {
    let (stage, _, broken) = gated(ALL);
    stage.hook("do:put:a=0").await;
    stage.store.barrier().await.unwrap();
    broken.store(true, Ordering::SeqCst);
    assert_eq!(stage.iq("do:put:a=1 do:plainsend:x").await, IqOutcome::Handled);
    let effects = stage.released(1).await;
    assert_eq!(effects.len(), 1);
    let answer = sent(&effects[0]);
    assert!(answer.contains("internal-server-error") && answer.contains("i1"), "{answer}");
    let taken = stage.hook("do:put:a=2 do:stop").await;
    assert_eq!(taken.verdict, Verdict::Stop);
    assert!(sent(&stage.released(2).await[1]).contains("internal-server-error"));
}

#[tokio::test]
async fn the_answer_goes_before_what_follows_from_the_request() {
    let stage = Stage::with("t", ALL);
    stage.iq("do:plainsend:push").await;
    let effects: Vec<_> = stage.released(2).await.iter().map(sent).collect();
    assert!(
        effects[0].contains("<answer xmlns='urn:tricks'") || effects[0].contains("<answer xmlns=\"urn:tricks\""),
        "{effects:?}"
    );
    assert!(effects[0].contains("i1") && effects[1].contains("push"));
}

#[tokio::test]
async fn answers_are_what_the_plugin_said() {
    let stage = Stage::with("t", ALL);
    assert_eq!(stage.iq("say:later").await, IqOutcome::Handled);
    assert_eq!(stage.iq("say:unhandled").await, IqOutcome::Unhandled);
    assert!(stage.effects().is_empty());
    stage.iq("say:fail").await;
    let error = sent(&stage.released(1).await[0]);
    assert!(error.contains("conflict") && error.contains("wait") && error.contains("urn:tricks"), "{error}");
    stage.iq("say:bad").await;
    assert!(sent(&stage.released(2).await[1]).contains("internal-server-error"));
}

#[tokio::test]
async fn verdicts_and_edits_reach_the_router() {
    let stage = Stage::with("t", ALL);
    assert_eq!(stage.hook("do:stop").await.verdict, Verdict::Stop);
    let Verdict::Reject(failure) = stage.hook("do:reject:item-not-found").await.verdict else { panic!("passed") };
    assert_eq!((failure.condition.as_str(), failure.text.as_deref()), ("item-not-found", Some("go away")));
    let edited = stage.hook("do:edit").await.edited.unwrap().to_xml_string();
    assert!(edited.contains("urn:tricks") && edited.contains("do:edit"), "{edited}");
    assert!(stage.hook("plain").await.edited.is_none());
    let observed = stage.hook_of(KEY, 2, "do:edit do:stop").await;
    assert!(observed.edited.is_none() && observed.verdict == Verdict::Pass);
}

#[tokio::test]
async fn effects_know_whose_they_are() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:plainsend:x").await;
    stage.released(1).await;
    let (cause, effect) = stage.written.effects.lock().unwrap()[0].clone();
    assert_eq!((&*cause.key, &*cause.domain, cause.hops), (KEY, "example.org", 1));
    let Effect::Send(stanza) = effect else { panic!("{effect:?}") };
    assert_eq!(stanza.from().unwrap().as_str(), KEY);
}
