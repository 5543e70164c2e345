//! Reading an archive, and the form of its rows.

use bytes::Bytes;

use super::{ArchiveId, ArchivePage, ArchiveQuery, ArchiveRow, SEQUENCE_BITS};
use crate::backend::{Backend, Scan};
use crate::error::{Result, StoreError};
use crate::keys::{self, Family, Key};

const FORMAT: u8 = 1;

pub(super) fn encode(at_ms: u64, peer: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + peer.len() + 11);
    out.push(FORMAT);
    out.extend_from_slice(&at_ms.to_le_bytes());
    out.extend_from_slice(&u16::try_from(peer.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(peer.as_bytes());
    out.extend_from_slice(payload);
    out
}

pub(super) fn decode(table: &str, id: ArchiveId, stored: Vec<u8>) -> Result<ArchiveRow> {
    parse(id, &Bytes::from(stored)).ok_or_else(|| StoreError::damaged(table, "unreadable archive row"))
}

fn parse(id: ArchiveId, stored: &Bytes) -> Option<ArchiveRow> {
    let (format, rest) = stored.split_first()?;
    let (at_ms, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (peer, payload) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let peer = std::str::from_utf8(peer).ok()?;
    let payload = stored.slice_ref(payload);
    let at_ms = u64::from_le_bytes(*at_ms);
    (*format == FORMAT).then(|| ArchiveRow { id, at_ms, peer: peer.into(), payload })
}

pub(super) fn id_at_end(key: &[u8]) -> Option<ArchiveId> {
    key.last_chunk::<8>().map(|id| ArchiveId(u64::from_be_bytes(*id)))
}

pub(super) fn row_key(partition: &str, id: ArchiveId) -> Vec<u8> {
    Key::new(Family::Entry, partition).last(&id.0.to_be_bytes())
}

/// Rows are found by the name of their peer; the entry holds the part.
pub(super) fn peer_key(partition: &str, peer: &str, id: ArchiveId) -> Vec<u8> {
    Key::new(Family::Peer, partition).part(split(peer).0.as_bytes()).last(&id.0.to_be_bytes())
}

pub(super) fn peer_value(peer: &str) -> Vec<u8> {
    split(peer).1.as_bytes().to_vec()
}

pub(super) fn count_key(partition: &str) -> Vec<u8> {
    Key::new(Family::Count, partition).prefix()
}

pub(super) fn decode_count(table: &str, stored: Option<Vec<u8>>) -> Result<u64> {
    let Some(stored) = stored else { return Ok(0) };
    let number = <[u8; 8]>::try_from(stored.as_slice());
    number.map(u64::from_le_bytes).map_err(|_| StoreError::damaged(table, "unreadable row count"))
}

pub(super) fn count(backend: &dyn Backend, table: &str, partition: &str) -> Result<u64> {
    decode_count(table, backend.get(table, &count_key(partition))?)
}

pub(super) fn row(backend: &dyn Backend, table: &str, partition: &str, id: ArchiveId) -> Result<Option<ArchiveRow>> {
    let stored = backend.get(table, &row_key(partition, id))?;
    stored.map(|stored| decode(table, id, stored)).transpose()
}

/// The name of a peer, and the part of it.
fn split(peer: &str) -> (&str, &str) {
    peer.split_once('/').unwrap_or((peer, ""))
}

pub(super) fn page(backend: &dyn Backend, table: &str, partition: &str, query: &ArchiveQuery) -> Result<ArchivePage> {
    for id in &query.required {
        if backend.get(table, &row_key(partition, *id))?.is_none() {
            return Ok(ArchivePage { missing: Some(*id), ..ArchivePage::default() });
        }
    }
    let mut page = Filling { rows: Vec::new(), bytes: 0, query };
    let complete = match (&query.ids, &query.peer) {
        (Some(ids), _) => match named(backend, table, partition, ids, &mut page)? {
            Named::Missing(id) => return Ok(ArchivePage { missing: Some(id), ..ArchivePage::default() }),
            Named::Filled { complete } => complete,
        },
        (None, Some(peer)) => of_peer(backend, table, partition, peer, &mut page)?,
        (None, None) => of_all(backend, table, partition, &mut page)?,
    };
    Ok(ArchivePage { rows: page.rows, complete, missing: None })
}

/// A page being filled.
struct Filling<'a> {
    rows: Vec<ArchiveRow>,
    bytes: usize,
    query: &'a ArchiveQuery,
}

impl Filling<'_> {
    /// Takes a row if there is room.
    fn take(&mut self, row: ArchiveRow) -> bool {
        let room = self.has_room();
        if room {
            self.bytes = self.bytes.saturating_add(row.payload.len());
            self.rows.push(row);
        }
        room
    }

    fn has_room(&self) -> bool {
        self.rows.len() < self.query.limit && self.bytes < self.query.bytes
    }

    /// How many entries to read next; one more than there is room for tells whether there is more.
    fn wanted(&self) -> usize {
        self.query.limit.saturating_sub(self.rows.len()).saturating_add(1).min(AT_ONCE)
    }
}

