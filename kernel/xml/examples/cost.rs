//! What framing costs. `cargo run --release -p xylem-xml --example cost`

#[path = "../tests/counting/mod.rs"]
mod counting;

use std::hint::black_box;
use std::time::Instant;

use counting::allocations;
use xylem_xml::{Element, Frame, Framer, Limits};

const HEADER: &str = "<stream:stream to='example.com' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const CHAT: &str = "<message to='juliet@example.com/balcony' type='chat' id='a4f7c2d0-1b5e'>\
    <body>Art thou not Romeo, and a Montague? Neither, fair saint</body>\
    <active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>\
    <origin-id xmlns='urn:xmpp:sid:0' id='a4f7c2d0-1b5e'/></message>";
const PRESENCE: &str = "<presence><show>away</show><priority>5</priority>\
    <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='8lu+88MRxmKM='/></presence>";

fn main() {
    let long = format!("<message><body>{}</body></message>", "long text ".repeat(3000));
    let many = format!("<iq id='1' type='result'><q xmlns='x'>{}</q></iq>", "<i a='1'/>".repeat(1000));
    for (name, xml) in
        [("chat message", CHAT), ("presence", PRESENCE), ("30 KB of text", &long), ("1000 elements", &many)]
    {
        report(name, xml);
    }
}

fn report(name: &str, xml: &str) {
    let rounds = 20_000_000 / (xml.len() as u32 + 200);
    let mut framer = Framer::new(Limits::default());
    framer.feed(HEADER.as_bytes());
    let _ = framer.next_frame();
    measure(&format!("{name} ({} bytes), framed", xml.len()), rounds, || {
        framer.feed(xml.as_bytes());
        matches!(framer.next_frame(), Ok(Some(Frame::Element(_))))
    });
    let Ok(element) = Element::parse_in(xml, "jabber:client") else {
        return;
    };
    measure("    read: names, namespaces, attributes, texts", rounds, || {
        element.nodes().fold(0, |sum, node| {
            let attrs = node.attrs().map(|a| a.name().len() + a.value().len());
            sum + node.name().len() + node.ns().len() + node.text().len() + attrs.sum::<usize>()
        })
    });
}

/// The best of twenty batches: the others waited for somebody else.
fn measure<T>(what: &str, rounds: u32, mut work: impl FnMut() -> T) {
    let rounds = rounds / 20;
    let mut batch = || {
        let begin = Instant::now();
        (0..rounds).for_each(|_| drop(black_box(work())));
        begin.elapsed() / rounds
    };
    batch();
    let before = allocations();
    let best = (0..20).map(|_| batch()).min().unwrap_or_default();
    let count = (allocations() - before) as f64 / f64::from(20 * rounds);
    println!("{what:<50} {:>9} ns  {count:>5.2} allocations", best.as_nanos());
}
