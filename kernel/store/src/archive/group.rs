//! The archive rows of a commit in one entry, whatever partitions they belong to: so an
//! append costs a copy of its bytes and no entry of its own. A payload that several rows
//! share, such as a message in the archives of both sides, is there once.
//!
//! Who appends writes its row here at once; when the group is committed its bytes are what goes to
//! the disk and what the rows in memory are parts of.
//!
//! Layout: format; for each row its table (a number, and the name where it first
//! occurs), partition, id, time, marks, peer, payload (or where it stands already).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use super::ArchiveId;
use super::tail::Place;
use crate::error::{Result, StoreError};
use crate::tables::{TableId, Tables};
use crate::turn::ArchiveEntry;

/// The table of groups: keys are numbers, in order.
pub(crate) const GROUPS: &str = "xylem/archive-groups";

const FORMAT: u8 = 1;
/// A group that has so many bytes is closed; the next row goes into another one.
const BYTES: usize = 512 << 10;
/// Added to the length of a payload that stands further up.
const ABOVE: u32 = 1 << 31;
/// Among so many rows before it a row looks for its payload.
const BACK: usize = 4;

/// A row that is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) id: ArchiveId,
    pub(crate) at_ms: u64,
    pub(crate) marks: u8,
    pub(crate) peer: &'a str,
    pub(crate) payload: &'a [u8],
}

impl Draft<'_> {
    /// What it takes in the queue, about.
    pub(crate) fn bytes(&self) -> usize {
        64 + self.peer.len() + self.payload.len()
    }
}

/// A group being written.
#[derive(Debug)]
pub(crate) struct Group {
    out: Vec<u8>,
    tables: Vec<TableId>,
    rows: Vec<Written>,
}

#[derive(Debug)]
struct Written {
    place: Place,
    id: ArchiveId,
    at_ms: u64,
    marks: u8,
    peer: Range<u32>,
    payload: Range<u32>,
}

impl Group {
    pub(crate) fn new() -> Self {
        Self { out: vec![FORMAT], tables: Vec::new(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, tables: &Tables, place: Place, row: &Draft<'_>) {
        let known = self.tables.iter().position(|known| *known == place.0);
        let number = known.unwrap_or(self.tables.len());
        self.out.push(u8::try_from(number).unwrap_or(u8::MAX));
        if known.is_none() {
            self.tables.push(place.0);
            self.text(&tables.name(place.0));
        }
        self.text(&place.1);
        self.out.extend_from_slice(&row.id.0.to_le_bytes());
        self.out.extend_from_slice(&row.at_ms.to_le_bytes());
        self.out.push(row.marks);
        self.text(row.peer);
        let peer = at(self.out.len() - row.peer.len())..at(self.out.len());
        let payload = self.payload(row.payload);
        self.rows.push(Written { place, id: row.id, at_ms: row.at_ms, marks: row.marks, peer, payload });
    }

    fn payload(&mut self, payload: &[u8]) -> Range<u32> {
        let length = at(payload.len());
        let same = |row: &&Written| {
            let (from, to) = (row.payload.start as usize, row.payload.end as usize);
            to - from == payload.len() && self.out.get(from..to) == Some(payload)
        };
        let above = self.rows.iter().rev().take(BACK).find(same).filter(|_| length > 0);
        if let Some(above) = above.map(|row| row.payload.clone()) {
            self.out.extend_from_slice(&(length | ABOVE).to_le_bytes());
            self.out.extend_from_slice(&above.start.to_le_bytes());
            return above;
        }
        self.out.extend_from_slice(&length.to_le_bytes());
        let from = at(self.out.len());
        self.out.extend_from_slice(payload);
        from..at(self.out.len())
    }

    /// Whether the next row belongs into another group.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= BYTES || self.tables.len() >= usize::from(u8::MAX)
    }

    /// The group as it is stored, and its rows, which are parts of it.
    pub(super) fn finish(mut self) -> (Bytes, Vec<(Place, ArchiveEntry)>) {
        if self.out.capacity() > self.out.len() + self.out.len() / 4 {
            self.out.shrink_to_fit();
        }
        let out = Bytes::from(self.out);
        let part = |range: &Range<u32>| out.slice(range.start as usize..range.end as usize);
        let row = |row: Written| {
            // It was text when it was written.
            let peer = ByteString::try_from(part(&row.peer)).unwrap_or_default();
            let payload = part(&row.payload);
            (row.place, ArchiveEntry { id: row.id, at_ms: row.at_ms, marks: row.marks, peer, payload })
        };
        let rows = self.rows.into_iter().map(row).collect();
        (out, rows)
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Groups are far smaller than 4 GiB: a row has at most 1 MiB, and the first one above the bound ends it.
fn at(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
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
        let peer = ByteString::try_from(self.stored.slice_ref(self.text()?.as_bytes())).ok()?;
        let length = u32::from_le_bytes(self.number()?);
        let payload = if length & ABOVE == 0 {
            self.take(length as usize)?
        } else {
            let at = u32::from_le_bytes(self.number()?) as usize;
            self.stored.get(at..at.checked_add((length ^ ABOVE) as usize)?)?
        };
        let payload = self.stored.slice_ref(payload);
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
        let tables = Tables::default();
        let (a, b) = (tables.id("a"), tables.id("b"));
        let row = |id, peer: &'static str, payload: &'static [u8]| Draft {
            id: ArchiveId(id),
            at_ms: id * 2,
            marks: 5,
            peer,
            payload,
        };
        let mut group = Group::new();
        let rows = [
            (a, "juliet", row(1, "romeo", b"<message/>")),
            (a, "romeo", row(2, "juliet/x", b"<message/>")),
            (b, "romeo", row(3, "", b"")),
            (b, "mercutio", row(5, "", b"<message/>")),
            (a, "romeo", row(4, "", b"other")),
        ];
        for (table, partition, row) in &rows {
            group.add(&tables, (*table, (*partition).into()), row);
        }
        let (stored, held) = group.finish();
        assert_eq!(stored.windows(payload.len()).filter(|part| *part == payload).count(), 1, "shared");
        let found = read(stored.to_vec()).unwrap();
        assert_eq!((found.len(), held.len()), (rows.len(), rows.len()));
        let both = found.iter().zip(&held);
        for ((table, partition, row), ((found_table, found_partition, found), (place, held))) in rows.iter().zip(both) {
            assert_eq!((&*tables.name(*table), *partition), (&**found_table, &**found_partition));
            assert_eq!((*table, *partition), (place.0, &*place.1));
            for found in [found, held] {
                assert_eq!(
                    (row.id, row.at_ms, row.marks, row.peer),
                    (found.id, found.at_ms, found.marks, &*found.peer)
                );
                assert_eq!(row.payload, found.payload);
            }
        }
        let whole: Vec<_> = (1..stored.len()).filter(|cut| read(stored[..*cut].to_vec()).is_ok()).collect();
        assert_eq!(whole.len(), rows.len(), "only cuts between rows can be read: {whole:?}");
    }
}