/// Entries read at once, so that big rows are noticed before many are in memory.
const AT_ONCE: usize = 128;
/// The same for index entries, which are small.
const INDEX_AT_ONCE: usize = 1024;

/// True when it reached the end of what matches.
fn of_all(backend: &dyn Backend, table: &str, partition: &str, page: &mut Filling<'_>) -> Result<bool> {
    let prefix = Key::new(Family::Entry, partition).prefix();
    let mut scan = keys::below(&prefix, &id_range(page.query)).reverse(page.query.newest_first);
    loop {
        let wanted = page.wanted();
        let found = backend.scan(table, &scan.clone().limit(wanted))?;
        let exhausted = found.len() < wanted;
        if let Some((last, _)) = found.last() {
            scan = if scan.reverse { scan.before(last.clone()) } else { scan.after(last.clone()) };
        }
        for (key, stored) in found {
            if !page.take(decode(table, key_id(table, &key)?, stored)?) {
                return Ok(false);
            }
        }
        if exhausted {
            return Ok(true);
        }
    }
}

fn of_peer(backend: &dyn Backend, table: &str, partition: &str, peer: &str, page: &mut Filling<'_>) -> Result<bool> {
    let (name, part) = split(peer);
    let prefix = Key::new(Family::Peer, partition).part(name.as_bytes()).prefix();
    let mut scan = keys::below(&prefix, &id_range(page.query)).reverse(page.query.newest_first);
    loop {
        let wanted = if part.is_empty() { page.wanted() } else { INDEX_AT_ONCE };
        let found = backend.scan(table, &scan.clone().limit(wanted))?;
        let exhausted = found.len() < wanted;
        if let Some((last, _)) = found.last() {
            scan = if scan.reverse { scan.before(last.clone()) } else { scan.after(last.clone()) };
        }
        for (key, _) in found.iter().filter(|(_, of)| part.is_empty() || of == part.as_bytes()) {
            if !page.has_room() {
                return Ok(false);
            }
            // A row that was removed since the index was read is left out.
            if let Some(row) = row(backend, table, partition, key_id(table, key)?)? {
                page.take(row);
            }
        }
        if exhausted {
            return Ok(true);
        }
    }
}

enum Named {
    Missing(ArchiveId),
    Filled { complete: bool },
}

fn named(
    backend: &dyn Backend,
    table: &str,
    partition: &str,
    ids: &[ArchiveId],
    page: &mut Filling<'_>,
) -> Result<Named> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if page.query.newest_first {
        ids.reverse();
    }
    let range = id_range(page.query);
    let mut complete = true;
    for id in ids {
        let Some(row) = row(backend, table, partition, id)? else { return Ok(Named::Missing(id)) };
        let of_peer = page.query.peer.as_deref().is_none_or(|peer| match split(peer) {
            (name, "") => split(&row.peer).0 == name,
            _ => *row.peer == *peer,
        });
        if of_peer && holds(&range, id) {
            complete &= page.take(row);
        }
    }
    Ok(Named::Filled { complete })
}

fn holds(range: &Scan, id: ArchiveId) -> bool {
    use std::ops::RangeBounds;
    let id = id.0.to_be_bytes().to_vec();
    (range.lower.clone(), range.upper.clone()).contains(&id)
}

fn key_id(table: &str, key: &[u8]) -> Result<ArchiveId> {
    id_at_end(key).ok_or_else(|| StoreError::damaged(table, "archive key without id"))
}

/// The ids that a query allows, as a scan over their big-endian form.
fn id_range(query: &ArchiveQuery) -> Scan {
    let mut scan = Scan::all();
    if let Some(start) = query.start_ms {
        // From the first id of that millisecond on.
        let first = start.min(u64::MAX >> SEQUENCE_BITS) << SEQUENCE_BITS;
        scan = Scan { lower: std::ops::Bound::Included(first.to_be_bytes().to_vec()), ..scan };
    }
    if let Some(after) = query.after {
        scan = scan.after(after.0.to_be_bytes());
    }
    if let Some(above) = query.end_ms.and_then(|end| end.checked_add(1)).filter(|end| end >> (64 - SEQUENCE_BITS) == 0)
    {
        scan = scan.before((above << SEQUENCE_BITS).to_be_bytes());
    }
    if let Some(before) = query.before {
        scan = scan.before(before.0.to_be_bytes());
    }
    scan
}
