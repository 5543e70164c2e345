//! How appends, replacements and purges become entries. Runs on the committer thread,
//! which alone writes, so it may read what it is about to change.
//!
//! A row is written twice at most: at once, with all others of the commit, into a group;
//! and, when its partition has enough of them, with its neighbours into a chunk.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::change::{self, State};
use super::chunk;
use super::group::{self, Draft, GROUPS, Group};
use super::tail::{Place, Tails};
use super::tally::Tallies;
use super::{ArchiveId, Purge};
use crate::backend::{Backend, Scan};
use crate::committer::newest_archive_id;
use crate::error::{Result, StoreError};
use crate::staging::Staging;
use crate::tables::Tables;
use crate::turn::ArchiveEntry;

/// Bytes in groups from which on each commit moves some of the oldest rows into chunks.
const HIGH: usize = 8 << 20;
/// Partitions that are folded with a commit because there is too much in groups.
const RELIEVED: usize = 64;
/// Partitions that are folded in one commit when all are.
const AT_ONCE: usize = 1024;

/// What the committer knows of archives.
pub(crate) struct Folder {
    groups_table: Arc<str>,
    /// By number; those that have rows which are in no chunk.
    groups: BTreeMap<u64, Filed>,
    next: u64,
    bytes: usize,
    known: HashMap<Place, Known>,
    /// Counts commits.
    commit: u64,
    /// Where rows go that come with turns.
    open: Option<(u64, Group)>,
    /// The rows of the commit that is being put together.
    fresh: Vec<Fresh>,
    /// Partitions that have enough rows for a chunk with these.
    full: Vec<Place>,
    folded: Vec<Place>,
}

/// A group on disk.
#[derive(Default)]
struct Filed {
    rows: u64,
    bytes: usize,
    places: Vec<Place>,
}

/// What is known of a partition.
#[derive(Default)]
struct Known {
    state: State,
    /// Its rows that are in no chunk: how many, how big, and how many in which group.
    rows: u64,
    bytes: usize,
    groups: Vec<(u64, u64)>,
    /// The last of its fresh rows, in the commit of this number.
    fresh: (u64, usize),
    /// Was folded in the commit of this number.
    folded: u64,
}

struct Fresh {
    place: Place,
    /// The fresh row before it of the same partition.
    before: Option<usize>,
    /// Rows of the partition with it.
    total: u64,
    /// None if it is in a chunk by now.
    row: Option<ArchiveEntry>,
}

impl Folder {
    /// Partitions of which something is remembered, so that an append reads nothing.
    const MOST: usize = 65_536;

    /// Reads what is in groups; the rows go to `tails`.
    pub(crate) fn open(backend: &dyn Backend, tables: &Tables, tails: &Tails) -> Result<Self> {
        let mut folder = Self {
            groups_table: GROUPS.into(),
            groups: BTreeMap::new(),
            // Above all numbers that ever were, as each group has a row, and each row an id of its own.
            next: newest_archive_id(backend)?.saturating_add(1),
            bytes: 0,
            known: HashMap::new(),
            commit: 1,
            open: None,
            fresh: Vec::new(),
            full: Vec::new(),
            folded: Vec::new(),
        };
        folder.read_groups(backend, tables, tails)?;
        Ok(folder)
    }

    fn read_groups(&mut self, backend: &dyn Backend, tables: &Tables, tails: &Tails) -> Result<()> {
        let mut scan = Scan::all().limit(16);
        loop {
            let found = backend.scan(GROUPS, &scan)?;
            let Some((last, _)) = found.last() else { break };
            scan = scan.after(last.clone());
            for (key, stored) in found {
                let number = <[u8; 8]>::try_from(key.as_slice());
                let number = u64::from_be_bytes(number.map_err(|_| StoreError::damaged(GROUPS, "unreadable key"))?);
                self.next = self.next.max(number.saturating_add(1));
                self.read_group(backend, tables, number, stored)?;
            }
        }
        self.full.clear();
        tails.change(std::iter::empty(), self.fresh.drain(..).filter_map(|fresh| Some((fresh.place, fresh.row?))));
        self.commit += 1;
        Ok(())
    }

    fn read_group(&mut self, backend: &dyn Backend, tables: &Tables, number: u64, stored: Vec<u8>) -> Result<()> {
        let bytes = stored.len();
        self.groups.insert(number, Filed { bytes, ..Filed::default() });
        self.bytes += bytes;
        for (table, partition, row) in group::read(stored)? {
            let place = (tables.id(&table), partition);
            let state = match self.known.get(&place) {
                Some(known) => known.state,
                None => State::read(backend, &table, &place.1)?,
            };
            self.known.entry(place.clone()).or_default().state = state;
            // Chunks say up to which group they go.
            if number >= state.from_group {
                self.enter(place, number, row);
            }
        }
        Ok(())
    }

