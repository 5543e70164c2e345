//! The archive rows of a commit in one entry, whatever partitions they belong to: so an
//! append costs a copy of its bytes and no entry of its own. A payload that several rows
//! share, such as a message in the archives of both sides, is there once.
//!
//! Layout: format; for each row its table (a number, and the name where it first
//! occurs), partition, id, time, marks, peer, payload (or where it stands already).

use hashbrown::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::ArchiveId;
use crate::error::{Result, StoreError};
use crate::turn::ArchiveEntry;

/// The table of groups: keys are numbers, in order.
pub(crate) const GROUPS: &str = "xylem/archive-groups";

const FORMAT: u8 = 1;
/// A group that has so many bytes is closed; the next row goes into another one.
pub(super) const BYTES: usize = 512 << 10;
/// Added to the length of a payload that stands further up.
const ABOVE: u32 = 1 << 31;

/// A group being written.
pub(super) struct Writer {
    out: Vec<u8>,
    tables: Vec<Arc<str>>,
    /// Where payloads stand, by where they lie in memory.
    payloads: HashMap<(usize, usize), u32>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { out: vec![FORMAT], tables: Vec::new(), payloads: HashMap::new() }
    }

    pub(super) fn add(&mut self, table: &Arc<str>, partition: &str, row: &ArchiveEntry) {
        let known = self.tables.iter().position(|known| known == table);
        let number = known.unwrap_or(self.tables.len());
        self.out.push(u8::try_from(number).unwrap_or(u8::MAX));
        if known.is_none() {
            self.tables.push(Arc::clone(table));
            self.text(table);
        }
        self.text(partition);
        self.out.extend_from_slice(&row.id.0.to_le_bytes());
        self.out.extend_from_slice(&row.at_ms.to_le_bytes());
        self.out.push(row.marks);
        self.text(&row.peer);
        let length = u32::try_from(row.payload.len()).unwrap_or(0);
        let lies = (row.payload.as_ptr() as usize, row.payload.len());
        if let Some(at) = self.payloads.get(&lies).filter(|_| length > 0) {
            self.out.extend_from_slice(&(length | ABOVE).to_le_bytes());
            self.out.extend_from_slice(&at.to_le_bytes());
        } else {
            self.out.extend_from_slice(&length.to_le_bytes());
            self.payloads.insert(lies, u32::try_from(self.out.len()).unwrap_or(0));
            self.out.extend_from_slice(&row.payload);
        }
    }

    /// Whether the next row belongs into another group.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= BYTES || self.tables.len() >= usize::from(u8::MAX)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Table, partition and row.
pub(super) type Placed = (Arc<str>, Arc<str>, ArchiveEntry);

/// The rows of a group.
pub(super) fn read(stored: Vec<u8>) -> Result<Vec<Placed>> {
    let stored = Bytes::from(stored);
    let mut reader = Reader { stored: &stored, at: 0, tables: Vec::new() };
    let mut rows = Vec::new();
    let whole = reader.take(1).is_some_and(|format| format == [FORMAT]);
    while whole && reader.at < stored.len() {
        rows.push(reader.row().ok_or_else(damaged)?);
    }
    if whole { Ok(rows) } else { Err(damaged()) }
}

fn damaged() -> StoreError {
    StoreError::damaged(GROUPS, "unreadable group of archive rows")
}

struct Reader<'a> {
    stored: &'a Bytes,
    at: usize,
    tables: Vec<Arc<str>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let taken = self.stored.get(self.at..self.at.checked_add(bytes)?)?;
        self.at += bytes;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.number()?);
        std::str::from_utf8(self.take(length.into())?).ok()
    }

    fn row(&mut self) -> Option<Placed> {
        let number = usize::from(u8::from_le_bytes(self.number()?));
        if number == self.tables.len() {
            let name = self.text()?;
            self.tables.push(name.into());
        }
        let table = Arc::clone(self.tables.get(number)?);
        let partition = self.text()?.into();
        let id = ArchiveId(u64::from_le_bytes(self.number()?));
        let at_ms = u64::from_le_bytes(self.number()?);
        let marks = u8::from_le_bytes(self.number()?);
        let peer = self.text()?.into();
        let length = u32::from_le_bytes(self.number()?);
        let payload = if length & ABOVE == 0 {
            self.take(length as usize)?
        } else {
            let at = u32::from_le_bytes(self.number()?) as usize;
            self.stored.get(at..at.checked_add((length ^ ABOVE) as usize)?)?
        };
        // Not a part of the group, which would stay in memory as long as any of its rows.
        let payload = Bytes::copy_from_slice(payload);
        Some((table, partition, ArchiveEntry { id, at_ms, marks, peer, payload }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_written_is_read_and_cuts_are_found() {
        let payload = Bytes::from_static(b"<message/>");
        let row = |id, peer: &str, payload: &Bytes| ArchiveEntry {
            id: ArchiveId(id),
            at_ms: id * 2,
            marks: 5,
            peer: peer.into(),
            payload: payload.clone(),
        };
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut writer = Writer::new();
        let rows = [
            (&a, "juliet", row(1, "romeo", &payload)),
            (&a, "romeo", row(2, "juliet/x", &payload)),
            (&b, "romeo", row(3, "", &Bytes::new())),
            (&b, "mercutio", row(5, "", &payload)),
            (&a, "romeo", row(4, "", &Bytes::from_static(b"other"))),
        ];
        for (table, partition, row) in &rows {
            writer.add(table, partition, row);
        }
        let stored = writer.finish();
        assert_eq!(stored.windows(payload.len()).filter(|part| *part == payload).count(), 1, "shared");
        let found = read(stored.clone()).unwrap();
        assert_eq!(found.len(), rows.len());
        for ((table, partition, row), (found_table, found_partition, found)) in rows.iter().zip(&found) {
            assert_eq!((*table, *partition), (found_table, &**found_partition));
            assert_eq!((row.id, row.at_ms, row.marks, &row.peer), (found.id, found.at_ms, found.marks, &found.peer));
            assert_eq!(row.payload, found.payload);
        }
        let whole: Vec<_> = (1..stored.len()).filter(|cut| read(stored[..*cut].to_vec()).is_ok()).collect();
        assert_eq!(whole.len(), rows.len(), "only cuts between rows can be read: {whole:?}");
    }
}
