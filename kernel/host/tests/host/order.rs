//! One key at a time and in order, different keys side by side.

use std::sync::Arc;
use std::time::Instant;

use xylem_hooks::Plugins;

use crate::stage::{ALL, KEY, Stage, cause, message, sent};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_one_key_never_meet() {
    for model in ["keyed", "pooled", "fresh"] {
        let stage = Arc::new(Stage::with("t", &format!("[run]\nmodel = \"{model}\"\ndeadline = \"1s\"\n{ALL}")));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let stage = Arc::clone(&stage);
                tokio::spawn(async move {
                    for _ in 0..25 {
                        stage.hook("do:count").await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(stage.row(KEY, "n").await.as_deref(), Some("100"), "{model}: an update was lost");
        let numbers: Vec<u32> = stage
            .released(100)
            .await
            .iter()
            .map(|effect| sent(effect).split("<body>").nth(1).unwrap().split('<').next().unwrap().parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "{model}: sends out of order: {numbers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_rows_is_not_overtaken_by_its_key() {
    let stage = Stage::with("t", ALL);
    // The first call teaches the host which rows this entry touches.
    stage.hook_of("teacher@example.org", 0, "do:count").await;
    let index = stage.plugin("t");
    // Made one after the other, without waiting: the rows of this key are not in memory.
    let calls: Vec<_> =
        (0..10).map(|n| stage.host.hook(index, 0, 0, &cause(KEY), &message(&format!("do:plainsend:n{n}e")))).collect();
    let mut tasks: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.get())).collect();
    for task in tasks.drain(..) {
        task.await.unwrap();
    }
    let all: Vec<_> = stage.released(11).await.iter().map(sent).collect();
    let order: Vec<_> = (0..10).map(|n| all.iter().position(|xml| xml.contains(&format!("n{n}e"))).unwrap()).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn different_keys_run_side_by_side() {
    let stage = Arc::new(Stage::with("t", &format!("[run]\nshards = 16\ndeadline = \"1s\"\n{ALL}")));
    stage.hook("do:busy:1").await;
    let before = Instant::now();
    let index = stage.plugin("t");
    let busy = |key: &'static str| {
        let host = Arc::clone(&stage.host);
        std::thread::spawn(move || {
            let started = Instant::now();
            for _ in 0..5 {
                let done = host.hook(index, 0, 0, &cause(key), &message("do:busy:20"));
                assert!(matches!(done, xylem_hooks::Done::Ready(_)));
            }
            (started, Instant::now())
        })
    };
    let spans: Vec<_> = ["a@x", "b@x"].map(busy).into_iter().map(|thread| thread.join().unwrap()).collect();
    let overlap = spans[0].1.min(spans[1].1).saturating_duration_since(spans[0].0.max(spans[1].0));
    assert!(!overlap.is_zero(), "one after the other, in {:?}", before.elapsed());
}
