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

pub(super) fn peer_key(partition: &str, peer: &str, id: ArchiveId) -> Vec<u8> {
    Key::new(Family::Peer, partition).part(peer.as_bytes()).last(&id.0.to_be_bytes())
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

pub(super) fn page(backend: &dyn Backend, table: &str, partition: &str, query: &ArchiveQuery) -> Result<ArchivePage> {
    let prefix = match &query.peer {
        Some(peer) => Key::new(Family::Peer, partition).part(peer.as_bytes()).prefix(),
        None => Key::new(Family::Entry, partition).prefix(),
    };
    // One more than asked for tells whether there is more.
    let scan = id_range(query).limit(query.limit.saturating_add(1)).reverse(query.newest_first);
    let mut found = backend.scan(table, &keys::below(&prefix, &scan))?;
    let complete = found.len() <= query.limit;
    found.truncate(query.limit);
    let mut rows = Vec::with_capacity(found.len());
    for (key, stored) in found {
        let id = id_at_end(&key).ok_or_else(|| StoreError::damaged(table, "archive key without id"))?;
        match query.peer {
            Some(_) => rows.extend(row(backend, table, partition, id)?),
            None => rows.push(decode(table, id, stored)?),
        }
    }
    Ok(ArchivePage { rows, complete })
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
