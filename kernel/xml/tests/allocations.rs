//! What a message costs in allocations, pinned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod counting;

use counting::allocations;
use xylem_xml::{Element, Frame, Framer, Limits};

const HEADER: &[u8] = b"<stream:stream to='example.com' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const CHAT: &[u8] = b"<message xmlns='jabber:client' to='juliet@example.com/balcony' type='chat' \
    id='a4f7c2d0-1b5e'><body>Art thou not Romeo, and a Montague? Neither, fair saint</body>\
    <active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>\
    <origin-id xmlns='urn:xmpp:sid:0' id='a4f7c2d0-1b5e'/></message>";

fn element(framer: &mut Framer, bytes: &[u8]) -> Element {
    framer.feed(bytes);
    match framer.next_frame() {
        Ok(Some(Frame::Element(element))) => element,
        other => panic!("{other:?}"),
    }
}

fn open() -> Framer {
    let mut framer = Framer::new(Limits::default());
    framer.feed(HEADER);
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    framer
}

fn counted<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = allocations();
    let result = work();
    (allocations() - before, result)
}

#[test]
fn a_chat_message_takes_two_allocations() {
    let mut framer = open();
    let (n, message) = counted(|| element(&mut framer, CHAT));
    // Its bytes, its index.
    assert_eq!(n, 2);
    let (n, _) = counted(|| message.clone());
    assert!(n <= 1, "sharing bytes for the first time takes one: {n}");
    let (n, _) = counted(|| (message.clone(), message.tail(), message.inner()));
    assert_eq!(n, 0);
}

#[test]
fn reading_takes_none() {
    let message = element(&mut open(), CHAT);
    let (n, ok) = counted(|| {
        let root = message.root();
        root.attr("to").is_some()
            && root.child("jabber:client", "body").is_some_and(|b| !b.text().is_empty())
            && message.nodes().all(|n| n.attrs().all(|a| !a.value().is_empty()))
    });
    assert!(ok);
    assert_eq!(n, 0);
}

#[test]
fn messages_that_arrive_together_take_two_each() {
    let mut framer = open();
    framer.feed(&CHAT.repeat(100));
    let (n, seen) = counted(|| {
        let frames = std::iter::from_fn(|| framer.next_frame().unwrap());
        frames.map(std::hint::black_box).count()
    });
    assert_eq!(seen, 100);
    assert!(n <= 200, "{n}");
}
