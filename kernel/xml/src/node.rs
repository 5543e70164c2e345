//! Reading an element.

use std::borrow::Cow;
use std::ops::Range;

use crate::record::{ATTR_WORDS, AttrRecord, NODE_WORDS, NONE, NsRef, field};
use crate::references::{resolve_cdata, resolve_text, resolve_value};
use crate::{Element, NS_XML, NS_XMLNS};

/// One element inside an [`Element`]: a place in its index, cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    element: &'a Element,
    at: usize,
}

impl<'a> Node<'a> {
    pub(crate) fn new(element: &'a Element, at: usize) -> Self {
        Self { element, at }
    }

    /// Local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let start = self.word(field::START) as usize + 1;
        let start = match self.prefix_len() {
            0 => start,
            n => start + n + 1,
        };
        self.slice(start..start + (self.word(field::LOCAL) as usize & 0xFFFF))
    }

    /// Prefix as written; empty if there is none.
    #[must_use]
    pub fn prefix(&self) -> &'a str {
        let start = self.word(field::START) as usize + 1;
        self.slice(start..start + self.prefix_len())
    }

    /// Name as written, prefix included.
    #[must_use]
    pub fn qname(&self) -> &'a str {
        let start = self.word(field::START) as usize + 1;
        let local = self.word(field::LOCAL) as usize & 0xFFFF;
        match self.prefix_len() {
            0 => self.slice(start..start + local),
            n => self.slice(start..start + n + 1 + local),
        }
    }

    /// Namespace; empty if the element is in none.
    #[must_use]
    pub fn ns(&self) -> &'a str {
        self.ns_name(self.word(field::NS))
    }

    /// The namespace of a child without a prefix.
    #[must_use]
    pub fn default_ns(&self) -> &'a str {
        self.ns_name(self.word(field::DEFAULT_NS))
    }

    /// Whether namespace and local name are these.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// Value of the attribute without a namespace, references resolved.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut attrs = self.attrs();
        attrs.find(|a| a.record.prefix_len == 0 && a.name() == name).map(|a| a.value())
    }

    /// Value of the attribute in a namespace (empty: in none), resolved.
    #[must_use]
    pub fn attr_ns(&self, ns: &str, name: &str) -> Option<Cow<'a, str>> {
        let mut attrs = self.attrs();
        attrs.find(|a| a.name() == name && a.ns() == ns).map(|a| a.value())
    }

    /// The attributes in the order written, declarations left out.
    #[must_use]
    pub fn attrs(&self) -> Attrs<'a> {
        let first = self.at + NODE_WORDS;
        Attrs { element: self.element, next: first, end: first + self.attr_count() * ATTR_WORDS }
    }

    /// The namespaces declared on this very element: prefix (empty: the
    /// default) and name (empty: undone).
    #[must_use]
    pub fn declarations(&self) -> Declarations<'a> {
        Declarations(self.attrs())
    }

    /// Text directly inside this element, references resolved, runs between
    /// children put together.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        let odd = self.word(field::LOCAL) & field::ODD_TEXT != 0;
        let mut text = Cow::Borrowed("");
        let mut from = self.inner_range().start;
        let children = self.children().map(|c| c.range());
        let end = self.inner_range().end;
        for gap in children.chain(std::iter::once(end..end)) {
            let run = self.slice(from..gap.start);
            from = gap.end;
            if run.is_empty() {
                continue;
            }
            let run = if odd { resolve_run(run) } else { run.into() };
            if text.is_empty() {
                text = run;
            } else {
                text.to_mut().push_str(&run);
            }
        }
        text
    }

    /// The elements directly inside this one.
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children {
            element: self.element,
            next: self.at + NODE_WORDS + self.attr_count() * ATTR_WORDS,
            end: self.word(field::NEXT) as usize,
        }
    }

    /// The first child of this namespace and name.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<Node<'a>> {
        self.children().find(|c| c.is(ns, name))
    }

    /// The element around this one.
    #[must_use]
    pub fn parent(&self) -> Option<Node<'a>> {
        match self.word(field::PARENT) {
            NONE => None,
            at => Some(Node::new(self.element, at as usize)),
        }
    }

    /// The raw bytes from `<` to the last `>`. Prefixes and the default
    /// namespace may be declared outside: see [`Node::to_xml_string`].
    #[must_use]
    pub fn xml(&self) -> &'a str {
        self.slice(self.range())
    }

    /// The raw opening tag.
    #[must_use]
    pub fn opening_tag(&self) -> &'a str {
        self.slice(self.range().start..self.inner_range().start)
    }

    /// The raw bytes between the tags.
    #[must_use]
    pub fn inner_xml(&self) -> &'a str {
        self.slice(self.inner_range())
    }

    /// Position in document order; 0 is the outermost element.
    #[must_use]
    pub fn index(&self) -> usize {
        self.word(field::NUMBER) as usize
    }

    /// Where [`Node::xml`] lies in the bytes of the element.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.word(field::START) as usize..self.word(field::END) as usize
    }

    /// Where [`Node::inner_xml`] lies; empty at the end of an element that
    /// closes itself.
    #[must_use]
    pub fn inner_range(&self) -> Range<usize> {
        self.word(field::OPEN_END) as usize..self.word(field::CLOSE_START) as usize
    }

    /// Whether it is written `<a/>`.
    #[must_use]
    pub fn closes_itself(&self) -> bool {
        self.word(field::OPEN_END) == self.word(field::END)
    }

    /// The next element in document order.
    pub(crate) fn following(&self) -> Option<Node<'a>> {
        let at = self.at + NODE_WORDS + self.attr_count() * ATTR_WORDS;
        (at < self.element.index().len()).then(|| Node::new(self.element, at))
    }

    /// The element this is a part of.
    #[must_use]
    pub fn element(&self) -> &'a Element {
        self.element
    }

    fn prefix_len(&self) -> usize {
        self.word(field::PREFIX) as usize & 0xFFFF
    }

    fn attr_count(&self) -> usize {
        self.word(field::PREFIX) as usize >> 16
    }

    fn ns_name(&self, word: u32) -> &'a str {
        ns_name(self.element, word)
    }

    #[inline]
    fn word(&self, field: usize) -> u32 {
        let index = self.element.index();
        index.get(self.at + field).copied().unwrap_or(0)
    }

    #[inline]
    fn slice(&self, range: Range<usize>) -> &'a str {
        self.element.as_str().get(range).unwrap_or_default()
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Node").field(&self.xml()).finish()
    }
}

