//! How much a peer may make us hold.

/// Bounds on one element or stream header. Exceeding any of them is a
/// `policy-violation` (RFC 6120 §4.9.3.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one element, from its `<` to its last `>`. Its index takes up
    /// to eleven times as much. At most 256 MiB are honoured.
    pub stanza_bytes: usize,
    /// Nested elements, the stanza itself counting one. At most 512 are
    /// honoured, so that whoever walks a tree may recurse.
    pub depth: usize,
    /// Attributes on one element (declarations included), and likewise prefixes
    /// bound at any one place inside an element.
    pub attributes: usize,
    /// Bytes of one qualified name. At most 65 535 are honoured.
    pub name_bytes: usize,
}

impl Limits {
    /// For a peer that has not proved who it is: room for TLS, SASL and
    /// registration, no more. RFC 6120 §13.12 asks for at least 10 000 bytes.
    #[must_use]
    pub fn before_auth() -> Self {
        Self { stanza_bytes: 10_000, depth: 16, attributes: 32, name_bytes: 256 }
    }

    pub(crate) fn levels(&self) -> usize {
        self.depth.min(512)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.stanza_bytes.min(1 << 28)
    }
}

impl Default for Limits {
    /// For an authenticated peer: 256 KiB per stanza, 64 levels.
    fn default() -> Self {
        Self { stanza_bytes: 256 * 1024, depth: 64, attributes: 64, name_bytes: 512 }
    }
}
