//! Who has rows in an archive, and the newest rows of each: without reading a row.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::ArchiveId;
use super::page::{Reader, split};
use crate::backend::{Scan, prefix_end};
use crate::error::Result;
use crate::keys::{Family, Key, Parts};

/// A peer and its newest rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePeer {
    /// Its name, without a part.
    pub name: Box<str>,
    /// Newest first.
    pub rows: Vec<ArchiveMark>,
}

/// What is known of a row without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMark {
    pub id: ArchiveId,
    /// As given to [`crate::Turn::append_marked`].
    pub marks: u8,
    /// The part of the peer.
    pub part: Box<str>,
}

/// How far to look.
#[derive(Clone, Copy, Debug)]
pub struct PeersQuery {
    /// The last row of a peer that is of interest is one of whose marks these...
    pub looked_at: u8,
    /// ... are set as they are here; none if nothing is looked at.
    pub last: u8,
    /// Rows for each peer, about.
    pub rows: usize,
    /// Peers; those whose names sort first.
    pub peers: usize,
}

/// Entries of a peer read at once; most need but one.
const AT_ONCE: usize = 2;

impl Reader<'_> {
    pub(super) fn peers(&self, query: PeersQuery) -> Result<Vec<ArchivePeer>> {
        let mut tails: BTreeMap<&str, Vec<ArchiveMark>> = BTreeMap::new();
        for row in self.tail.iter().rev() {
            let (name, part) = split(&row.peer);
            let mark = ArchiveMark { id: row.id, marks: row.marks, part: part.into() };
            tails.entry(name).or_default().push(mark);
        }
        let mut found = Vec::new();
        let all = Key::new(Family::Peer, self.partition).prefix();
        let mut scan = Scan::prefix(all).limit(1);
        while found.len() < query.peers {
            let next = self.backend.scan(self.table, &scan)?;
            let Some((key, _)) = next.first() else { break };
            let mut parts = Parts::of(key);
            let Some(name) = parts.part().and_then(|_| parts.part()) else { break };
            let name = String::from_utf8_lossy(&name).into_owned();
            let prefix = Key::new(Family::Peer, self.partition).part(name.as_bytes()).prefix();
            scan.lower = Bound::Included(prefix_end(&prefix).unwrap_or_default());
            let rows = tails.remove(name.as_str()).unwrap_or_default();
            let rows = self.newest(&prefix, rows, query)?;
            found.push(ArchivePeer { name: name.into(), rows });
        }
        // Those that are in no chunk yet.
        for (name, mut rows) in tails {
            cut(&mut rows, query);
            found.push(ArchivePeer { name: name.into(), rows });
        }
        found.truncate(query.peers);
        Ok(found)
    }

    /// The newest rows of a peer, those of the tail first.
    fn newest(&self, prefix: &[u8], mut rows: Vec<ArchiveMark>, query: PeersQuery) -> Result<Vec<ArchiveMark>> {
        let mut scan = Scan::prefix(prefix).reverse(true).limit(AT_ONCE);
        // At least once: a row may be in a chunk while one that was drawn before it is in the tail.
        loop {
            let found = self.backend.scan(self.table, &scan)?;
            let Some((last, _)) = found.last() else { break };
            scan = scan.before(last.clone());
            for (_, stored) in found {
                let known = rows.len();
                rows.extend(read(&stored));
                // They lie in order of their ids.
                if let Some(new) = rows.get_mut(known..) {
                    new.reverse();
                }
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.id));
            rows.dedup_by_key(|row| row.id);
            if cut(&mut rows, query) {
                return Ok(rows);
            }
        }
        cut(&mut rows, query);
        Ok(rows)
    }
}

/// Whether there are enough; leaves out what is behind.
fn cut(rows: &mut Vec<ArchiveMark>, query: PeersQuery) -> bool {
    let is_last = |row: &ArchiveMark| query.looked_at != 0 && row.marks & query.looked_at == query.last;
    if let Some(last) = rows.iter().position(is_last) {
        rows.truncate(last + 1);
        return true;
    }
    rows.len() >= query.rows
}

fn read(mut stored: &[u8]) -> Vec<ArchiveMark> {
    let mut rows = Vec::new();
    while let Some((id, rest)) = stored.split_first_chunk::<8>()
        && let Some(([marks], rest)) = rest.split_first_chunk::<1>()
        && let Some((length, rest)) = rest.split_first_chunk::<2>()
        && let Some((part, rest)) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
    {
        let part = String::from_utf8_lossy(part).as_ref().into();
        rows.push(ArchiveMark { id: ArchiveId(u64::from_le_bytes(*id)), marks: *marks, part });
        stored = rest;
    }
    rows
}
