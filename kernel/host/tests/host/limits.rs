//! Looping, crashing, eating, flooding: one call is lost, nobody else is disturbed.

use std::time::{Duration, Instant};

use xylem_hooks::{IqOutcome, Verdict};
use xylem_host::State;

use crate::stage::{ALL, KEY, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_ends_at_its_deadline_and_the_next_call_is_served() {
    let stage = Stage::with("t", &format!("[run]\ndeadline = \"20ms\"\n{ALL}"));
    stage.hook("warm").await;
    let before = Instant::now();
    assert_eq!(stage.hook("do:put:a=1 do:loop").await.verdict, Verdict::Pass);
    assert!(before.elapsed() < Duration::from_secs(2), "took {:?}", before.elapsed());
    assert_eq!(stage.row(KEY, "a").await, None);
    stage.hook("do:put:a=2").await;
    assert_eq!(stage.row(KEY, "a").await.as_deref(), Some("2"));
    let info = stage.info("t");
    assert_eq!(info.faults, 1);
    assert!(info.last_fault.unwrap().1.contains("out of time"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_looping_plugin_does_not_hold_the_runtime_twice() {
    let stage = Stage::with("t", &format!("[run]\ndeadline = \"500ms\"\nshards = 8\n{ALL}"));
    stage.hook_of("a@example.org", 0, "do:loop").await;
    // From now on its calls run aside: timers of this runtime stay punctual while two of them loop.
    let loops = ["b@example.org", "c@example.org"].map(|key| {
        let (host, index) = (stage.host.clone(), stage.plugin("t"));
        tokio::spawn(async move {
            let stanza = crate::stage::message("do:loop");
            xylem_hooks::Plugins::hook(&*host, index, 0, 0, &crate::stage::cause(key), &stanza).get().await
        })
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut worst = Duration::ZERO;
    for _ in 0..10 {
        let before = Instant::now();
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        worst = worst.max(before.elapsed());
    }
    assert!(worst < Duration::from_millis(400), "a neighbour waited {worst:?}");
    for looped in loops {
        assert_eq!(looped.await.unwrap().verdict, Verdict::Pass);
    }
}

#[tokio::test]
async fn crashes_deep_stacks_and_hunger_cost_one_call() {
    let stage = Stage::with("t", &format!("[run]\nmemory = \"4MiB\"\ndeadline = \"1s\"\n{ALL}"));
    for (n, (trick, why)) in [("crash", "crashed"), ("stack", "crashed"), ("eat", "out of memory")].iter().enumerate() {
        let key = format!("k{n}@example.org");
        assert_eq!(stage.hook_of(&key, 0, &format!("do:put:a=1 do:{trick}")).await.verdict, Verdict::Pass);
        let info = stage.info("t");
        assert_eq!(info.faults, 1, "{trick}");
        assert!(info.last_fault.as_ref().unwrap().1.contains(why), "{trick}: {:?}", info.last_fault);
        assert_eq!(stage.row(&key, "a").await, None, "{trick}");
        stage.hook_of(&key, 0, "do:put:a=2").await;
        assert_eq!(stage.row(&key, "a").await.as_deref(), Some("2"), "{trick}");
        // Trust it again, so that the three do not count together.
        stage.host.enable("t", None).unwrap();
        stage.install("tricks", "t", &format!("[run]\nmemory = \"4MiB\"\ndeadline = \"1s\"\n{ALL}"));
    }
}

#[tokio::test]
async fn screens_fail_closed_observers_and_others_are_bypassed() {
    let stage = Stage::with("t", ALL);
    let Verdict::Reject(failure) = stage.hook_of("a@b", 1, "do:crash").await.verdict else { panic!("passed") };
    assert_eq!(failure.condition.as_str(), "internal-server-error");
    assert_eq!(failure.kind.unwrap().as_str(), "wait");
    assert_eq!(stage.hook_of("c@d", 2, "do:crash").await.verdict, Verdict::Pass);
    let refusing = Stage::with("t", &format!("[run]\non-fault = \"refuse\"\n{ALL}"));
    assert!(matches!(refusing.hook("do:crash").await.verdict, Verdict::Reject(_)));
}

#[tokio::test]
async fn many_faults_close_the_plugin_for_a_while() {
    let stage = Stage::with("t", ALL);
    for key in ["a@b", "c@d", "e@f"] {
        stage.hook_of(key, 0, "do:crash").await;
    }
    assert!(matches!(stage.info("t").state, State::BackingOff { .. }));
    assert_eq!(stage.iq("").await, IqOutcome::Unavailable);
    assert!(matches!(stage.hook_of("g@h", 1, "x").await.verdict, Verdict::Reject(_)));
    assert_eq!(stage.info("t").refused, 2);
    stage.clock.forward(1_000);
    assert_eq!(stage.iq("").await, IqOutcome::Handled);
    assert_eq!(stage.info("t").state, State::Running);
}

#[tokio::test]
async fn a_bad_key_is_left_out_alone() {
    let stage = Stage::with("t", ALL);
    for _ in 0..3 {
        assert_eq!(stage.iq("do:crash").await, IqOutcome::Failed);
    }
    assert_eq!(stage.iq("").await, IqOutcome::Unavailable);
    assert_eq!(stage.info("t").quarantined, [KEY]);
    assert!(matches!(stage.hook_of("other@b", 1, "x").await.verdict, Verdict::Pass));
}

#[tokio::test]
async fn the_outbox_has_a_bottom() {
    let stage =
        Stage::with("t", &format!("[run]\noutbox = {{ count = 50, bytes = \"1MiB\" }}\ndeadline = \"1s\"\n{ALL}"));
    stage.hook("do:flood").await;
    assert_eq!(stage.row(KEY, "sent").await.as_deref(), Some("50"));
    assert_eq!(stage.released(50).await.len(), 50);
    let stage =
        Stage::with("t", &format!("[run]\noutbox = {{ count = 100000, bytes = \"1KiB\" }}\ndeadline = \"1s\"\n{ALL}"));
    stage.hook("do:flood").await;
    let sent: usize = stage.row(KEY, "sent").await.unwrap().parse().unwrap();
    assert!((1..30).contains(&sent), "{sent}");
}

#[tokio::test]
async fn values_rows_and_log_lines_are_bounded() {
    let stage = Stage::with("t", &format!("[run]\nlog-rate = 5\ndeadline = \"1s\"\n{ALL}"));
    stage.hook("do:big").await;
    assert!(stage.fault().await.contains("Invalid"), "{}", stage.fault().await);
    stage.hook("do:many").await;
    let stored: usize = stage.fault().await.parse().unwrap_or_default();
    assert!((90..=100).contains(&stored) || stored == 0, "{stored}");
    stage.hook("do:logflood").await;
    assert_eq!(stage.info("t").log_dropped, 10_000 - 5);
}
