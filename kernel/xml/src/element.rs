//! One element: its bytes and where everything in them is.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::record::HEADER_WORDS;
use crate::scan::scan_one;
use crate::{Limits, Node, Scope, XmlError};

/// A complete element: the bytes as received and a flat index over them.
///
/// Cloning shares everything. What the element inherits from its stream (the
/// default namespace, prefixes) comes along, so it can be written elsewhere.
#[derive(Clone)]
pub struct Element {
    text: ByteString,
    index: Arc<[u32]>,
    scope: Arc<Scope>,
}

impl Element {
    /// Indexes one element that stands alone and inherits no namespace.
    ///
    /// Whitespace around it is dropped.
    ///
    /// # Errors
    /// The same as for a stream, and `NotWellFormed` unless there is exactly
    /// one element. [`Limits::default`] apply.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::parse_scoped(xml, &Scope::with_default(""), &Limits::default())
    }

    /// As [`Element::parse`], inside a default namespace.
    ///
    /// # Errors
    /// See [`Element::parse`].
    pub fn parse_in(xml: &str, default_ns: &str) -> Result<Self, XmlError> {
        Self::parse_scoped(xml, &Scope::with_default(default_ns), &Limits::default())
    }

    /// As [`Element::parse`], with everything said that is said around it.
    ///
    /// # Errors
    /// See [`Element::parse`].
    pub fn parse_scoped(xml: &str, scope: &Arc<Scope>, limits: &Limits) -> Result<Self, XmlError> {
        let xml = xml.trim_matches([' ', '\t', '\r', '\n']);
        Self::parse_bytes(Bytes::copy_from_slice(xml.as_bytes()), scope, limits)
    }

    /// As [`Element::parse_scoped`], keeping the bytes instead of copying them;
    /// whitespace around the element is refused. For frames that arrive whole
    /// (RFC 7395).
    ///
    /// # Errors
    /// See [`Element::parse`].
    pub fn parse_bytes(xml: Bytes, scope: &Arc<Scope>, limits: &Limits) -> Result<Self, XmlError> {
        let (mut builder, end) = scan_one(&xml, scope, limits)?;
        if end != xml.len() {
            return Err(XmlError::NotWellFormed("more than one element"));
        }
        Ok(builder.finish(valid(xml)?, scope))
    }

    pub(crate) fn from_parts(text: ByteString, index: Arc<[u32]>, scope: Arc<Scope>) -> Self {
        Self { text, index, scope }
    }

    /// The element itself.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node::new(self, HEADER_WORDS)
    }

    /// The element as it was received.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.text.as_bytes()
    }

    /// The element as it was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands between the opening and the end tag; shared, not copied.
    #[must_use]
    pub fn inner(&self) -> Bytes {
        let range = self.root().inner_range();
        self.slice(range.start, range.end)
    }

    /// Everything behind the opening tag, the end tag included; empty if the
    /// element closes itself. Shared, not copied: a fan-out reuses it behind
    /// many opening tags.
    #[must_use]
    pub fn tail(&self) -> Bytes {
        self.slice(self.root().inner_range().start, self.text.len())
    }

    /// Number of elements, the outermost included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.first().map_or(0, |n| *n as usize)
    }

    /// Never: an element holds at least itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Every element in document order, this one first.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let mut next = Some(self.root());
        std::iter::from_fn(move || {
            let node = next?;
            next = node.following();
            Some(node)
        })
    }

    /// What the element inherits from its stream.
    #[must_use]
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// The inherited prefixes that something inside the element uses. They have
    /// to be declared when it is written outside its stream.
    pub fn inherited_prefixes(&self) -> impl Iterator<Item = (&str, &str)> {
        let used = self.inherited();
        let numbered = self.scope.prefixes().zip(1u32..);
        numbered.filter_map(move |(binding, n)| (used >> n & 1 == 1).then_some(binding))
    }

    /// Whether something inside is in the default namespace of the stream.
    #[must_use]
    pub fn inherits_default(&self) -> bool {
        self.inherited() & 1 == 1
    }

    /// The same bytes inside another default namespace: what inherits it
    /// changes its namespace, nothing else does. Nothing is parsed.
    #[must_use]
    pub fn with_default_ns(&self, default_ns: &str) -> Self {
        let scope = self.scope.moved(default_ns);
        Self { text: self.text.clone(), index: self.index.clone(), scope }
    }

    pub(crate) fn index(&self) -> &[u32] {
        &self.index
    }

    fn inherited(&self) -> u64 {
        let word = |at| u64::from(self.index.get(at).copied().unwrap_or(0));
        word(1) | word(2) << 32
    }

    fn slice(&self, start: usize, end: usize) -> Bytes {
        if start < end && end <= self.text.len() { self.text.as_bytes().slice(start..end) } else { Bytes::new() }
    }
}

/// The whole as text. Its runs have been validated one by one, so this cannot
/// fail; it is the price of holding a string without `unsafe`.
pub(crate) fn valid(bytes: Bytes) -> Result<ByteString, XmlError> {
    ByteString::try_from(bytes).map_err(|_| XmlError::InvalidEncoding("not UTF-8"))
}

/// Equal if the bytes and what they inherit are.
impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.scope == other.scope
    }
}

impl Eq for Element {}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Element").field(&&*self.text).finish()
    }
}
