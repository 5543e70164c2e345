//! Reading an archive.

use std::ops::{Bound, RangeBounds};

use super::chunk::Chunk;
use super::{ArchiveId, ArchivePage, ArchiveQuery, ArchiveRow, SEQUENCE_BITS};
use crate::backend::{Backend, Scan};
use crate::error::{Result, StoreError};
use crate::keys::{self, Family, Key};
use crate::text::Sought;
use crate::turn::ArchiveEntry;

pub(super) fn id_at_end(key: &[u8]) -> Option<ArchiveId> {
    key.last_chunk::<8>().map(|id| ArchiveId(u64::from_be_bytes(*id)))
}

pub(super) fn row_key(partition: &str, id: ArchiveId) -> Vec<u8> {
    Key::new(Family::Entry, partition).last(&id.0.to_be_bytes())
}

/// Chunks in which the peer of this name has rows.
pub(super) fn peer_key(partition: &str, name: &str, chunk: ArchiveId) -> Vec<u8> {
    Key::new(Family::Peer, partition).part(name.as_bytes()).last(&chunk.0.to_be_bytes())
}

/// Its rows there: id, marks, part.
pub(super) fn peer_value(rows: &[&ArchiveEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 24);
    for row in rows {
        let part = split(&row.peer).1.as_bytes();
        out.extend_from_slice(&row.id.0.to_le_bytes());
        out.push(row.marks);
        out.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// The words in a chunk.
pub(super) fn words_key(partition: &str, chunk: ArchiveId) -> Vec<u8> {
    Key::new(Family::Words, partition).last(&chunk.0.to_be_bytes())
}

pub(super) fn count_key(partition: &str) -> Vec<u8> {
    Key::new(Family::Count, partition).prefix()
}

/// The name of a peer, and the part of it.
pub(super) fn split(peer: &str) -> (&str, &str) {
    peer.split_once('/').unwrap_or((peer, ""))
}

/// An archive to read: what is in chunks, and the rows that are not yet.
pub(super) struct Reader<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) table: &'a str,
    pub(super) partition: &'a str,
    /// In order of their ids; taken before anything is read.
    pub(super) tail: Vec<ArchiveEntry>,
}

