//! Group commit, order of callbacks, and what happens when the disk fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use xylem_store::backend::{Entry, ScrubReport, memory};
use xylem_store::options::LowWater;
use xylem_store::{Backend, Batch, Class, Options, Result, Scan, Store, StoreError};

/// Memory with a switch that makes it fail or panic, and a gate before each commit.
struct Fragile {
    inner: Arc<dyn Backend>,
    fails: AtomicBool,
    panics: AtomicBool,
    commits: AtomicUsize,
    gate: Mutex<bool>,
    moved: Condvar,
}

impl Fragile {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: memory(),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            commits: AtomicUsize::new(0),
            gate: Mutex::new(true),
            moved: Condvar::new(),
        })
    }

    fn set_gate(&self, open: bool) {
        *self.gate.lock().unwrap() = open;
        self.moved.notify_all();
    }
}

impl Backend for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner.get(table, key)
    }
    fn scan(&self, table: &str, scan: &Scan) -> Result<Vec<Entry>> {
        self.inner.scan(table, scan)
    }
    fn commit(&self, batch: &Batch) -> Result<()> {
        drop(self.moved.wait_while(self.gate.lock().unwrap(), |open| !*open).unwrap());
        assert!(!self.panics.load(Ordering::Relaxed), "as damaged databases do");
        if self.fails.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.inner.commit(batch)
    }
    fn tables(&self) -> Result<Vec<String>> {
        self.inner.tables()
    }
    fn size(&self) -> Result<u64> {
        self.inner.size()
    }
    fn scrub(&self) -> Result<ScrubReport> {
        self.inner.scrub()
    }
}

fn store(backend: &Arc<Fragile>, window: Duration) -> Store {
    Store::new(Arc::clone(backend) as Arc<dyn Backend>, Options { window, ..Options::default() }).unwrap()
}

fn one(key: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put("t", key.to_be_bytes(), b"value".to_vec());
    batch
}

#[tokio::test]
async fn batches_that_wait_together_are_committed_together() {
    let backend = Fragile::new();
    let store = store(&backend, Duration::from_millis(30));
    let tickets: Vec<_> = (0..100).map(|key| store.submit(one(key))).collect();
    for ticket in tickets {
        ticket.wait().await.unwrap();
    }
    assert_eq!(backend.commits.load(Ordering::Relaxed), 1);
    let metrics = store.metrics();
    assert_eq!((metrics.commits, metrics.batches, metrics.entries), (1, 100, 100));
    assert_eq!(metrics.latency.iter().sum::<u64>(), 1);
    assert_eq!(store.scan("t", Scan::all()).await.unwrap().len(), 100);
}

#[tokio::test]
async fn without_a_window_a_lone_batch_does_not_wait() {
    let backend = Fragile::new();
    let store = store(&backend, Duration::ZERO);
    let start = Instant::now();
    for key in 0..50 {
        store.submit(one(key)).wait().await.unwrap();
    }
    assert_eq!(backend.commits.load(Ordering::Relaxed), 50);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn callbacks_run_in_order_after_the_commit_with_barriers_and_refusals_in_their_places() {
    let backend = Fragile::new();
    let store = store(&backend, Duration::from_millis(1));
    backend.set_gate(false);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |place: usize| {
        let (seen, backend) = (Arc::clone(&seen), Arc::clone(&backend));
        move |result: Result<()>| {
            seen.lock().unwrap().push((place, result.is_ok(), backend.commits.load(Ordering::Relaxed)))
        }
    };
    for place in 0..300 {
        match place % 10 {
            3 => store.submit_then(Batch::new(), note(place)),
            5 => {
                let mut batch = Batch::new();
                batch.put("t", vec![0; 5000], b"".to_vec());
                store.submit_then(batch, note(place));
            }
            7 => {
                let mut turn = store.turn();
                turn.set_class(Class::Relaxed);
                turn.put(store.table("kv"), "p", b"k", "v", &[]).unwrap();
                store.submit_turn_then(turn, note(place));
            }
            _ => store.submit_then(one(place), note(place)),
        }
    }
    std::thread::sleep(Duration::from_millis(20));
    assert!(seen.lock().unwrap().is_empty());
    backend.set_gate(true);
    store.barrier().await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 300);
    for (at, (place, ok, commits)) in seen.iter().enumerate() {
        assert_eq!(at, *place);
        assert_eq!(*ok, place % 10 != 5);
        assert!(*commits > 0);
    }
}

