//! Rows of the key of this call: small values under text keys, with indexes.
//!
//! [`crate::plugin!`] makes a [`Kv`] of each `[[store]]` of shape `kv` (`stores::NAME`) and a
//! [`View`] of each entry of `needs.views` (`views::PLUGIN_STORE`).

use crate::Fault;
use crate::wit::xylem::kv::kv as wit;

pub use wit::Row;

/// An own store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kv(u32);

/// Another plugin's store that this one may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View(u32);

/// A store that can be read: [`Kv`] or [`View`].
pub trait Rows: Copy {
    #[doc(hidden)]
    fn number(self) -> u32;

    /// One row.
    fn get(self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(wit::get(self.number(), key)?)
    }

    /// One row as text; a row that is not UTF-8 counts as missing.
    fn text(self, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.get(key)?.and_then(|value| String::from_utf8(value).ok()))
    }

    /// Rows in key order whose key begins with `prefix`, after the key `after`; 1,000 at most.
    fn scan(self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<Row>, Fault> {
        Ok(wit::scan(self.number(), prefix, after, limit)?)
    }

    /// All rows in key order.
    fn all(self) -> Result<Vec<Row>, Fault> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let page = self.scan("", rows.last().map(|row| row.key.as_str()), PAGE)?;
            let last = (page.len() as u32) < PAGE;
            rows.extend(page);
            if last {
                return Ok(rows);
            }
        }
    }

    /// Whether it has no rows.
    fn is_empty(self) -> Result<bool, Fault> {
        Ok(self.scan("", None, 1)?.is_empty())
    }

    /// Rows in key order that were put with this index entry; 1,000 at most.
    fn by_index(self, index: &str, value: &str) -> Result<Vec<Row>, Fault> {
        Ok(wit::by_index(self.number(), index, value, PAGE)?)
    }
}

const PAGE: u32 = 1000;

impl Rows for Kv {
    fn number(self) -> u32 {
        self.0
    }
}

impl Rows for View {
    fn number(self) -> u32 {
        self.0
    }
}

impl Kv {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(number: u32) -> Self {
        Self(number)
    }

    /// Replaces the row and all its index entries. A value has 512 KiB at most.
    pub fn put(self, key: &str, value: &[u8], indexed: &[(&str, &str)]) -> Result<(), Fault> {
        let indexed: Vec<wit::IndexEntry> = indexed
            .iter()
            .map(|(index, value)| wit::IndexEntry { index: (*index).into(), value: (*value).into() })
            .collect();
        Ok(wit::put(self.0, key, value, &indexed)?)
    }

    /// True when there was such a row.
    pub fn delete(self, key: &str) -> Result<bool, Fault> {
        Ok(wit::delete(self.0, key)?)
    }
}

impl View {
    /// One stanza of another plugin's archive.
    pub fn archived(self, id: &str) -> Result<Option<crate::archive::Row>, Fault> {
        crate::archive::get(self.0, id)
    }

    /// See [`crate::archive::Archive::find`], of another plugin's archive.
    pub fn find(self, peer: &str, id: &str, carriers: &[&str]) -> Result<Option<crate::archive::Row>, Fault> {
        crate::archive::find(self.0, peer, id, carriers)
    }

    /// See [`crate::archive::Archive::peers`], of another plugin's archive.
    pub fn peers(self, newest: crate::archive::Newest) -> Result<Vec<crate::archive::Peer>, Fault> {
        crate::archive::peers(self.0, newest)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(number: u32) -> Self {
        Self(number)
    }
}
