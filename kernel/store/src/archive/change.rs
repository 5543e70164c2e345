//! Chunks of one partition, and the entries by which rows of a peer are found: adding,
//! replacing, removing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::{self, Chunk};
use super::page::{count_key, id_at_end, peer_key, peer_value, row_key, split, words_key};
use super::{ArchiveId, Purge, SEQUENCE_BITS};
use crate::backend::{Backend, Scan};
use crate::error::{Result, StoreError};
use crate::keys::{self, Family, Key};
use crate::staging::Staging;
use crate::text::{Signature, TextOf};
use crate::turn::ArchiveEntry;

/// Rows that one purge removes in one commit, about. What is left is removed by
/// commits that follow, so that nobody else waits for a huge one.
const PURGE_STEP: u64 = 2048;
/// Chunks read at once.
const AT_ONCE: usize = 16;

/// What the partition's own entry says of its chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Rows in chunks.
    pub(super) rows: u64,
    /// The newest of them that ever was.
    pub(super) last: u64,
    /// Rows in groups before this one are in chunks.
    pub(super) from_group: u64,
}

impl State {
    pub(super) fn decode(table: &str, stored: Option<Vec<u8>>) -> Result<Self> {
        let Some(stored) = stored else { return Ok(Self::default()) };
        let mut numbers =
            stored.chunks_exact(8).map(|number| u64::from_le_bytes(number.try_into().unwrap_or_default()));
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(rows), Some(last), Some(from_group)) => Ok(Self { rows, last, from_group }),
            _ => Err(StoreError::damaged(table, "unreadable row count")),
        }
    }

    pub(super) fn read(backend: &dyn Backend, table: &str, partition: &str) -> Result<Self> {
        Self::decode(table, backend.get(table, &count_key(partition))?)
    }

    fn write(self, staging: &mut Staging<'_>, table: &Arc<str>, partition: &str) {
        let stored = [self.rows, self.last, self.from_group].map(u64::to_le_bytes).concat();
        staging.put(table, count_key(partition), stored);
    }
}

/// Adds rows, which are in order.
pub(super) fn add(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    state: &mut State,
    rows: Vec<ArchiveEntry>,
) -> Result<()> {
    state.rows += rows.len() as u64;
    // Who draws an id first may be committed second.
    let late = rows.partition_point(|row| row.id.0 <= state.last);
    let mut rows = rows;
    let new = rows.split_off(late);
    for row in rows {
        insert(staging, table, partition, row)?;
    }
    let mut left = new.as_slice();
    while !left.is_empty() {
        // A few rows too many are better here than in a chunk of their own.
        let fits = match fitting(left, 2) {
            all if all == left.len() => all,
            _ => fitting(left, 1),
        };
        let (rows, rest) = left.split_at(fits);
        if let Some(last) = rows.last() {
            put(staging, table, partition, last.id, rows);
            state.last = last.id.0;
        }
        left = rest;
    }
    state.write(staging, table, partition);
    Ok(())
}

/// How many of these rows go into a chunk of so many times the usual size; one at least.
fn fitting(rows: &[ArchiveEntry], times: usize) -> usize {
    let mut bytes = 0;
    let within = |row: &&ArchiveEntry| {
        bytes += row.bytes();
        bytes < chunk::BYTES * times
    };
    rows.iter().take(chunk::ROWS * times).take_while(within).count().max(1)
}

/// Puts a row between others.
fn insert(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str, row: ArchiveEntry) -> Result<()> {
    let Some((key, mut rows)) = holding(staging, table, partition, row.id)? else {
        put(staging, table, partition, row.id, &[row]);
        return Ok(());
    };
    drop_peers(staging, table, partition, key, &rows);
    rows.insert(rows.partition_point(|other| other.id < row.id), row);
    put(staging, table, partition, key, &rows);
    Ok(())
}

/// Another payload for a row, if there is such a row.
pub(super) fn replace(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    id: ArchiveId,
    payload: &Bytes,
) -> Result<()> {
    let Some((key, mut rows)) = holding(staging, table, partition, id)? else { return Ok(()) };
    if let Some(row) = rows.iter_mut().find(|row| row.id == id) {
        row.payload = payload.clone();
        put(staging, table, partition, key, &rows);
    }
    Ok(())
}

/// Stages a removal; returns what is left to do.
pub(super) fn purge(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    what: Purge,
    state: &mut State,
) -> Result<Option<Purge>> {
    let before = state.rows;
    let rest = match what {
        Purge::Ids(mut ids) => {
            let rest = ids.split_off(ids.len().min(usize::try_from(PURGE_STEP).unwrap_or(usize::MAX)));
            for id in ids {
                state.rows -= remove_one(staging, table, partition, id)?;
            }
            (!rest.is_empty()).then_some(Purge::Ids(rest))
        }
        Purge::KeepNewest(keep) => {
            let surplus = state.rows.saturating_sub(keep as u64);
            let most = surplus.min(PURGE_STEP);
            let removed = remove_oldest(staging, table, partition, u64::MAX, most)?;
            state.rows -= removed;
            (removed < surplus && removed > 0).then_some(Purge::KeepNewest(keep))
        }
        Purge::All => up_to(staging, table, partition, state.last, state)?,
        Purge::UpTo(id) => up_to(staging, table, partition, id.0, state)?,
        Purge::OlderThan(ms) => {
            let first = ms.min(u64::MAX >> SEQUENCE_BITS) << SEQUENCE_BITS;
            match first.checked_sub(1) {
                Some(last) => up_to(staging, table, partition, last, state)?,
                None => None,
            }
        }
    };
    if state.rows != before {
        state.write(staging, table, partition);
    }
    Ok(rest)
}

