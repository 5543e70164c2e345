//! What a session costs that waits for its client: neither socket nor TLS nor framer.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "c2s/client.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod client;
#[path = "c2s/server.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod server;

use std::time::Duration;

use client::{Client, tls_config};
use server::{Options, Running, start};
use xylem_net::admission::AdmissionLimits;

/// Sessions that come and lose their connection together.
const BATCH: usize = 200;
/// Bytes of resident memory per session; 6 KiB is what was promised.
const MOST: usize = 6 * 1024;

async fn come_and_go(running: &Running) {
    for _ in 0..BATCH {
        let client = Client::connect(running.direct()).await;
        let mut client = client.direct(tls_config(&[running.certificate()])).await;
        client.anonymous().await;
        client.bind("a").await;
        client.send("<presence/><enable xmlns='urn:xmpp:sm:3' resume='true'/>").await;
        client.until("resume='true'").await;
    }
}

async fn until_waiting(running: &Running, sessions: usize) {
    for _ in 0..2000 {
        if running.server.context().hibernation.waiting() == sessions {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} wait", running.server.context().hibernation.waiting());
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_waits_is_small() {
    let admission = AdmissionLimits { total: 10_000, ..AdmissionLimits::default() };
    let running = start(Options { admission, ..Options::default() });
    // The first batches leave behind what connections of later ones use again.
    let mut grown = Vec::new();
    let mut before = resident();
    for batch in 1..=4 {
        come_and_go(&running).await;
        until_waiting(&running, batch * BATCH).await;
        let now = resident();
        grown.push(now.saturating_sub(before) / BATCH);
        before = now;
    }
    println!("bytes per session that waits, client and connection of the test included in the first: {grown:?}");
    let best = grown[1..].iter().min().unwrap();
    assert!(*best <= MOST, "{grown:?}");
}