fn ns_name(element: &Element, word: u32) -> &str {
    match NsRef::of(word) {
        NsRef::None => "",
        NsRef::Xml => NS_XML,
        NsRef::Xmlns => NS_XMLNS,
        NsRef::Outer(i) => element.scope().name(i),
        NsRef::Resolved(i) => element.scope().resolved(i),
        NsRef::Attr(at) => AttrRecord::read(element.index(), at as usize)
            .and_then(|r| element.as_str().get(r.value()))
            .unwrap_or_default(),
    }
}

/// A run of character data and CDATA sections.
fn resolve_run(mut run: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed("");
    while !run.is_empty() {
        let (part, rest) = match run.strip_prefix("<![CDATA[") {
            Some(section) => {
                let (section, rest) = section.split_once("]]>").unwrap_or((section, ""));
                (Cow::Owned(resolve_cdata(section)), rest)
            }
            None => {
                let end = memchr::memchr(b'<', run.as_bytes()).unwrap_or(run.len());
                let (plain, rest) = run.split_at(end);
                (resolve_text(plain), rest)
            }
        };
        run = rest;
        if text.is_empty() {
            text = part;
        } else {
            text.to_mut().push_str(&part);
        }
    }
    text
}

/// One attribute.
#[derive(Clone, Copy)]
pub struct Attr<'a> {
    element: &'a Element,
    record: AttrRecord,
}

impl<'a> Attr<'a> {
    /// Local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let text = self.element.as_str();
        text.get(self.record.local()).unwrap_or_default()
    }

    /// Prefix as written; empty if there is none.
    #[must_use]
    pub fn prefix(&self) -> &'a str {
        let text = self.element.as_str();
        text.get(self.record.prefix()).unwrap_or_default()
    }

    /// Namespace; empty for an attribute without a prefix.
    #[must_use]
    pub fn ns(&self) -> &'a str {
        ns_name(self.element, self.record.ns)
    }

    /// Value, references resolved and whitespace normalised.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        let raw = self.raw_value();
        if self.record.odd { resolve_value(raw) } else { Cow::Borrowed(raw) }
    }

    /// Value as written between its quotes, whichever they were.
    #[must_use]
    pub fn raw_value(&self) -> &'a str {
        let text = self.element.as_str();
        text.get(self.record.value()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Attr<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{}}}{}={:?}", self.ns(), self.name(), self.value())
    }
}

/// Iterator of [`Node::attrs`].
#[derive(Clone)]
pub struct Attrs<'a> {
    element: &'a Element,
    next: usize,
    end: usize,
}

impl<'a> Attrs<'a> {
    fn step(&mut self) -> Option<Attr<'a>> {
        if self.next >= self.end {
            return None;
        }
        let record = AttrRecord::read(self.element.index(), self.next)?;
        self.next += ATTR_WORDS;
        Some(Attr { element: self.element, record })
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        loop {
            let attr = self.step()?;
            if !attr.record.declares {
                return Some(attr);
            }
        }
    }
}

/// Iterator of [`Node::declarations`].
#[derive(Clone)]
pub struct Declarations<'a>(Attrs<'a>);

impl<'a> Iterator for Declarations<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let attr = self.0.step()?;
            if attr.record.declares {
                let prefix = match attr.record.prefix_len {
                    0 => "",
                    _ => attr.name(),
                };
                return Some((prefix, attr.value()));
            }
        }
    }
}

/// Iterator of [`Node::children`].
#[derive(Clone)]
pub struct Children<'a> {
    element: &'a Element,
    next: usize,
    end: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node::new(self.element, self.next);
        // Anything but forward would never end.
        self.next = (node.word(field::NEXT) as usize).max(self.next + NODE_WORDS);
        Some(node)
    }
}
