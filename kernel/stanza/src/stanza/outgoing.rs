//! Stanzas on their way out: a new opening tag in front of shared bytes.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use xylem_xml::escape_attr;

use super::Stanza;
use crate::{Jid, ns};

/// What a session's queue holds: bytes ready to be sent, as much of them as can be shared
/// with other recipients of the same stanza. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    body: Body,
    /// Whether it is kept until it is written: if its session ends before, it is not lost.
    pub kept: bool,
    /// If other queues have it as well.
    pub copies: Option<Copies>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    /// An opening tag, and everything behind it.
    Own { head: Bytes, tail: Bytes },
    /// Everything but the addressee is that of all.
    Copy { of: Arc<Common>, to: Jid },
}

/// One stanza in the queues of sessions of an account. If a session ends without having sent
/// it, that is a loss only when all of them did. What is noted of it on disk meanwhile is
/// struck out when one of them has delivered it.
#[derive(Clone, Debug)]
pub struct Copies(Arc<Fate>);

#[derive(Debug)]
struct Fate {
    queues: AtomicUsize,
    delivered: AtomicBool,
    note: OnceLock<Arc<dyn Note>>,
}

/// An entry on disk that stands for a stanza in somebody's memory.
pub trait Note: fmt::Debug + Send + Sync {
    /// Its name.
    fn key(&self) -> &Arc<[u8]>;

    /// The stanza needs it no more. Does not wait; twice is as good as once.
    fn strike(&self);
}

impl Copies {
    /// So many queues have it.
    #[must_use]
    pub fn new(queues: usize) -> Self {
        Self(Arc::new(Fate {
            queues: AtomicUsize::new(queues),
            delivered: AtomicBool::new(false),
            note: OnceLock::new(),
        }))
    }

    /// One copy came back, or was never taken; true if it was the last. To be told once
    /// for each.
    #[must_use]
    pub fn came_back(&self) -> bool {
        self.0.queues.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// One copy has reached its client.
    pub fn delivered(&self) {
        self.0.delivered.store(true, Ordering::SeqCst);
        if let Some(note) = self.0.note.get() {
            note.strike();
        }
    }

    /// Whether nothing has to be noted of it: something is, or it has reached a client.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.0.note.get().is_some() || self.0.delivered.load(Ordering::SeqCst)
    }

    /// It was noted. Of two notes the first counts.
    pub fn note(&self, note: Arc<dyn Note>) {
        if let Err(second) = self.0.note.set(note) {
            second.strike();
        }
        // One of both sees what the other has done, if not both.
        if self.0.delivered.load(Ordering::SeqCst)
            && let Some(note) = self.0.note.get()
        {
            note.strike();
        }
    }

    /// What was noted of it.
    #[must_use]
    pub fn noted(&self) -> Option<Arc<dyn Note>> {
        self.0.note.get().cloned()
    }
}

impl PartialEq for Copies {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Copies {}

impl Outgoing {
    /// Bytes that are ready as they are.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::own(bytes.into(), Bytes::new())
    }

    fn own(head: Bytes, tail: Bytes) -> Self {
        Self { body: Body::Own { head, tail }, kept: false, copies: None }
    }

    /// The same, from a place that keeps it until it is written.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { kept: true, ..self }
    }

    /// The same as one of several copies.
    #[must_use]
    pub fn among(self, copies: Option<Copies>) -> Self {
        Self { copies, ..self }
    }

    /// A message that would be lost with the memory it is in, for whoever is to note it: its
    /// [`Copies`] say where. `None` if it is no message, is kept, or needs no note.
    pub fn to_note(&mut self) -> Option<Self> {
        if self.kept || !self.is_message() {
            return None;
        }
        let copies = self.copies.get_or_insert_with(|| Copies::new(1));
        (!copies.is_safe()).then(|| self.clone())
    }

    /// It has reached its client.
    pub fn delivered(&self) {
        if let Some(copies) = &self.copies {
            copies.delivered();
        }
    }

    /// Number of bytes; a few less where an address has to be escaped.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Own { head, tail } => head.len() + tail.len(),
            Body::Copy { of, to } => of.len() + to.as_str().len(),
        }
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        let start = match &self.body {
            Body::Own { head, .. } => &head[..],
            Body::Copy { of, .. } => of.before.as_bytes(),
        };
        start.starts_with(b"<message")
    }

    /// For a long wait: gives back the spare memory of its own opening tag.
    pub fn shrink(&mut self) {
        if let Body::Own { head, .. } = &mut self.body {
            *head = Bytes::copy_from_slice(head);
        }
    }

    /// Appends the bytes.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match &self.body {
            Body::Own { head, tail } => {
                out.reserve(head.len() + tail.len());
                out.extend_from_slice(head);
                out.extend_from_slice(tail);
            }
            Body::Copy { of, to } => of.write_to(to, out),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        self.write_to(&mut out);
        out
    }
}