    /// A row that comes with a turn.
    pub(crate) fn append(
        &mut self,
        staging: &mut Staging<'_>,
        tables: &Tables,
        place: Place,
        row: ArchiveEntry,
    ) -> Result<()> {
        self.know(staging, &tables.name(place.0), &place)?;
        if self.open.as_ref().is_some_and(|(_, group)| group.is_full()) {
            self.close(staging);
        }
        let number = match &self.open {
            Some((number, _)) => *number,
            None => self.number(),
        };
        let (_, group) = self.open.get_or_insert_with(|| (number, Group::new()));
        let draft = Draft { id: row.id, at_ms: row.at_ms, marks: row.marks, peer: &row.peer, payload: &row.payload };
        group.add(tables, place.clone(), &draft);
        self.enter(place, number, row);
        Ok(())
    }

    /// Rows that come as a group; says which is the newest.
    pub(crate) fn take(&mut self, staging: &mut Staging<'_>, tables: &Tables, group: Group) -> Result<ArchiveId> {
        let number = self.number();
        let (stored, rows) = group.finish();
        self.file(staging, number, &stored);
        let mut newest = ArchiveId(0);
        for (place, row) in rows {
            if !self.known.contains_key(&place) {
                self.know(staging, &tables.name(place.0), &place)?;
            }
            newest = newest.max(row.id);
            self.enter(place, number, row);
        }
        Ok(newest)
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.groups.insert(number, Filed::default());
        number
    }

    /// A row is in the group of this number. What is known of its partition has been read.
    fn enter(&mut self, place: Place, number: u64, row: ArchiveEntry) {
        let Some(known) = self.known.get_mut(&place) else { return };
        known.rows += 1;
        known.bytes += row.bytes();
        if let Some(filed) = self.groups.get_mut(&number) {
            filed.rows += 1;
            match known.groups.last_mut() {
                Some((last, rows)) if *last == number => *rows += 1,
                _ => {
                    known.groups.push((number, 1));
                    filed.places.push(place.clone());
                }
            }
        }
        if known.rows == chunk::ROWS as u64 || known.bytes >= chunk::BYTES {
            self.full.push(place.clone());
        }
        let before = Some(known.fresh.1).filter(|_| known.fresh.0 == self.commit);
        known.fresh = (self.commit, self.fresh.len());
        let total = known.state.rows + known.rows;
        self.fresh.push(Fresh { place, before, total, row: Some(row) });
    }

    /// Later rows go into another group.
    fn close(&mut self, staging: &mut Staging<'_>) {
        if let Some((number, group)) = self.open.take() {
            let (stored, _) = group.finish();
            self.file(staging, number, &stored);
        }
    }

    fn file(&mut self, staging: &mut Staging<'_>, number: u64, stored: &[u8]) {
        if let Some(filed) = self.groups.get_mut(&number) {
            filed.bytes = stored.len();
        }
        self.bytes += stored.len();
        staging.put(&self.groups_table, number.to_be_bytes().to_vec(), stored.to_vec());
    }

    /// Another payload for a row, if there is such a row.
    pub(crate) fn replace(
        &mut self,
        staging: &mut Staging<'_>,
        names: (&Arc<str>, &Tails),
        place: &Place,
        id: ArchiveId,
        payload: &bytes::Bytes,
    ) -> Result<()> {
        self.fold(staging, names, place)?;
        change::replace(staging, names.0, &place.1, id, payload)
    }

    /// Stages a removal; returns what is left to do.
    pub(crate) fn purge(
        &mut self,
        staging: &mut Staging<'_>,
        names: (&Arc<str>, &Tails),
        place: &Place,
        what: Purge,
    ) -> Result<Option<Purge>> {
        self.fold(staging, names, place)?;
        let Some(known) = self.known.get_mut(place) else { return Ok(None) };
        let rest = change::purge(staging, names.0, &place.1, what, &mut known.state)?;
        // As long as its rows are in a group, that must not bring them back when it is read again.
        let state = known.state;
        if state.rows == 0 && self.groups.first_key_value().is_none_or(|(first, _)| *first >= state.from_group) {
            staging.delete(names.0, super::page::count_key(&place.1));
            known.state = State::default();
        }
        Ok(rest)
    }

