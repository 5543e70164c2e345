//! How appends, replacements and purges become entries. Runs on the committer thread,
//! which alone writes, so it may read what it is about to change.
//!
//! A row is written twice at most: at once, with all others of the commit, into a group;
//! and, when its partition has enough of them, with its neighbours into a chunk.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::change::{self, State};
use super::chunk;
use super::group::{self, GROUPS};
use super::tail::{Place, Tails};
use super::{ArchiveId, Purge};
use crate::backend::{Backend, Scan};
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
    groups: BTreeMap<u64, Group>,
    next: u64,
    bytes: usize,
    /// The groups of the rows of each tail.
    held: HashMap<Place, Held>,
    states: HashMap<Place, State>,
    /// Of the commit that is being put together.
    pending: HashMap<Place, Vec<ArchiveEntry>>,
    folded: HashSet<Place>,
}

#[derive(Default)]
struct Group {
    rows: usize,
    bytes: usize,
    places: Vec<Place>,
}

#[derive(Default)]
struct Held {
    groups: Vec<u64>,
    bytes: usize,
}

/// A partition, how many rows, how many bytes.
type Measured = (Place, usize, usize);

fn measured((place, rows): (&Place, &Vec<ArchiveEntry>)) -> Measured {
    (place.clone(), rows.len(), rows.iter().map(ArchiveEntry::bytes).sum())
}

impl Folder {
    /// Partitions whose numbers are remembered, so that an append reads nothing.
    const MOST: usize = 65_536;

