//! Neighbouring rows of a partition in one entry: a few kilobytes, as much as a disk
//! gives at once anyway. Its key is the id of its last row when it was made; rows that
//! go leave the key as it is.
//!
//! Layout: format, number of rows, for each row id, time, marks, where its peer and its
//! payload begin, then these; all numbers little endian.

use bytes::Bytes;
use bytestring::ByteString;

use super::ArchiveId;
use crate::error::{Result, StoreError};
use crate::turn::ArchiveEntry;

const FORMAT: u8 = 2;
/// Format and number of rows.
const HEAD: usize = 3;
/// Id, time, marks, begin of the peer, its length.
const ROW: usize = 8 + 8 + 1 + 4 + 2;

/// Rows that go into one chunk.
pub(super) const ROWS: usize = 32;
/// A chunk that has so many bytes takes no more rows.
pub(super) const BYTES: usize = 8 << 10;

/// A chunk as it was read. Rows are looked at where they lie.
pub(super) struct Chunk {
    stored: Bytes,
    rows: usize,
}

pub(super) fn encode(rows: &[ArchiveEntry]) -> Vec<u8> {
    let bodies: usize = rows.iter().map(|row| row.peer.len() + row.payload.len()).sum();
    let mut out = Vec::with_capacity(HEAD + rows.len() * ROW + 4 + bodies);
    out.push(FORMAT);
    out.extend_from_slice(&u16::try_from(rows.len()).unwrap_or(u16::MAX).to_le_bytes());
    let mut at = HEAD + rows.len() * ROW + 4;
    for row in rows {
        out.extend_from_slice(&row.id.0.to_le_bytes());
        out.extend_from_slice(&row.at_ms.to_le_bytes());
        out.push(row.marks);
        out.extend_from_slice(&u32::try_from(at).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&u16::try_from(row.peer.len()).unwrap_or(u16::MAX).to_le_bytes());
        at += row.peer.len() + row.payload.len();
    }
    out.extend_from_slice(&u32::try_from(at).unwrap_or(u32::MAX).to_le_bytes());
    for row in rows {
        out.extend_from_slice(row.peer.as_bytes());
        out.extend_from_slice(&row.payload);
    }
    out
}

impl Chunk {
    pub(super) fn decode(table: &str, stored: Vec<u8>) -> Result<Self> {
        let count = stored.get(1..HEAD).and_then(|count| <[u8; 2]>::try_from(count).ok());
        let rows = usize::from(count.map_or(0, u16::from_le_bytes));
        let whole = stored.first() == Some(&FORMAT) && stored.len() >= HEAD + rows * ROW + 4;
        if !whole {
            return Err(StoreError::damaged(table, "unreadable archive rows"));
        }
        Ok(Self { stored: Bytes::from(stored), rows })
    }

    /// The rows in order of their ids.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        (0..self.rows).map(|at| Row { chunk: self, at })
    }

    fn number<const N: usize>(&self, at: usize) -> [u8; N] {
        self.stored.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }

    /// Where the peer of a row begins; behind the last row it is the end.
    fn begin(&self, row: usize) -> usize {
        let place = HEAD + row * ROW + if row < self.rows { 17 } else { 0 };
        u32::from_le_bytes(self.number(place)) as usize
    }
}

/// One row of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    chunk: &'a Chunk,
    at: usize,
}

impl<'a> Row<'a> {
    fn place(self) -> usize {
        HEAD + self.at * ROW
    }

    pub(super) fn id(self) -> ArchiveId {
        ArchiveId(u64::from_le_bytes(self.chunk.number(self.place())))
    }

    fn peer_range(self) -> std::ops::Range<usize> {
        let begin = self.chunk.begin(self.at);
        begin..begin + usize::from(u16::from_le_bytes(self.chunk.number(self.place() + 21)))
    }

    /// Its bytes, to be compared.
    pub(super) fn peer(self) -> &'a [u8] {
        self.chunk.stored.get(self.peer_range()).unwrap_or_default()
    }

    pub(super) fn payload(self) -> &'a [u8] {
        self.chunk.stored.get(self.peer_range().end..self.chunk.begin(self.at + 1)).unwrap_or_default()
    }

    /// The row, its payload shared with the chunk.
    pub(super) fn entry(self, table: &str) -> Result<ArchiveEntry> {
        let damaged = || StoreError::damaged(table, "unreadable archive row");
        let range = self.peer_range();
        let end = self.chunk.begin(self.at + 1);
        if range.end > end || end > self.chunk.stored.len() {
            return Err(damaged());
        }
        let peer = ByteString::try_from(self.chunk.stored.slice(range.clone()));
        Ok(ArchiveEntry {
            id: self.id(),
            at_ms: u64::from_le_bytes(self.chunk.number(self.place() + 8)),
            marks: u8::from_le_bytes(self.chunk.number(self.place() + 16)),
            peer: peer.map_err(|_| damaged())?,
            payload: self.chunk.stored.slice(range.end..end),
        })
    }
}