/// One stanza on its way to many: everything but the addressee is put together once, and a
/// copy is two counts of owners.
#[derive(Clone, Debug)]
pub struct FanOut(Arc<Common>);

#[derive(Debug, PartialEq, Eq)]
struct Common {
    /// The opening tag up to the addressee, and from there on.
    before: String,
    after: String,
    tail: Bytes,
}

impl FanOut {
    /// The copy for one addressee.
    #[must_use]
    pub fn to(&self, to: &Jid) -> Outgoing {
        Outgoing { body: Body::Copy { of: Arc::clone(&self.0), to: to.clone() }, kept: false, copies: None }
    }
}

impl Common {
    fn len(&self) -> usize {
        self.before.len() + TO.len() + 1 + self.after.len() + self.tail.len()
    }

    fn write_to(&self, to: &Jid, out: &mut Vec<u8>) {
        out.reserve(self.len() + to.as_str().len());
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(TO.as_bytes());
        out.extend_from_slice(escape_attr(to.as_str()).as_bytes());
        out.push(b'\'');
        out.extend_from_slice(self.after.as_bytes());
        out.extend_from_slice(&self.tail);
    }
}

/// An escaped value contains no apostrophe.
const TO: &str = " to='";

/// What an opening tag says differently from the bytes it came in.
pub(super) struct Head<'a> {
    pub from: Option<&'a Jid>,
    pub to: Option<&'a Jid>,
    /// Declares the content namespace: for places outside a stream.
    pub standalone: bool,
    /// Attributes without a namespace to leave out or to put in.
    pub set: &'a [(String, Option<String>)],
    /// Whether `<…/>` is wanted.
    pub closes_itself: bool,
}

