//! What a chat message costs between framing and the queue.
//! `cargo run --release -p xylem-stanza --example stanza_cost`

#[path = "../../xml/tests/counting/mod.rs"]
mod counting;

use std::hint::black_box;
use std::time::Instant;

use counting::allocations;
use xylem_stanza::{FullJid, Jid, Stanza, StanzaError, ns};
use xylem_xml::Element;

const CHAT: &str = "<message to='juliet@example.com/balcony' type='chat' id='a4f7c2d0-1b5e'>\
    <body>Art thou not Romeo, and a Montague? Neither, fair saint</body>\
    <active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>\
    <origin-id xmlns='urn:xmpp:sid:0' id='a4f7c2d0-1b5e'/></message>";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let element = Element::parse_in(CHAT, ns::CLIENT)?;
    let _shared = element.tail();
    let from = FullJid::parse("romeo@example.net/orchard")?;
    let stanza = Stanza::from_element(element.clone())?.with_from(&from);
    measure("address parsed", || Jid::parse("juliet@example.com/balcony"));
    measure("address in other scripts parsed", || Jid::parse("\u{3C0}@m\u{FC}nchen.example/\u{265A}"));
    measure("head understood", || Stanza::from_element(element.clone()));
    measure("sender stamped", || stanza.with_from(&from));
    measure("written for one recipient", || stanza.outgoing());
    measure("packed for plugins", || stanza.with_from(&from).packed());
    measure("child inserted", || -> Result<_, StanzaError> {
        stanza.insert_child("<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.com' id='28482-98726-73623'/>")
    });
    Ok(())
}

/// The best of some batches: the others waited for somebody else.
fn measure<T>(what: &str, mut work: impl FnMut() -> T) {
    const ROUNDS: u32 = 5_000;
    let mut batch = || {
        let begin = Instant::now();
        (0..ROUNDS).for_each(|_| drop(black_box(work())));
        begin.elapsed() / ROUNDS
    };
    batch();
    let before = allocations();
    let best = (0..20).map(|_| batch()).min().unwrap_or_default();
    let count = (allocations() - before) as f64 / f64::from(20 * ROUNDS);
    println!("{what:<32} {:>7} ns  {count:>5.2} allocations", best.as_nanos());
}