    /// Reads what is in groups; the rows go to `tails`.
    pub(crate) fn open(backend: &dyn Backend, tables: &Tables, tails: &Tails) -> Result<Self> {
        let mut folder = Self {
            groups_table: GROUPS.into(),
            groups: BTreeMap::new(),
            next: 0,
            bytes: 0,
            held: HashMap::new(),
            states: HashMap::new(),
            pending: HashMap::new(),
            folded: HashSet::new(),
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
                self.next = self.next.max(number + 1);
                self.read_group(backend, tables, tails, number, stored)?;
            }
        }
        Ok(())
    }

    fn read_group(
        &mut self,
        backend: &dyn Backend,
        tables: &Tables,
        tails: &Tails,
        number: u64,
        stored: Vec<u8>,
    ) -> Result<()> {
        let bytes = stored.len();
        let mut rows: HashMap<Place, Vec<ArchiveEntry>> = HashMap::new();
        for (table, partition, row) in group::read(stored)? {
            let place = (tables.id(&table), partition);
            let state = match self.states.get(&place) {
                Some(state) => *state,
                None => State::read(backend, &table, &place.1)?,
            };
            self.states.insert(place.clone(), state);
            // Chunks say up to which group they go.
            if number >= state.from_group {
                rows.entry(place).or_default().push(row);
            }
        }
        self.hold(number, bytes, rows.iter().map(measured).collect());
        tails.change(std::iter::empty(), rows.into_iter());
        Ok(())
    }

    fn hold(&mut self, number: u64, bytes: usize, rows: Vec<Measured>) {
        let mut group = Group { rows: 0, bytes, places: Vec::with_capacity(rows.len()) };
        for (place, count, bytes) in rows {
            let held = self.held.entry(place.clone()).or_default();
            held.groups.extend(std::iter::repeat_n(number, count));
            held.bytes += bytes;
            group.rows += count;
            group.places.push(place);
        }
        self.bytes += bytes;
        self.groups.insert(number, group);
    }

    /// An append; says how many rows there are with it.
    pub(crate) fn append(
        &mut self,
        staging: &Staging<'_>,
        tables: &Tables,
        place: &Place,
        row: ArchiveEntry,
    ) -> Result<u64> {
        let state = match self.states.get(place) {
            Some(state) => *state,
            None => self.state(staging, &tables.name(place.0), place)?,
        };
        let held = self.held.get(place).map_or(0, |held| held.groups.len());
        let pending = match self.pending.get_mut(place) {
            Some(pending) => pending,
            None => self.pending.entry(place.clone()).or_default(),
        };
        pending.push(row);
        Ok(state.rows + (held + pending.len()) as u64)
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
        let mut state = self.state(staging, names.0, place)?;
        let rest = change::purge(staging, names.0, &place.1, what, &mut state)?;
        // As long as its rows are in a group, that must not bring them back when it is read again.
        if state.rows == 0 && self.groups.first_key_value().is_none_or(|(first, _)| *first >= state.from_group) {
            staging.delete(names.0, super::page::count_key(&place.1));
            self.states.remove(place);
        } else {
            self.states.insert(place.clone(), state);
        }
        Ok(rest)
    }

    /// The end of a commit: what was appended goes into a group, or with what was there before into a chunk.
    pub(crate) fn seal(&mut self, staging: &mut Staging<'_>, tables: &Tables, tails: &Tails) -> Result<()> {
        let full: Vec<Place> = self
            .pending
            .iter()
            .filter(|(place, rows)| self.is_full(place, rows))
            .map(|(place, _)| place.clone())
            .collect();
        for place in full {
            self.fold(staging, (&tables.name(place.0), tails), &place)?;
        }
        self.relieve(staging, tables, tails, HIGH, RELIEVED)?;
        self.write_groups(staging, tables);
        Ok(())
    }

    fn is_full(&self, place: &Place, rows: &[ArchiveEntry]) -> bool {
        let (count, bytes) = self.held.get(place).map_or((0, 0), |held| (held.groups.len(), held.bytes));
        count + rows.len() >= chunk::ROWS || bytes + rows.iter().map(ArchiveEntry::bytes).sum::<usize>() >= chunk::BYTES
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
                let group = oldest.remove();
                self.bytes -= group.bytes;
                continue;
            };
            if self.held.contains_key(&place) {
                self.fold(staging, (&tables.name(place.0), tails), &place)?;
                folded += 1;
            }
        }
        Ok(())
    }

    fn write_groups(&mut self, staging: &mut Staging<'_>, tables: &Tables) {
        let mut left = self.pending.iter().peekable();
        let mut written = Vec::new();
        while left.peek().is_some() {
            let (mut writer, mut places) = (group::Writer::new(), Vec::new());
            while !writer.is_full()
                && let Some((place, rows)) = left.next()
            {
                let table = tables.name(place.0);
                for row in rows {
                    writer.add(&table, &place.1, row);
                }
                places.push(measured((place, rows)));
            }
            written.push((writer.finish(), places));
        }
        for (stored, places) in written {
            self.hold(self.next, stored.len(), places);
            staging.put(&self.groups_table, self.next.to_be_bytes().to_vec(), stored);
            self.next += 1;
        }
    }

    /// Puts all rows of a partition into chunks.
    fn fold(&mut self, staging: &mut Staging<'_>, (table, tails): (&Arc<str>, &Tails), place: &Place) -> Result<()> {
        let mut rows = if self.folded.contains(place) { Vec::new() } else { tails.of(place.0, &place.1) };
        rows.extend(self.pending.remove(place).unwrap_or_default());
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_by_key(|row| row.id);
        let mut state = self.state(staging, table, place)?;
        // What this commit writes into groups has a number of its own, and is not of this partition.
        state.from_group = self.next;
        change::add(staging, table, &place.1, &mut state, rows)?;
        self.states.insert(place.clone(), state);
        self.folded.insert(place.clone());
        for number in self.held.remove(place).unwrap_or_default().groups {
            self.release(staging, number);
        }
        Ok(())
    }

    /// A row of this group is in a chunk.
    fn release(&mut self, staging: &mut Staging<'_>, number: u64) {
        let Some(group) = self.groups.get_mut(&number) else { return };
        group.rows -= 1;
        if group.rows == 0 {
            self.bytes -= group.bytes;
            self.groups.remove(&number);
            staging.delete(&self.groups_table, number.to_be_bytes().to_vec());
        }
    }

    /// The commit is done.
    pub(crate) fn committed(&mut self, tails: &Tails) {
        if !self.pending.is_empty() || !self.folded.is_empty() {
            tails.change(self.folded.drain(), self.pending.drain());
        }
    }

    /// Folds some of what is in groups; false when nothing is left.
    pub(crate) fn fold_some(&mut self, staging: &mut Staging<'_>, tables: &Tables, tails: &Tails) -> Result<bool> {
        self.relieve(staging, tables, tails, 0, AT_ONCE)?;
        Ok(!self.groups.is_empty())
    }

    fn state(&mut self, staging: &Staging<'_>, table: &Arc<str>, place: &Place) -> Result<State> {
        if let Some(state) = self.states.get(place) {
            return Ok(*state);
        }
        let state = State::decode(table, staging.get(table, &super::page::count_key(&place.1))?)?;
        // Numbers begin anew when no group is left; what comes now is behind what is in chunks all the same.
        self.next = self.next.max(state.from_group);
        if self.states.len() >= Self::MOST {
            self.states.clear();
        }
        self.states.insert(place.clone(), state);
        Ok(state)
    }
}
