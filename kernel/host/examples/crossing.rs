//! What one call into a plugin costs, on this machine, in nanoseconds.
//!
//! `cargo run --release -p xylem-host --example crossing -- <bare.wasm>` with the core
//! module of `tests/guests/bare`, built by
//! `cargo build --release --target wasm32-unknown-unknown` there. Three rows: the
//! head of a stanza and a pass; the same with one question asked of the store; and a
//! stanza that no plugin asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "an example")]

use std::sync::Arc;
use std::time::Instant;

use xylem_hooks::call::{Cause, Plugins};
use xylem_hooks::{Done, HookPoint, Next, Party, Phase, Verdict, Views};
use xylem_host::{Host, HostConfig, NoAccounts, Package, Settings};
use xylem_session::SessionTable;
use xylem_stanza::{Jid, Stanza};
use xylem_store::Store;

const MANIFEST: &str = r#"
[plugin]
id = "bare"
version = "1"
api = "xylem:plugin@0.1"
summary = "Costs"
license = "MIT OR Apache-2.0"
[match]
mark = "{urn:mark}mark"
[[hook]]
on = "message.in"
phase = "record"
handler = "pass"
[[hook]]
on = "message.in"
phase = "record"
handler = "ask_and_pass"
[[hook]]
on = "message.out"
phase = "record"
handler = "seldom"
when = "mark"
[[store]]
name = "settings"
shape = "kv"
"#;

struct NoRows;

impl Views for NoRows {
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

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let module = std::env::args().nth(1).expect("the core module of tests/guests/bare");
    let module = std::fs::read(module).expect("a readable module");
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let sessions = Arc::new(SessionTable::new(xylem_session::Limits::default()));
    let host =
        Host::new(HostConfig::new(&["example.org"]), Store::memory().unwrap(), sessions, Arc::new(NoAccounts)).unwrap();
    host.install(Package::new("bare", component, MANIFEST).unwrap(), Settings::default()).unwrap();
    let stanza = Stanza::parse(
        "<message type='chat' id='a1b2c3' from='juliet@example.org/balcony' to='romeo@example.org' xml:lang='en'><body>Wherefore art thou, Romeo?</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>",
    )
    .unwrap();
    let plan = host.plan("example.org").unwrap();
    let (index, _) = plan.plugins().next().unwrap();
    let cause = Cause {
        domain: "example.org".into(),
        key: "romeo@example.org".into(),
        actor: None,
        peer: None,
        hops: 0,
        note: None,
    };
    for entry in 0..2 {
        // The first call makes the instance, the second finds the rows it needs.
        let _ = host.hook(index, entry, 0, &cause, &stanza).get().await;
        let _ = host.hook(index, entry, 0, &cause, &stanza).get().await;
    }
    let call = |entry| match host.hook(index, entry, 0, &cause, &stanza) {
        Done::Ready(outcome) => assert!(outcome.verdict == Verdict::Pass),
        Done::Later(_) => panic!("had to wait"),
    };
    measure("head, pass", || call(0));
    measure("head, one question, pass", || call(1));
    measure("packing alone (once per stanza)", || {
        std::hint::black_box(stanza.readdressed(stanza.from().cloned(), stanza.to().cloned()).packed());
    });
    let party = Party { key: "juliet@example.org", domain: "example.org", peer: stanza.to() };
    measure("nobody asked", || {
        let mut walk = plan.point(HookPoint::MessageOut).walk(std::hint::black_box(&stanza));
        assert!(matches!(walk.next(Phase::Observe, &party, &NoRows), Next::Done));
    });
    measure("nobody is there", || {
        let mut walk = plan.point(HookPoint::MessageFallback).walk(std::hint::black_box(&stanza));
        assert!(matches!(walk.next(Phase::Observe, &party, &NoRows), Next::Done));
    });
}

/// Median and smallest of 51 samples of 20,000 calls.
fn measure(what: &str, mut call: impl FnMut()) {
    const CALLS: u32 = 20_000;
    let mut samples: Vec<f64> = (0..51)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            started.elapsed().as_nanos() as f64 / f64::from(CALLS)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let at = |n: usize| samples.get(n).copied().unwrap_or_default();
    println!("{what:34} min {:7.0} ns  median {:7.0} ns", at(0), at(25));
}
