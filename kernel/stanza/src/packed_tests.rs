#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::Jid;

/// A reader written from the description alone.
struct View<'a>(&'a Packed);

impl<'a> View<'a> {
    fn span(&self, at: usize) -> Option<&'a str> {
        let (start, len) = (self.0.index[at], self.0.index[at + 1] as usize);
        (start != ABSENT).then(|| &self.0.text[start as usize..start as usize + len])
    }

    fn record(&self, k: usize) -> usize {
        let count = self.0.index[1] as usize;
        let base = self.0.index[13] as usize;
        self.0.index[base - count + k] as usize
    }

    fn attrs(&self, record: usize) -> Vec<(&'a str, Option<&'a str>, &'a str)> {
        let count = self.0.index[record + 8] as usize;
        (0..count)
            .map(|i| {
                let at = record + 9 + 6 * i;
                (self.span(at).unwrap(), self.span(at + 2), self.span(at + 4).unwrap())
            })
            .collect()
    }
}

#[test]
fn the_example_of_the_description() {
    let stanza = Stanza::parse(
        "<message from='romeo@example.net/orchard' to='juliet@example.com' type='chat' id='m1'>\
         <body>Ay &amp; no</body></message>",
    )
    .unwrap();
    let packed = stanza.packed();
    assert_eq!(packed.index[..16], [1, 2, 0, 0, 4, 4, 2, 6, 25, 31, 18, ABSENT, 0, 16, 16, 49]);
    assert!(packed.text.starts_with("chatm1romeo@example.net/orchardjuliet@example.commessagejabber:clientfromto"));
    let view = View(&packed);
    let body = view.record(1);
    assert_eq!(packed.index[body], 0);
    assert_eq!(view.span(body + 2), Some("body"));
    assert_eq!(view.span(body + 4), Some("jabber:client"));
    assert_eq!(view.span(body + 6), Some("Ay & no"));
    assert_eq!(packed.index[body + 4], packed.index[16 + 4], "one span");
    assert_eq!(body + packed.index[body + 1] as usize, packed.index.len());
}

#[test]
fn the_root_shows_the_head() {
    let stanza =
        Stanza::parse("<presence from='old@a/b' xml:lang='de' x='1'><c a='2' xml:lang='en'/></presence>").unwrap();
    let jid = Jid::parse("new@a/b").unwrap();
    let stanza = stanza.with_from(jid.full().unwrap()).with_to(jid.bare());
    let packed = stanza.packed();
    let view = View(&packed);
    assert_eq!(view.span(3), None);
    assert_eq!(view.span(7), Some("new@a/b"));
    assert_eq!(view.span(9), Some("new@a"));
    assert_eq!(view.span(11), Some("de"));
    let xml = Some(ns::XML);
    assert_eq!(
        view.attrs(view.record(0)),
        [("from", None, "new@a/b"), ("to", None, "new@a"), ("lang", xml, "de"), ("x", None, "1")]
    );
    assert_eq!(view.attrs(view.record(1)), [("a", None, "2"), ("lang", xml, "en")]);
}

#[test]
fn the_language_of_the_stream_is_in_the_header() {
    let stanza = Stanza::parse("<message/>").unwrap().with_default_lang("fr");
    assert_eq!(View(&stanza.packed()).span(11), Some("fr"));
}

#[test]
fn parents_and_texts_of_a_tree() {
    let element =
        Element::parse("<a>1<b xmlns='u'>2<c>3</c>4<![CDATA[<5>]]></b>6<d xmlns='u' xmlns:p='u' p:q='&lt;'/></a>")
            .unwrap();
    let packed = packed_of(&element);
    let view = View(&packed);
    assert_eq!(packed.index[2], 3);
    let seen: Vec<_> = (0..4)
        .map(|k| {
            let r = view.record(k);
            (packed.index[r], view.span(r + 2).unwrap(), view.span(r + 4).unwrap(), view.span(r + 6).unwrap())
        })
        .collect();
    assert_eq!(seen, [(ABSENT, "a", "", "16"), (0, "b", "u", "24<5>"), (1, "c", "u", "3"), (0, "d", "u", "")]);
    assert_eq!(view.attrs(view.record(3)), [("q", Some("u"), "<")]);
    let (b, d) = (view.record(1), view.record(3));
    assert_eq!(packed.index[b + 4], packed.index[d + 4]);
    assert_eq!(packed.index[b + 4], packed.index[d + 9 + 2]);
}

#[test]
fn many_namespaces_still_share_spans() {
    let children: String = (0..200).map(|i| format!("<c xmlns='urn:{}'/>", i % 50)).collect();
    let element = Element::parse(&format!("<a>{children}</a>")).unwrap();
    let packed = packed_of(&element);
    let view = View(&packed);
    for k in 1..=50 {
        let (one, other) = (view.record(k), view.record(k + 150));
        assert_eq!(packed.index[one + 4], packed.index[other + 4]);
    }
}

#[test]
fn packing_happens_once() {
    let stanza = Stanza::parse("<message/>").unwrap();
    assert!(Arc::ptr_eq(&stanza.packed(), &stanza.packed()));
    assert!(Arc::ptr_eq(&stanza.packed(), &stanza.clone().packed()));
}

use std::sync::Arc;
