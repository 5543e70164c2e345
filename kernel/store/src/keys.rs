//! Order-preserving keys. A part that something follows is escaped and ended,
//! so no choice of names can make two different paths look the same, and all
//! keys below a path stand together: NUL becomes `00 FF`, the end is `00 01`.

use crate::backend::Scan;
use crate::batch::{MAX_KEY, check_size};
use crate::error::Result;

/// First byte of a key: which family of entries of a shape it belongs to.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Family {
    /// A kv row: partition, key.
    Row = b'r',
    /// An index entry of a kv row: partition, index, value, key.
    Index = b'i',
    /// An archive row: partition, id.
    Entry = b'm',
    /// An archive row by peer: partition, peer, id.
    Peer = b'p',
    /// The words in a chunk of archive rows: partition, chunk.
    Words = b'w',
    /// The number of archive rows: partition.
    Count = b'c',
}

/// Builds a key part by part.
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn new(family: Family, partition: &str) -> Self {
        let mut bytes = Vec::with_capacity(partition.len() + 32);
        bytes.push(family as u8);
        Self(bytes).part(partition.as_bytes())
    }

    /// One part on its own, as it stands inside a key.
    pub(crate) fn bare(part: &[u8]) -> Vec<u8> {
        Self(Vec::new()).part(part).prefix()
    }

    /// Adds a part that something follows.
    pub(crate) fn part(mut self, part: &[u8]) -> Self {
        for byte in part {
            self.0.push(*byte);
            if *byte == 0 {
                self.0.push(0xFF);
            }
        }
        self.0.extend_from_slice(&[0, 1]);
        self
    }

    /// Adds the last part, which needs no end.
    pub(crate) fn last(mut self, part: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(part);
        self.0
    }

    pub(crate) fn prefix(self) -> Vec<u8> {
        self.0
    }
}

/// Reads parts off a key; the mirror of [`Key`].
pub(crate) struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// Without the family byte.
    pub(crate) fn of(key: &'a [u8]) -> Self {
        Self(key.get(1..).unwrap_or_default())
    }

    /// The next escaped part; `None` when the key is cut short.
    pub(crate) fn part(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            let zero = self.0.iter().position(|byte| *byte == 0)?;
            out.extend_from_slice(self.0.get(..zero)?);
            let mark = *self.0.get(zero + 1)?;
            self.0 = self.0.get(zero + 2..)?;
            match mark {
                1 => return Some(out),
                0xFF => out.push(0),
                _ => return None,
            }
        }
    }

    pub(crate) fn last(self) -> &'a [u8] {
        self.0
    }
}

/// `scan` over the last part of the keys below `prefix`.
pub(crate) fn below(prefix: &[u8], scan: &Scan) -> Scan {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let join = |key: &Vec<u8>| [prefix, key].concat();
    let whole = Scan::prefix(prefix);
    Scan {
        lower: match &scan.lower {
            Included(key) => Included(join(key)),
            Excluded(key) => Excluded(join(key)),
            Unbounded => whole.lower,
        },
        upper: match &scan.upper {
            Included(key) => Included(join(key)),
            Excluded(key) => Excluded(join(key)),
            Unbounded => whole.upper,
        },
        limit: scan.limit,
        reverse: scan.reverse,
    }
}

/// Refuses a path whose key would be above [`MAX_KEY`].
pub(crate) fn check(parts: &[&[u8]]) -> Result<()> {
    let size =
        parts.iter().fold(1, |size, part| size + part.len() + 2 + part.iter().filter(|byte| **byte == 0).count());
    check_size("key", size, MAX_KEY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn keys_are_unambiguous_and_ordered() {
        let parts: [&[u8]; 9] = [b"", b"\0", b"\0\0", b"\0\x01", b"\0\xff", b"a", b"a\0", b"a\0b", b"ab"];
        let mut keys = Vec::new();
        for first in parts {
            for second in parts {
                let name = std::str::from_utf8(first).unwrap_or("\u{ff}");
                let key = Key::new(Family::Row, name).part(second).last(b"\0\x01");
                let mut read = Parts::of(&key);
                assert_eq!(read.part().unwrap(), name.as_bytes());
                assert_eq!(read.part().unwrap(), second);
                assert_eq!(read.last(), b"\0\x01");
                keys.push(((name.as_bytes().to_vec(), second.to_vec()), key));
            }
        }
        let mut by_path = keys.clone();
        by_path.sort();
        keys.sort_by(|a, b| a.1.cmp(&b.1));
        assert_eq!(keys, by_path);
    }
}
