//! How appends and purges become entries. Runs on the committer thread, which
//! alone writes, so it may read what it is about to change.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use super::page::{count_key, decode, decode_count, encode, id_at_end, peer_key, peer_value, row_key};
use super::{ArchiveId, Purge, SEQUENCE_BITS};
use crate::backend::Scan;
use crate::error::{Result, StoreError};
use crate::keys::{self, Family, Key};
use crate::staging::Staging;
use crate::turn::ArchiveEntry;

/// Rows that one purge removes in one commit. What is left is removed by
/// commits that follow, so that nobody else waits for a huge one.
pub(crate) const PURGE_STEP: usize = 2048;

/// Row counts that the committer remembers, so that an append reads nothing.
/// It alone writes, and after a failure nothing is written any more, so they
/// cannot go stale; only an import makes it forget them.
#[derive(Default)]
pub(crate) struct Counts {
    rows: HashMap<(Arc<str>, Arc<str>), u64>,
}

impl Counts {
    /// When there are more, all are forgotten.
    const MOST: usize = 16_384;

    pub(crate) fn forget(&mut self) {
        self.rows.clear();
    }

    fn of(&self, staging: &Staging<'_>, table: &Arc<str>, partition: &Arc<str>) -> Result<u64> {
        match self.rows.get(&(Arc::clone(table), Arc::clone(partition))) {
            Some(rows) => Ok(*rows),
            None => decode_count(table, staging.get(table, &count_key(partition))?),
        }
    }

    fn set(&mut self, staging: &mut Staging<'_>, table: &Arc<str>, partition: &Arc<str>, rows: u64) {
        if self.rows.len() >= Self::MOST {
            self.rows.clear();
        }
        self.rows.insert((Arc::clone(table), Arc::clone(partition)), rows);
        let key = count_key(partition);
        match rows {
            0 => staging.delete(table, key),
            rows => staging.put(table, key, rows.to_le_bytes().to_vec()),
        }
    }
}

/// Stages a row; says how many there are with it.
pub(crate) fn lower_append(
    staging: &mut Staging<'_>,
    counts: &mut Counts,
    table: &Arc<str>,
    partition: &Arc<str>,
    entry: &ArchiveEntry,
) -> Result<u64> {
    let row = encode(entry.at_ms, &entry.peer, &entry.payload);
    staging.put(table, row_key(partition, entry.id), row);
    staging.put(table, peer_key(partition, &entry.peer, entry.id), peer_value(&entry.peer));
    let rows = counts.of(staging, table, partition)?;
    counts.set(staging, table, partition, rows + 1);
    Ok(rows + 1)
}

/// Stages another payload for a row, if there is such a row.
pub(crate) fn lower_replace(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &Arc<str>,
    id: ArchiveId,
    payload: &[u8],
) -> Result<()> {
    let key = row_key(partition, id);
    if let Some(stored) = staging.get(table, &key)? {
        let row = decode(table, id, stored)?;
        staging.put(table, key, encode(row.at_ms, &row.peer, payload));
    }
    Ok(())
}

/// Stages the removal; returns what is left to do.
pub(crate) fn lower_purge(
    staging: &mut Staging<'_>,
    counts: &mut Counts,
    table: &Arc<str>,
    partition: &Arc<str>,
    what: Purge,
) -> Result<Option<Purge>> {
    let rows = counts.of(staging, table, partition)?;
    let (doomed, rest) = doomed(staging, table, partition, what, rows)?;
    let mut removed = 0;
    for id in doomed {
        let key = row_key(partition, id);
        let Some(stored) = staging.get(table, &key)? else { continue };
        let row = decode(table, id, stored)?;
        staging.delete(table, key);
        staging.delete(table, peer_key(partition, &row.peer, id));
        removed += 1;
    }
    if removed > 0 {
        counts.set(staging, table, partition, rows.saturating_sub(removed));
    }
    Ok(rest)
}

/// The rows to remove now, and the purge that removes the others.
fn doomed(
    staging: &Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    what: Purge,
    rows: u64,
) -> Result<(Vec<ArchiveId>, Option<Purge>)> {
    let range = match what {
        Purge::Ids(mut ids) => {
            let rest = ids.split_off(ids.len().min(PURGE_STEP));
            return Ok((ids, (!rest.is_empty()).then_some(Purge::Ids(rest))));
        }
        Purge::All => Scan::all(),
        Purge::UpTo(id) => Scan { upper: Bound::Included(id.0.to_be_bytes().to_vec()), ..Scan::all() },
        Purge::OlderThan(ms) => {
            let first = ms.min(u64::MAX >> SEQUENCE_BITS) << SEQUENCE_BITS;
            Scan::all().before(first.to_be_bytes())
        }
        Purge::KeepNewest(keep) => {
            let surplus = usize::try_from(rows).unwrap_or(usize::MAX).saturating_sub(keep);
            let (ids, _) = oldest(staging, table, partition, &Scan::all(), surplus.min(PURGE_STEP))?;
            let rest = (surplus > PURGE_STEP).then_some(Purge::KeepNewest(keep));
            return Ok((ids, rest));
        }
    };
    let (ids, more) = oldest(staging, table, partition, &range, PURGE_STEP)?;
    // Later appends have higher ids: a purge that goes on must not take them.
    let rest = match (more, range.upper) {
        (None, _) => None,
        (Some(_), Bound::Unbounded) => newest(staging, table, partition)?.map(Purge::UpTo),
        (Some(_), Bound::Included(upper)) => id_at_end(&upper).map(Purge::UpTo),
        (Some(_), Bound::Excluded(upper)) => id_at_end(&upper).map(|id| Purge::UpTo(ArchiveId(id.0.saturating_sub(1)))),
    };
    Ok((ids, rest))
}

/// The first `limit` ids of a range, and one more if there is one.
fn oldest(
    staging: &Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    range: &Scan,
    limit: usize,
) -> Result<(Vec<ArchiveId>, Option<ArchiveId>)> {
    let prefix = Key::new(Family::Entry, partition).prefix();
    let scan = keys::below(&prefix, range).limit(limit.saturating_add(1));
    let mut ids = Vec::new();
    for (key, _) in staging.scan(table, &scan)? {
        ids.push(id_at_end(&key).ok_or_else(|| StoreError::damaged(table, "archive key without id"))?);
    }
    let more = if ids.len() > limit { ids.pop() } else { None };
    Ok((ids, more))
}

fn newest(staging: &Staging<'_>, table: &Arc<str>, partition: &str) -> Result<Option<ArchiveId>> {
    let prefix = Key::new(Family::Entry, partition).prefix();
    let last = staging.scan(table, &Scan::prefix(prefix).reverse(true).limit(1))?;
    Ok(last.first().and_then(|(key, _)| id_at_end(key)))
}