#[tokio::test]
async fn a_callback_may_submit_even_when_the_queue_is_full() {
    let backend = Fragile::new();
    let options = Options { window: Duration::ZERO, queue_batches: 4, ..Options::default() };
    let store = Store::new(Arc::clone(&backend) as Arc<dyn Backend>, options).unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    for key in 0..200 {
        let (again, done) = (store.clone(), Arc::clone(&done));
        store.submit_then(one(key), move |result| {
            result.unwrap();
            for more in 0..5 {
                let done = Arc::clone(&done);
                again.submit_then(one(1000 + key * 5 + more), move |_| {
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
    }
    store.barrier().await.unwrap();
    store.barrier().await.unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 1000);
}

#[tokio::test]
async fn a_full_queue_holds_the_submitter_back() {
    let backend = Fragile::new();
    let options = Options { window: Duration::ZERO, queue_batches: 4, group_batches: 1, ..Options::default() };
    let store = Store::new(Arc::clone(&backend) as Arc<dyn Backend>, options).unwrap();
    backend.set_gate(false);
    let submitted = Arc::new(AtomicUsize::new(0));
    let thread = std::thread::spawn({
        let (store, submitted) = (store.clone(), Arc::clone(&submitted));
        move || {
            for key in 0..50 {
                let _ = store.submit(one(key));
                submitted.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    std::thread::sleep(Duration::from_millis(50));
    assert!(submitted.load(Ordering::Relaxed) <= 6);
    assert_eq!(store.health().waiting, 4);
    backend.set_gate(true);
    thread.join().unwrap();
    store.barrier().await.unwrap();
    assert_eq!(store.scan("t", Scan::all()).await.unwrap().len(), 50);
}

#[tokio::test]
async fn relaxed_batches_are_acknowledged_at_once_and_written_soon() {
    let backend = Fragile::new();
    let store = store(&backend, Duration::ZERO);
    let start = Instant::now();
    store.submit_class(one(1), Class::Relaxed).wait().await.unwrap();
    assert_eq!(backend.commits.load(Ordering::Relaxed), 0);
    while backend.commits.load(Ordering::Relaxed) == 0 {
        assert!(start.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(150), "it waits for company");
}

#[tokio::test]
async fn an_error_makes_the_store_read_only_and_drops_what_was_not_written() {
    for panics in [false, true] {
        let backend = Fragile::new();
        // Long enough to look at what is not committed yet, on a busy machine too.
        let store = store(&backend, Duration::from_millis(200));
        let kv = store.kv("kv");
        kv.put("p", b"k", "written", &[]).unwrap().wait().await.unwrap();
        kv.partition("p").await.unwrap();
        if panics { &backend.panics } else { &backend.fails }.store(true, Ordering::Relaxed);
        assert!(store.health().is_writable());
        let ticket = kv.put("p", b"k", "lost", &[]).unwrap();
        assert_eq!(kv.cached("p").unwrap().get(b"k").unwrap().unwrap(), "lost");
        ticket.wait().await.unwrap_err();
        let health = store.health();
        assert!(!health.is_writable() && health.read_only.is_some());
        backend.fails.store(false, Ordering::Relaxed);
        backend.panics.store(false, Ordering::Relaxed);
        let refused = kv.put("p", b"k", "never", &[]).unwrap();
        assert!(matches!(refused.refused(), Some(StoreError::ReadOnly(_))));
        assert!(kv.cached("p").is_none());
        assert_eq!(kv.partition("p").await.unwrap().get(b"k").unwrap().unwrap(), "written");
        let (sender, receiver) = tokio::sync::oneshot::channel();
        store.submit_then(one(1), move |result| sender.send(result).unwrap());
        assert!(matches!(receiver.await.unwrap(), Err(StoreError::ReadOnly(_))));
        assert!(matches!(store.barrier().await, Err(StoreError::ReadOnly(_))));
        let dir = tempfile::tempdir().unwrap();
        let counts = store.export(&dir.path().join("dump")).await.unwrap();
        assert_eq!(counts.puts, 1, "what is there can still be saved");
    }
}

#[tokio::test]
async fn a_full_disk_takes_deletes_only() {
    let dir = tempfile::tempdir().unwrap();
    let full = |low_water| Options { low_water, watch: Some(dir.path().to_owned()), ..Options::default() };
    let backend = memory();
    let roomy = Store::new(Arc::clone(&backend), full(LowWater::Bytes(1))).unwrap();
    roomy.kv("kv").put("p", b"k", "v", &[]).unwrap().wait().await.unwrap();
    assert!(roomy.health().disk_free.unwrap() > 0);
    let store = Store::new(backend, full(LowWater::Bytes(u64::MAX))).unwrap();
    let kv = store.kv("kv");
    let refused = kv.put("p", b"k2", "v", &[]).unwrap().wait().await;
    assert!(matches!(refused, Err(StoreError::DiskFull { needed: u64::MAX, .. })));
    assert!(matches!(
        store.archive("a").append("p", 1, "", "").unwrap().1.wait().await,
        Err(StoreError::DiskFull { .. })
    ));
    assert!(store.health().disk_full && !store.health().is_writable());
    assert_eq!(kv.partition("p").await.unwrap().len().unwrap(), 1, "a refused write does not show");
    kv.delete("p", b"k").wait().await.unwrap();
    assert_eq!(kv.partition("p").await.unwrap().len().unwrap(), 0);
    store.barrier().await.unwrap();
}

#[tokio::test]
async fn closing_commits_what_was_submitted() {
    let backend = Fragile::new();
    let store = store(&backend, Duration::from_secs(60));
    let tickets: Vec<_> = (0..10).map(|key| store.submit(one(key))).collect();
    store.close();
    for ticket in tickets {
        ticket.wait().await.unwrap();
    }
    assert!(matches!(store.submit(one(1)).wait().await, Err(StoreError::Closed)));
    assert!(matches!(store.barrier().await, Err(StoreError::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loading_beside_writing_misses_nothing() {
    for round in 0..200u32 {
        let backend = Fragile::new();
        let store = store(&backend, Duration::from_micros(u64::from(round % 5) * 100));
        let kv = store.kv("kv");
        let writer = tokio::spawn({
            let kv = kv.clone();
            async move {
                for key in 0..30u8 {
                    let _ = kv.put("p", &[key], vec![key], &[("i", b"x")]).unwrap();
                    if key % 7 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
        let loads: Vec<_> = (0..4)
            .map(|_| {
                let kv = kv.clone();
                tokio::spawn(async move { kv.partition("p").await.unwrap() })
            })
            .collect();
        writer.await.unwrap();
        for load in loads {
            let partition = load.await.unwrap();
            assert_eq!(partition.len().unwrap(), 30);
            assert_eq!(partition.with_index("i", b"x", 100).unwrap().len(), 30);
        }
    }
}

#[tokio::test]
async fn who_has_written_nothing_has_nothing_to_wait_for() {
    let options = Options { window: Duration::from_millis(100), ..Options::default() };
    let store = Store::new(memory(), options).unwrap();
    assert_eq!(store.settled(), Some(true));
    let (_, ticket) = store.archive("a").append("p", 1, "", "").unwrap();
    assert_eq!(store.settled(), None);
    ticket.wait().await.unwrap();
    assert_eq!(store.settled(), Some(true));
    let mut turn = store.turn();
    turn.set_class(Class::Relaxed);
    turn.put(store.table("k"), "p", b"a", "b", &[]).unwrap();
    store.submit_turn(turn).wait().await.unwrap();
    assert_eq!(store.settled(), Some(true), "relaxed writes are acknowledged at once");
}