    /// The end of a commit: partitions with enough rows have them put into chunks.
    pub(crate) fn seal(&mut self, staging: &mut Staging<'_>, tables: &Tables, tails: &Tails) -> Result<()> {
        for place in std::mem::take(&mut self.full) {
            let is_full = |known: &Known| known.rows >= chunk::ROWS as u64 || known.bytes >= chunk::BYTES;
            if self.known.get(&place).is_some_and(is_full) {
                self.fold(staging, (&tables.name(place.0), tails), &place)?;
            }
        }
        self.relieve(staging, tables, tails, HIGH, RELIEVED)?;
        self.close(staging);
        Ok(())
    }

    /// Folds partitions of the oldest groups until there is less in groups, or `most` are folded.
    fn relieve(
        &mut self,
        staging: &mut Staging<'_>,
        tables: &Tables,
        tails: &Tails,
        high: usize,
        most: usize,
    ) -> Result<()> {
        let mut folded = 0;
        while self.bytes > high && folded < most {
            let Some(mut oldest) = self.groups.first_entry() else { break };
            let Some(place) = oldest.get_mut().places.pop() else {
                // All its rows are in chunks.
                let (number, filed) = oldest.remove_entry();
                self.bytes -= filed.bytes;
                staging.delete(&self.groups_table, number.to_be_bytes().to_vec());
                continue;
            };
            if self.known.get(&place).is_some_and(|known| known.rows > 0) {
                self.fold(staging, (&tables.name(place.0), tails), &place)?;
                folded += 1;
            }
        }
        Ok(())
    }

    /// Puts all rows of a partition into chunks.
    fn fold(&mut self, staging: &mut Staging<'_>, (table, tails): (&Arc<str>, &Tails), place: &Place) -> Result<()> {
        // Its later rows are in groups of higher numbers than the one up to which chunks go.
        self.close(staging);
        self.know(staging, table, place)?;
        let Some(known) = self.known.get_mut(place) else { return Ok(()) };
        if known.rows == 0 {
            return Ok(());
        }
        let mut rows = if known.folded == self.commit { Vec::new() } else { tails.of(place.0, &place.1) };
        let mut next = Some(known.fresh.1).filter(|_| known.fresh.0 == self.commit);
        while let Some(fresh) = next.and_then(|at| self.fresh.get_mut(at)) {
            rows.extend(fresh.row.take());
            next = fresh.before;
        }
        rows.sort_by_key(|row| row.id);
        known.state.from_group = self.next;
        change::add(staging, table, &place.1, &mut known.state, rows)?;
        (known.rows, known.bytes, known.fresh) = (0, 0, (0, 0));
        if known.folded != self.commit {
            known.folded = self.commit;
            self.folded.push(place.clone());
        }
        for (number, rows) in std::mem::take(&mut known.groups) {
            self.release(staging, number, rows);
        }
        Ok(())
    }

    /// So many rows of this group are in chunks.
    fn release(&mut self, staging: &mut Staging<'_>, number: u64, rows: u64) {
        let Some(filed) = self.groups.get_mut(&number) else { return };
        filed.rows = filed.rows.saturating_sub(rows);
        if filed.rows == 0 {
            self.bytes -= filed.bytes;
            self.groups.remove(&number);
            staging.delete(&self.groups_table, number.to_be_bytes().to_vec());
        }
    }

    /// The commit is done.
    pub(crate) fn committed(&mut self, tails: &Tails, tallies: &Tallies) {
        if self.fresh.is_empty() && self.folded.is_empty() {
            return;
        }
        tallies.counted(self.fresh.iter().map(|fresh| (&fresh.place, fresh.total)));
        let added = self.fresh.drain(..).filter_map(|fresh| Some((fresh.place, fresh.row?)));
        tails.change(self.folded.drain(..), added);
        self.commit += 1;
        if self.known.len() > Self::MOST {
            self.known.retain(|_, known| known.rows > 0);
        }
    }

    /// Folds some of what is in groups; false when nothing is left.
    pub(crate) fn fold_some(&mut self, staging: &mut Staging<'_>, tables: &Tables, tails: &Tails) -> Result<bool> {
        self.relieve(staging, tables, tails, 0, AT_ONCE)?;
        Ok(!self.groups.is_empty())
    }

    /// Reads what its own entry says of a partition, if that is not known.
    fn know(&mut self, staging: &Staging<'_>, table: &Arc<str>, place: &Place) -> Result<()> {
        if !self.known.contains_key(place) {
            let state = State::decode(table, staging.get(table, &super::page::count_key(&place.1))?)?;
            self.known.insert(place.clone(), Known { state, ..Known::default() });
        }
        Ok(())
    }
}
