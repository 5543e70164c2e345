//! The flat index of an element: one run of `u32`s.
//!
//! Three header words (number of nodes, then a 64-bit set of the stream-level
//! declarations in use), then the nodes in document order. A node is
//! [`NODE_WORDS`] words followed by [`ATTR_WORDS`] words for each attribute.
//! Offsets are bytes of the element's text; nodes are named by the word they
//! begin at.

pub(crate) const HEADER_WORDS: usize = 3;
pub(crate) const NODE_WORDS: usize = 11;
pub(crate) const ATTR_WORDS: usize = 5;
/// No node: the parent of the root.
pub(crate) const NONE: u32 = u32::MAX;

/// Word numbers inside a node.
pub(crate) mod field {
    /// Offset of the `<`.
    pub(crate) const START: usize = 0;
    /// Offset behind the opening tag.
    pub(crate) const OPEN_END: usize = 1;
    /// Offset of the end tag; the end of the element if it closes itself.
    pub(crate) const CLOSE_START: usize = 2;
    /// Offset behind the element.
    pub(crate) const END: usize = 3;
    pub(crate) const PARENT: usize = 4;
    /// The first node behind this one and all it contains.
    pub(crate) const NEXT: usize = 5;
    pub(crate) const NS: usize = 6;
    /// What a child without a prefix is in.
    pub(crate) const DEFAULT_NS: usize = 7;
    /// Position in document order.
    pub(crate) const NUMBER: usize = 8;
    /// Prefix length, and above it the number of attributes.
    pub(crate) const PREFIX: usize = 9;
    /// Local name length, and above it the flags.
    pub(crate) const LOCAL: usize = 10;
    /// In the upper half of `LOCAL`: direct text differs from its bytes.
    pub(crate) const ODD_TEXT: u32 = 1 << 16;
}

/// Where a namespace name is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NsRef {
    None,
    Xml,
    Xmlns,
    /// Binding of the enclosing stream: 0 the default, then its prefixes.
    Outer(u32),
    /// A declaration whose value needed resolving; kept aside in the scope.
    Resolved(u32),
    /// The value of the attribute at this word.
    Attr(u32),
}

const KIND: u32 = 0xC000_0000;
const OUTER: u32 = 0x4000_0000;
const RESOLVED: u32 = 0xC000_0000;
const ATTR: u32 = 0x8000_0000;

impl NsRef {
    pub(crate) fn word(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Xml => 1,
            Self::Xmlns => 2,
            Self::Outer(i) => OUTER | i,
            Self::Resolved(i) => RESOLVED | i,
            Self::Attr(at) => ATTR | at,
        }
    }

    pub(crate) fn of(word: u32) -> Self {
        let rest = word & !KIND;
        match word & KIND {
            OUTER => Self::Outer(rest),
            RESOLVED => Self::Resolved(rest),
            ATTR => Self::Attr(rest),
            _ if word == 1 => Self::Xml,
            _ if word == 2 => Self::Xmlns,
            _ => Self::None,
        }
    }
}

/// One attribute, decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttrRecord {
    pub key: u32,
    pub prefix_len: u16,
    pub local_len: u16,
    pub value: u32,
    pub value_len: u32,
    /// Value differs from its bytes.
    pub odd: bool,
    /// Declares a namespace.
    pub declares: bool,
    pub ns: u32,
}

const ODD: u32 = 1 << 31;
const DECLARES: u32 = 1 << 30;

impl AttrRecord {
    pub(crate) const NS_WORD: usize = 4;

    pub(crate) fn words(self) -> [u32; ATTR_WORDS] {
        [
            self.key,
            u32::from(self.prefix_len) | u32::from(self.local_len) << 16,
            self.value,
            self.value_len | if self.odd { ODD } else { 0 } | if self.declares { DECLARES } else { 0 },
            self.ns,
        ]
    }

    #[inline]
    pub(crate) fn read(words: &[u32], at: usize) -> Option<Self> {
        let [key, name, value, len, ns] = *words.get(at..)?.first_chunk()?;
        Some(Self {
            key,
            prefix_len: (name & 0xFFFF) as u16,
            local_len: (name >> 16) as u16,
            value,
            value_len: len & !(ODD | DECLARES),
            odd: len & ODD != 0,
            declares: len & DECLARES != 0,
            ns,
        })
    }

    /// Byte range of the local name.
    #[inline]
    pub(crate) fn local(&self) -> std::ops::Range<usize> {
        let start = self.key as usize
            + match self.prefix_len {
                0 => 0,
                n => usize::from(n) + 1,
            };
        start..start + usize::from(self.local_len)
    }

    /// Byte range of the prefix; empty if there is none.
    pub(crate) fn prefix(&self) -> std::ops::Range<usize> {
        let start = self.key as usize;
        start..start + usize::from(self.prefix_len)
    }

    /// Byte range of the value between its quotes.
    #[inline]
    pub(crate) fn value(&self) -> std::ops::Range<usize> {
        let start = self.value as usize;
        start..start + self.value_len as usize
    }
}
