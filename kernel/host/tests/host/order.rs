//! One key at a time and in order, different keys side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    let stage = Stage::with("t", &format!("[run]\nshards = 64\ndeadline = \"1s\"\nwall = \"30s\"\n{ALL}"));
    let index = stage.plugin("t");
    let ended = Arc::new(AtomicBool::new(false));
    let long = {
        let (host, ended) = (Arc::clone(&stage.host), Arc::clone(&ended));
        std::thread::spawn(move || {
            let done = host.hook(index, 0, 0, &cause("long@example.org"), &message("do:busy:100"));
            assert!(matches!(done, xylem_hooks::Done::Ready(_)));
            ended.store(true, Ordering::SeqCst);
        })
    };
    std::thread::sleep(std::time::Duration::from_millis(10));
    // One of them may share a shard with the long call, but not all.
    let short: Vec<_> = (0..8)
        .map(|n| {
            let (host, ended) = (Arc::clone(&stage.host), Arc::clone(&ended));
            std::thread::spawn(move || {
                let _ = host.hook(index, 0, 0, &cause(&format!("short{n}@example.org")), &message("x"));
                !ended.load(Ordering::SeqCst)
            })
        })
        .collect();
    let before: usize = short.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum();
    long.join().unwrap();
    assert!(before >= 4, "only {before} of 8 did not wait for another key");
}

/// A room says the same in the same order to everybody, whoever spoke.
#[tokio::test]
async fn what_takes_long_to_get_out_is_not_overtaken_by_its_key() {
    let stage = Arc::new(Stage::with("t", ALL));
    let (open, held) = tokio::sync::oneshot::channel();
    *stage.written.held.lock().unwrap() = Some(held);
    let say = |word: &'static str| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.hook(&format!("do:plainsend:{word}")).await })
    };
    let first = say("first");
    tokio::time::sleep(Duration::from_millis(30)).await;
    let second = say("second");
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(stage.effects().is_empty(), "overtaken");
    assert!(!second.is_finished(), "a sender goes on before what it caused is out");
    open.send(()).unwrap();
    first.await.unwrap();
    second.await.unwrap();
    let sent: Vec<_> = stage.released(2).await.iter().map(sent).collect();
    assert!(sent[0].contains("first") && sent[1].contains("second"), "{sent:?}");
}
