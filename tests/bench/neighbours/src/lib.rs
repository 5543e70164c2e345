//! A plugin that misbehaves when it is asked to: for measuring what its neighbours notice.

use xylem_sdk::outbox;
use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

fn bad(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    match iq.payload().map(|payload| payload.name()) {
        Some("loop") => loop {
            std::hint::black_box(());
        },
        Some("crash") => panic!("on request"),
        Some("eat") => eat(),
        _ => flood(),
    }
}

fn eat() -> Result<Reply, Failure> {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![1; 1 << 20]);
    }
}

/// More than any outbox takes.
fn flood() -> Result<Reply, Failure> {
    for _ in 0..20_000 {
        outbox::send(Xml::iq("get", "x").attr("to", "u0@localhost"))?;
    }
    Ok(Reply::empty())
}
