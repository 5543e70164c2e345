//! The form in which a stanza crosses into a plugin.

use std::borrow::Cow;
use std::collections::HashMap;

use xylem_xml::{Element, Node};

use crate::{Kind, Stanza, ns};

/// The layout described at [`Packed`].
pub const LAYOUT: u32 = 1;
/// Words before the table of records.
const HEADER: usize = 14;
/// Up to this many namespaces are searched one by one.
const FEW: usize = 16;
/// Offset of a span that is not there.
pub const ABSENT: u32 = u32::MAX;

/// A stanza as one string and one list of numbers, so that a guest reads it
/// without parsing and it crosses in one piece.
///
/// A *span* is two numbers, offset and length in bytes of `text`; *absent* is
/// offset `u32::MAX`, length 0. Everything in `text` is resolved: no
/// references, no escapes. Layout version 1 of `index`:
///
/// | words | |
/// |---|---|
/// | 0 | layout version, 1 |
/// | 1 | number of elements *N* |
/// | 2 | kind: 0 message, 1 presence, 2 IQ, 3 other |
/// | 3, 4 | span of the type; absent for `normal` and available |
/// | 5, 6 | span of the id |
/// | 7, 8 | span of the sender |
/// | 9, 10 | span of the addressee |
/// | 11, 12 | span of `xml:lang` |
/// | 13 | *B*, the word where the records begin |
/// | *B*-*N* … *B*-1 | the word where record 0 … *N*-1 begins |
/// | *B* … | the records, in document order |
///
/// A reader finds the records through word 13, so the header can grow. A
/// record, record 0 being the stanza itself:
///
/// | words | |
/// |---|---|
/// | 0 | number of the parent; `u32::MAX` for the stanza |
/// | 1 | words of this record |
/// | 2, 3 | span of the local name |
/// | 4, 5 | span of the namespace; empty, not absent, for none |
/// | 6, 7 | span of the direct text, put together; empty for none |
/// | 8 | number of attributes *A* |
/// | 9 + 6*i* … | spans of name, namespace (absent for none) and value |
///
/// Equal namespaces share one span, so comparing offsets is enough. The content
/// namespace is `jabber:client`. Declarations are not attributes. Addresses are
/// those of the head: prepared, and stamped by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// All names, namespaces, values and texts.
    pub text: String,
    /// Where they are.
    pub index: Vec<u32>,
}

/// Packs an element that is not a stanza: kind 3, only `type`, `id`, `from`,
/// `to` and `xml:lang` as its attributes spell them.
#[must_use]
pub fn packed_of(element: &Element) -> Packed {
    let root = element.root();
    let attr = |name| root.attr(name);
    let head = [attr("type"), attr("id"), attr("from"), attr("to"), root.attr_ns(ns::XML, "lang")];
    Packer::new(element).pack(3, head, None)
}

impl Packed {
    /// Packs a stanza. [`Stanza::packed`] does it once and keeps the result.
    pub(crate) fn of(stanza: &Stanza) -> Self {
        let kind = match stanza.kind() {
            Kind::Message => 0,
            Kind::Presence => 1,
            Kind::Iq => 2,
        };
        let head = [
            stanza.type_().as_str().map(Cow::Borrowed),
            stanza.id(),
            stanza.from().map(|j| Cow::Borrowed(j.as_str())),
            stanza.to().map(|j| Cow::Borrowed(j.as_str())),
            stanza.lang(),
        ];
        Packer::new(stanza.element()).pack(kind, head, Some(stanza))
    }
}

/// Offset and length.
type Span = [u32; 2];
const NOWHERE: Span = [ABSENT, 0];

struct Packer<'a> {
    element: &'a Element,
    text: String,
    index: Vec<u32>,
    /// The namespaces seen first, which are nearly always all of them.
    namespaces: Vec<(&'a str, Span)>,
    /// The others: a hostile stanza may hold thousands.
    more: HashMap<&'a str, Span>,
}

impl<'a> Packer<'a> {
    fn new(element: &'a Element) -> Self {
        let bytes = element.as_str().len();
        Self {
            element,
            text: String::with_capacity(bytes + 64),
            index: Vec::with_capacity(HEADER + element.len() * 24),
            namespaces: Vec::new(),
            more: HashMap::new(),
        }
    }

    fn pack(mut self, kind: u32, head: [Option<Cow<'_, str>>; 5], of: Option<&Stanza>) -> Packed {
        let count = self.element.len();
        self.index.extend([LAYOUT, number(count), kind]);
        let spans = head.map(|value| value.map_or(NOWHERE, |v| self.span(&v)));
        self.index.extend(spans.iter().flatten());
        let base = HEADER + count;
        self.index.push(number(base));
        self.index.resize(base, 0);
        for (at, node) in self.element.nodes().enumerate() {
            let begin = self.index.len();
            self.put(HEADER + at, begin);
            let stanza = if at == 0 { of } else { None };
            self.record(node, stanza, &spans);
            self.put(begin + 1, self.index.len() - begin);
        }
        Packed { text: self.text, index: self.index }
    }

    fn record(&mut self, node: Node<'a>, stanza: Option<&Stanza>, head: &[Span; 5]) {
        let parent = node.parent().map_or(ABSENT, |p| number(p.index()));
        self.index.extend([parent, 0]);
        let name = self.span(node.name());
        let namespace = self.namespace(node.ns());
        let text = match node.text() {
            text if text.is_empty() => [0, 0],
            text => self.span(&text),
        };
        self.index.extend([name, namespace, text].iter().flatten());
        let attributes = self.index.len();
        self.index.push(0);
        let mut count = 0usize;
        if stanza.is_some() {
            // What the head says, not what the bytes said.
            let [_, _, from, to, _] = *head;
            for (name, value) in [("from", from), ("to", to)] {
                if value != NOWHERE {
                    let name = self.span(name);
                    self.index.extend([name, NOWHERE, value].iter().flatten());
                    count += 1;
                }
            }
        }
        for attr in node.attrs() {
            let plain = attr.prefix().is_empty();
            if stanza.is_some() && plain && matches!(attr.name(), "from" | "to") {
                continue;
            }
            let name = self.span(attr.name());
            let namespace = match attr.ns() {
                "" => NOWHERE,
                ns => self.namespace(ns),
            };
            let value = self.span(&attr.value());
            self.index.extend([name, namespace, value].iter().flatten());
            count += 1;
        }
        self.put(attributes, count);
    }

    fn span(&mut self, text: &str) -> Span {
        let at = number(self.text.len());
        self.text.push_str(text);
        [at, number(text.len())]
    }

    fn namespace(&mut self, ns: &'a str) -> Span {
        if ns.is_empty() {
            return [0, 0];
        }
        let mut seen = self.namespaces.iter();
        if let Some((_, span)) = seen.find(|(name, _)| *name == ns) {
            return *span;
        }
        if let Some(span) = self.more.get(ns) {
            return *span;
        }
        let span = self.span(ns);
        if self.namespaces.len() < FEW {
            self.namespaces.push((ns, span));
        } else {
            self.more.insert(ns, span);
        }
        span
    }

    fn put(&mut self, at: usize, value: usize) {
        if let Some(word) = self.index.get_mut(at) {
            *word = number(value);
        }
    }
}

/// Everything counted here is smaller than the element, which is below 1 GiB.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(ABSENT)
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
