//! Feeding a framer and writing down what it says.

use xylem_xml::{Element, Frame, Framer, Limits, Node, XmlError};

pub(crate) const HEADER: &str = "<?xml version='1.0'?><stream:stream to='example.com' \
    version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// What a stream turned out to be: one line per frame, the error last.
pub(crate) fn transcript(pieces: &[&[u8]], limits: Limits) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut lines = Vec::new();
    for piece in pieces {
        framer.feed(piece);
        if !drain(&mut framer, &mut lines) {
            assert!(framer.next_frame().is_err(), "an error stays");
            assert_eq!(framer.buffered(), 0);
            break;
        }
        assert!(framer.buffered() <= limits.stanza_bytes);
        if framer.buffered() == 0 {
            assert_eq!(framer.capacity(), 0, "idle framers hold no memory");
        }
    }
    lines
}

fn drain(framer: &mut Framer, lines: &mut Vec<String>) -> bool {
    loop {
        let line = match framer.next_frame() {
            Ok(None) => return true,
            Ok(Some(Frame::Whitespace)) => continue,
            Ok(Some(Frame::Close)) => "close".to_owned(),
            Ok(Some(Frame::Element(element))) => describe(&element),
            Ok(Some(Frame::Open(header))) => format!(
                "open {{{}}}{} {:?} {:?}",
                header.ns(),
                header.name(),
                header.scope(),
                header.root().attrs().collect::<Vec<_>>()
            ),
            Err(error) => {
                lines.push(format!("error {error}"));
                return false;
            }
        };
        lines.push(line);
    }
}

/// Everything an element says, its spelling included.
pub(crate) fn describe(element: &Element) -> String {
    format!("{} = {}", element.as_str(), meaning(element.root()))
}

/// Everything a node means, whatever its spelling.
pub(crate) fn meaning(node: Node<'_>) -> String {
    let mut attrs: Vec<String> = node.attrs().map(|a| format!("{a:?}")).collect();
    attrs.sort();
    let children: Vec<String> = node.children().map(meaning).collect();
    let (ns, name) = (node.ns(), node.name());
    format!("({{{ns}}}{name} {attrs:?} {:?} {children:?})", node.text())
}

pub(crate) fn whole(text: &str) -> Vec<String> {
    transcript(&[text.as_bytes()], Limits::default())
}

/// The error that a stream ends in.
pub(crate) fn failure(text: &[u8], limits: Limits) -> Option<XmlError> {
    let mut framer = Framer::new(limits);
    framer.feed(text);
    loop {
        match framer.next_frame() {
            Ok(None) => return None,
            Ok(Some(_)) => {}
            Err(error) => return Some(error),
        }
    }
}