impl Stanza {
    /// The stanza for the stream of a client, another server or a component:
    /// the content namespace is the default there.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing {
        self.outgoing_as(self.from.as_ref(), self.to.as_ref())
    }

    /// As [`Stanza::outgoing`] between other addresses, for a fan-out.
    #[must_use]
    pub fn outgoing_as(&self, from: Option<&Jid>, to: Option<&Jid>) -> Outgoing {
        Outgoing::own(self.head(from, to, false).into(), self.element.tail())
    }

    /// As [`Stanza::outgoing`] to many, one after the other.
    #[must_use]
    pub fn fan_out(&self) -> FanOut {
        let head = Head {
            from: self.from.as_ref(),
            to: None,
            standalone: false,
            set: &[],
            closes_itself: self.root().closes_itself(),
        };
        let (mut before, mut after) = (String::with_capacity(160), String::with_capacity(160));
        self.write_start(&head, &mut before);
        self.write_rest(&head, &mut after);
        FanOut(Arc::new(Common { before, after, tail: self.element.tail() }))
    }

    /// As [`Stanza::outgoing`], its namespace declared: for WebSocket frames
    /// (RFC 7395 §3.3.3), archives and stanzas inside others.
    #[must_use]
    pub fn outgoing_standalone(&self) -> Outgoing {
        Outgoing::own(self.head(self.from.as_ref(), self.to.as_ref(), true).into(), self.element.tail())
    }

    /// Appends the stanza as [`Stanza::outgoing`] has it.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let head = self.head(self.from.as_ref(), self.to.as_ref(), false);
        out.extend_from_slice(head.as_bytes());
        let start = self.root().inner_range().start;
        let bytes = self.element.as_str().as_bytes();
        out.extend_from_slice(bytes.get(start..).unwrap_or_default());
    }

    /// The stanza as XML that stands alone, `xmlns='jabber:client'` declared.
    #[must_use]
    pub fn to_xml_string(&self) -> String {
        let mut out = self.head(self.from.as_ref(), self.to.as_ref(), true);
        let start = self.root().inner_range().start;
        out.push_str(self.element.as_str().get(start..).unwrap_or_default());
        out
    }

    fn head(&self, from: Option<&Jid>, to: Option<&Jid>, standalone: bool) -> String {
        let mut out = String::with_capacity(self.root().opening_tag().len() + 160);
        self.write_head(&Head { from, to, standalone, set: &[], closes_itself: self.root().closes_itself() }, &mut out);
        out
    }

    /// Writes the opening tag: what is known, then the other attributes byte by
    /// byte, then the declarations that it or its content needs.
    pub(super) fn write_head(&self, head: &Head<'_>, out: &mut String) {
        self.write_start(head, out);
        if let Some(to) = head.to {
            quoted(out, "", "to", &escape_attr(to.as_str()));
        }
        self.write_rest(head, out);
    }

    /// Up to the addressee.
    fn write_start(&self, head: &Head<'_>, out: &mut String) {
        out.push('<');
        out.push_str(self.kind.as_str());
        if head.standalone {
            quoted(out, "", "xmlns", ns::CLIENT);
        }
        if let Some(from) = head.from {
            quoted(out, "", "from", &escape_attr(from.as_str()));
        }
    }

    /// From the addressee on.
    fn write_rest(&self, head: &Head<'_>, out: &mut String) {
        let root = self.root();
        for attr in root.attrs() {
            let plain = attr.prefix().is_empty();
            let known = plain && matches!(attr.name(), "from" | "to");
            let replaced = plain && head.set.iter().any(|(name, _)| name == attr.name());
            if !known && !replaced {
                quoted(out, attr.prefix(), attr.name(), attr.raw_value());
            }
        }
        for (name, value) in head.set {
            if let Some(value) = value {
                quoted(out, "", name, &escape_attr(value));
            }
        }
        if let Some(lang) = self.added_lang() {
            quoted(out, "xml", "lang", &escape_attr(lang));
        }
        let mut own = root.declarations().filter(|(prefix, _)| !prefix.is_empty());
        for (prefix, name) in &mut own {
            quoted(out, "xmlns", prefix, &escape_attr(&name));
        }
        for (prefix, name) in self.element.inherited_prefixes() {
            if !root.declarations().any(|(own, _)| own == prefix) {
                quoted(out, "xmlns", prefix, &escape_attr(name));
            }
        }
        out.push_str(if head.closes_itself { "/>" } else { ">" });
    }
}

/// Writes an attribute whose value is escaped already, in quotes that it does
/// not contain.
fn quoted(out: &mut String, prefix: &str, name: &str, value: &str) {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    out.push(' ');
    if !prefix.is_empty() {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(name);
    out.push('=');
    out.push(quote);
    out.push_str(value);
    out.push(quote);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn what_stands_behind_the_opening_tag_is_shared() {
        let one = Stanza::parse("<message id='1'><body>x</body></message>").unwrap();
        let tail = |outgoing: Outgoing| match outgoing.body {
            Body::Own { tail, .. } => tail.as_ptr(),
            Body::Copy { of, .. } => of.tail.as_ptr(),
        };
        let other = one.with_from(Jid::parse("romeo@example.net").unwrap());
        let copy = one.fan_out().to(&Jid::parse("juliet@example.net/o'r").unwrap());
        assert!(copy.is_message() && copy.to_vec().starts_with(b"<message to='juliet@example.net/o&apos;r' id='1'>"));
        assert_eq!([tail(one.outgoing()), tail(other.outgoing())], [tail(copy.clone()), tail(copy)]);
    }
}