/// Later appends have higher ids: a purge that goes on does not take them.
fn up_to(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    last: u64,
    state: &mut State,
) -> Result<Option<Purge>> {
    let removed = remove_oldest(staging, table, partition, last, PURGE_STEP)?;
    state.rows -= removed;
    Ok((removed >= PURGE_STEP && state.rows > 0).then_some(Purge::UpTo(ArchiveId(last))))
}

/// Removes rows from the first on, up to and including `last`, `most` at most; says how many there were.
fn remove_oldest(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str, last: u64, most: u64) -> Result<u64> {
    let prefix = Key::new(Family::Entry, partition).prefix();
    let mut scan = Scan::prefix(prefix).limit(AT_ONCE);
    let mut removed = 0;
    loop {
        let found = staging.scan(table, &scan)?;
        let Some((at, _)) = found.last() else { return Ok(removed) };
        scan = scan.after(at.clone());
        for (key, stored) in found {
            let rows = rows_of(table, stored)?;
            let doomed = rows.iter().take(usize::try_from(most - removed).unwrap_or(usize::MAX));
            let doomed = doomed.take_while(|row| row.id.0 <= last).count();
            removed += doomed as u64;
            let (_, left) = rows.split_at(doomed);
            if doomed > 0 {
                shrink(staging, table, partition, key_id(table, &key)?, &rows, left);
            }
            if !left.is_empty() || removed >= most {
                return Ok(removed);
            }
        }
    }
}

fn remove_one(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str, id: ArchiveId) -> Result<u64> {
    let Some((key, rows)) = holding(staging, table, partition, id)? else { return Ok(0) };
    let left: Vec<ArchiveEntry> = rows.iter().filter(|row| row.id != id).cloned().collect();
    if left.len() == rows.len() {
        return Ok(0);
    }
    shrink(staging, table, partition, key, &rows, &left);
    Ok(1)
}

fn shrink(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    key: ArchiveId,
    rows: &[ArchiveEntry],
    left: &[ArchiveEntry],
) {
    drop_peers(staging, table, partition, key, rows);
    if left.is_empty() {
        staging.delete(table, row_key(partition, key));
    } else {
        put(staging, table, partition, key, left);
    }
}

/// The chunk in which this row is, if it is anywhere.
fn holding(
    staging: &Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    id: ArchiveId,
) -> Result<Option<(ArchiveId, Vec<ArchiveEntry>)>> {
    let prefix = Key::new(Family::Entry, partition).prefix();
    let from = Scan { lower: Bound::Included(id.0.to_be_bytes().to_vec()), ..Scan::all() };
    let found = staging.scan(table, &keys::below(&prefix, &from).limit(1))?;
    let Some((key, stored)) = found.into_iter().next() else { return Ok(None) };
    Ok(Some((key_id(table, &key)?, rows_of(table, stored)?)))
}

fn put(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str, key: ArchiveId, rows: &[ArchiveEntry]) {
    staging.put(table, row_key(partition, key), chunk::encode(rows));
    let mut peers: BTreeMap<&str, Vec<&ArchiveEntry>> = BTreeMap::new();
    for row in rows {
        peers.entry(split(&row.peer).0).or_default().push(row);
    }
    for (peer, rows) in peers {
        staging.put(table, peer_key(partition, peer, key), peer_value(&rows));
    }
    if let Some(text_of) = staging.text_of(table) {
        staging.put(table, words_key(partition, key), words(&text_of, partition, rows));
    }
}

/// The words of these rows; empty if that is not known of all of them.
fn words(text_of: &TextOf, partition: &str, rows: &[ArchiveEntry]) -> Vec<u8> {
    let mut signature = Signature::default();
    for row in rows {
        let Some(text) = text_of(partition, &row.payload) else { return Vec::new() };
        signature.add(&text);
    }
    signature.encode()
}

fn drop_peers(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str, key: ArchiveId, rows: &[ArchiveEntry]) {
    for row in rows {
        staging.delete(table, peer_key(partition, split(&row.peer).0, key));
    }
    staging.delete(table, words_key(partition, key));
}

fn rows_of(table: &str, stored: Vec<u8>) -> Result<Vec<ArchiveEntry>> {
    let chunk = Chunk::decode(table, stored)?;
    chunk.rows().map(|row| row.entry(table)).collect()
}

fn key_id(table: &str, key: &[u8]) -> Result<ArchiveId> {
    id_at_end(key).ok_or_else(|| StoreError::damaged(table, "archive key without id"))
}
