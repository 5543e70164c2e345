//! The first byte says how the rest is cut and which limits apply.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xylem_xml::{Element, Frame, Framer, Limits, Node};

fuzz_target!(|data: &[u8]| {
    let Some((&mode, stream)) = data.split_first() else {
        return;
    };
    let limits = match mode & 3 {
        0 => Limits::default(),
        1 => Limits::before_auth(),
        _ => Limits {
            stanza_bytes: 64,
            depth: 3,
            attributes: 3,
            name_bytes: 8,
        },
    };
    let whole = frames(&[stream], limits);
    let size = usize::from(mode >> 2).max(1);
    let pieces: Vec<&[u8]> = stream.chunks(size).collect();
    assert_eq!(whole, frames(&pieces, limits));
});

fn frames(pieces: &[&[u8]], limits: Limits) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut seen = Vec::new();
    for piece in pieces {
        framer.feed(piece);
        loop {
            match framer.next_frame() {
                Ok(None) => break,
                Ok(Some(Frame::Whitespace)) => {}
                Ok(Some(Frame::Close)) => seen.push("close".to_owned()),
                Ok(Some(Frame::Open(header))) => seen.push(meaning(header.root())),
                Ok(Some(Frame::Element(element))) => seen.push(check(&element)),
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            }
        }
        assert!(framer.buffered() <= limits.stanza_bytes);
        assert!(framer.buffered() > 0 || framer.capacity() == 0);
    }
    seen
}

fn check(element: &Element) -> String {
    let meant = meaning(element.root());
    for node in element.nodes() {
        assert_eq!(element.as_str().get(node.range()), Some(node.xml()));
        if let Ok(alone) = Element::parse(&node.to_xml_string()) {
            assert_eq!(meaning(alone.root()), meaning(node));
        }
    }
    meant
}

fn meaning(node: Node<'_>) -> String {
    let attrs: Vec<_> = node.attrs().collect();
    let children: Vec<_> = node.children().map(meaning).collect();
    format!("{} {} {attrs:?} {:?} {children:?}", node.ns(), node.name(), node.text())
}