impl Reader<'_> {
    pub(super) fn row(&self, id: ArchiveId) -> Result<Option<ArchiveRow>> {
        if let Ok(at) = self.tail.binary_search_by_key(&id, |row| row.id) {
            return Ok(self.tail.get(at).cloned().map(shown));
        }
        let Some(chunk) = self.chunks_from(id)?.pop() else { return Ok(None) };
        let found = chunk.1.rows().find(|row| row.id() == id);
        found.map(|row| row.entry(self.table).map(shown)).transpose()
    }

    pub(super) fn page(&self, query: &ArchiveQuery) -> Result<ArchivePage> {
        for id in &query.required {
            if self.row(*id)?.is_none() {
                return Ok(missing(*id));
            }
        }
        if let Some(ids) = &query.ids {
            return self.named(ids, query);
        }
        let range = Range::of(query);
        let peer = query.peer.as_deref().map(|peer| (peer, split(peer)));
        let wanted = |row: &[u8]| match peer {
            None => true,
            Some((_, (name, ""))) => row == name.as_bytes() || named(row, name),
            Some((full, _)) => row == full.as_bytes(),
        };
        let accepts = |payload: &[u8]| query.search.as_ref().is_none_or(|search| (search.accepts)(payload));
        let mut found = Found::new(query);
        let exhausted = match peer {
            _ if found.sought.as_ref().is_some_and(Vec::is_empty) => true,
            _ if found.sought.is_some() => {
                self.gather(Key::new(Family::Words, self.partition).prefix(), &range, &wanted, &mut found)?
            }
            None => self.gather(Key::new(Family::Entry, self.partition).prefix(), &range, &wanted, &mut found)?,
            Some((_, (name, _))) => {
                let prefix = Key::new(Family::Peer, self.partition).part(name.as_bytes()).prefix();
                self.gather(prefix, &range, &wanted, &mut found)?
            }
        };
        let tail = self.tail.iter().filter(|row| range.holds(row.id) && wanted(row.peer.as_bytes()));
        let tail = tail.filter(|row| accepts(&row.payload));
        found.rows.extend(tail.cloned());
        Ok(found.page(exhausted))
    }

    /// Collects rows from the chunks that the keys below `prefix` end with, until there are more than
    /// a page takes. True when it came to the end.
    fn gather(
        &self,
        prefix: Vec<u8>,
        range: &Range,
        wanted: &dyn Fn(&[u8]) -> bool,
        found: &mut Found<'_>,
    ) -> Result<bool> {
        let of_rows = prefix.first() == Some(&(Family::Entry as u8));
        let newest_first = found.query.newest_first;
        for scan in range.scans(newest_first) {
            let mut scan = keys::below(&prefix, &scan);
            let single = scan.limit == 1;
            loop {
                let limit = scan.limit.min(found.chunks());
                let chunks = self.backend.scan(self.table, &scan.clone().limit(limit))?;
                let read = chunks.len();
                if let Some((last, _)) = chunks.last() {
                    scan = if scan.reverse { scan.before(last.clone()) } else { scan.after(last.clone()) };
                }
                for (key, stored) in chunks {
                    if found.passes_by(&stored) {
                        continue;
                    }
                    let stored = if of_rows { Some(stored) } else { self.chunk_at(&key)? };
                    // A chunk that is gone by now has no rows any more.
                    let Some(stored) = stored else { continue };
                    let chunk = Chunk::decode(self.table, stored)?;
                    if !self.take(&chunk, range, wanted, found)? {
                        return Ok(false);
                    }
                    if range.ends_before(key_id(self.table, &key)?, newest_first) {
                        return Ok(true);
                    }
                }
                if single || read < limit {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// False when there are more rows than a page takes.
    fn take(
        &self,
        chunk: &Chunk,
        range: &Range,
        wanted: &dyn Fn(&[u8]) -> bool,
        found: &mut Found<'_>,
    ) -> Result<bool> {
        let search = found.query.search.as_ref();
        let rows = chunk.rows().filter(|row| range.holds(row.id()) && wanted(row.peer()));
        let rows = rows.filter(|row| search.is_none_or(|search| (search.accepts)(row.payload())));
        let newest_first = found.query.newest_first;
        let mut add = |row: super::chunk::Row<'_>| Ok::<bool, StoreError>(found.add(row.entry(self.table)?));
        if newest_first {
            for row in rows.rev() {
                if !add(row)? {
                    return Ok(false);
                }
            }
        } else {
            for row in rows {
                if !add(row)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn chunk_at(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.backend.get(self.table, &row_key(self.partition, key_id(self.table, key)?))
    }

    /// The first chunk that may hold the row.
    fn chunks_from(&self, id: ArchiveId) -> Result<Vec<(ArchiveId, Chunk)>> {
        let prefix = Key::new(Family::Entry, self.partition).prefix();
        let from = Scan { lower: Bound::Included(id.0.to_be_bytes().to_vec()), ..Scan::all() };
        let found = self.backend.scan(self.table, &keys::below(&prefix, &from).limit(1))?;
        let chunk =
            |(key, stored): (Vec<u8>, Vec<u8>)| Ok((key_id(self.table, &key)?, Chunk::decode(self.table, stored)?));
        found.into_iter().map(chunk).collect()
    }

    fn named(&self, ids: &[ArchiveId], query: &ArchiveQuery) -> Result<ArchivePage> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let range = Range::of(query);
        let mut found = Found::new(query);
        for id in ids {
            let Some(row) = self.row(id)? else { return Ok(missing(id)) };
            let of_peer = query.peer.as_deref().is_none_or(|peer| match split(peer) {
                (name, "") => split(&row.peer).0 == name,
                _ => *row.peer == *peer,
            });
            let sought = query.search.as_ref().is_none_or(|search| (search.accepts)(&row.payload));
            if of_peer && sought && range.holds(id) {
                let ArchiveRow { id, at_ms, peer, payload } = row;
                found.rows.push(ArchiveEntry { id, at_ms, marks: 0, peer, payload });
            }
        }
        Ok(found.page(true))
    }
}

fn missing(id: ArchiveId) -> ArchivePage {
    ArchivePage { missing: Some(id), ..ArchivePage::default() }
}

fn shown(row: ArchiveEntry) -> ArchiveRow {
    ArchiveRow { id: row.id, at_ms: row.at_ms, peer: row.peer, payload: row.payload }
}

/// Whether a peer has this name, whatever its part.
fn named(peer: &[u8], name: &str) -> bool {
    peer.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
}

/// Rows for a page, and one more if there is one.
struct Found<'a> {
    rows: Vec<ArchiveEntry>,
    bytes: usize,
    query: &'a ArchiveQuery,
    /// What chunks must have to be looked at.
    sought: Option<Vec<u16>>,
}

/// Chunks read at once, so that big rows are noticed before many are in memory.
const AT_ONCE: usize = 8;

/// Words of chunks read at once.
const WORDS_AT_ONCE: usize = 256;

impl<'a> Found<'a> {
    fn new(query: &'a ArchiveQuery) -> Self {
        let sought = query.search.as_ref().map(|search| search.sought.hashes());
        Self { rows: Vec::new(), bytes: 0, query, sought }
    }

    /// Whether a chunk with these words has nothing of what is sought.
    fn passes_by(&self, words: &[u8]) -> bool {
        self.sought.as_ref().is_some_and(|sought| !Sought::may_be_in(sought, words))
    }

    /// False when the page is full without it.
    fn add(&mut self, row: ArchiveEntry) -> bool {
        let room = self.rows.len() < self.query.limit && self.bytes < self.query.bytes;
        self.bytes = self.bytes.saturating_add(row.payload.len());
        self.rows.push(row);
        room
    }

    /// How many chunks to read next.
    fn chunks(&self) -> usize {
        if self.sought.is_some() {
            return WORDS_AT_ONCE;
        }
        let left = self.query.limit.saturating_sub(self.rows.len());
        (left / super::chunk::ROWS + 2).min(AT_ONCE)
    }

    /// The page, from rows in any order, some of them twice.
    fn page(mut self, exhausted: bool) -> ArchivePage {
        self.rows.sort_by_key(|row| row.id);
        self.rows.dedup_by_key(|row| row.id);
        if self.query.newest_first {
            self.rows.reverse();
        }
        let (mut rows, mut bytes, total) = (Vec::new(), 0_usize, self.rows.len());
        for row in self.rows {
            if rows.len() >= self.query.limit || bytes >= self.query.bytes {
                break;
            }
            bytes = bytes.saturating_add(row.payload.len());
            rows.push(shown(row));
        }
        let complete = exhausted && rows.len() == total;
        ArchivePage { rows, complete, missing: None }
    }
}

/// The ids that a query allows.
struct Range {
    lower: Bound<u64>,
    upper: Bound<u64>,
}

impl Range {
    fn of(query: &ArchiveQuery) -> Self {
        // From the first id of a millisecond on.
        let start = query.start_ms.map(|start| start.min(u64::MAX >> SEQUENCE_BITS) << SEQUENCE_BITS);
        let after = query.after.map(|after| after.0.saturating_add(1));
        let above = query.end_ms.and_then(|end| end.checked_add(1)).filter(|end| end >> (64 - SEQUENCE_BITS) == 0);
        let below = [above.map(|above| above << SEQUENCE_BITS), query.before.map(|before| before.0)];
        Self {
            lower: start.max(after).map_or(Bound::Unbounded, Bound::Included),
            upper: below.into_iter().flatten().min().map_or(Bound::Unbounded, Bound::Excluded),
        }
    }

    fn holds(&self, id: ArchiveId) -> bool {
        (self.lower, self.upper).contains(&id.0)
    }

    /// Over the keys of chunks, each of which is not before any row of the chunk: those that may
    /// have rows of the range, in the direction that is asked for.
    fn scans(&self, newest_first: bool) -> Vec<Scan> {
        let bytes = |bound: &Bound<u64>| match bound {
            Bound::Included(id) => Bound::Included(id.to_be_bytes().to_vec()),
            Bound::Excluded(id) => Bound::Excluded(id.to_be_bytes().to_vec()),
            Bound::Unbounded => Bound::Unbounded,
        };
        let lower = bytes(&self.lower);
        if !newest_first {
            return vec![Scan { lower, ..Scan::all() }];
        }
        match &self.upper {
            Bound::Excluded(above) => {
                let above = above.to_be_bytes().to_vec();
                // The chunk across the upper end, then those below it.
                let across = Scan { lower: Bound::Included(above.clone()), ..Scan::all() }.limit(1);
                vec![across, Scan { lower, upper: Bound::Excluded(above), ..Scan::all() }.reverse(true)]
            }
            _ => vec![Scan { lower, ..Scan::all() }.reverse(true)],
        }
    }

    /// Whether chunks behind this one have no rows of the range.
    fn ends_before(&self, chunk: ArchiveId, newest_first: bool) -> bool {
        !newest_first && !matches!(self.upper, Bound::Unbounded) && !(Bound::Unbounded, self.upper).contains(&chunk.0)
    }
}

fn key_id(table: &str, key: &[u8]) -> Result<ArchiveId> {
    id_at_end(key).ok_or_else(|| StoreError::damaged(table, "archive key without id"))
}
