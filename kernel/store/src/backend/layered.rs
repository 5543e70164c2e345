//! What all backends share: many tables in one ordered tree, checksums, and
//! big values in pieces. An [`Engine`] below it is only an ordered map of
//! bytes with atomic, durable batches.

use std::collections::HashSet;
use std::fs::File;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::chunk::{self, Head};
use super::directory::{self, Directory, Table};
use super::value::{self, Kind, OVERHEAD};
use super::{Backend, Entry, Scan, ScrubReport, scrub};
use crate::batch::{Batch, MAX_STORED};
use crate::error::{Result, StoreError};

/// Table number of the directory of tables.
pub(super) const DIRECTORY: u32 = 0;
/// Table number of the pieces of big values.
pub(super) const CHUNKS: u32 = 1;
/// Table number of the mark that a database was made: what opens without it is
/// not empty but has lost everything.
const MADE: u32 = 2;
/// First number of a caller's table.
pub(super) const FIRST_TABLE: u32 = 16;

/// How often a read is repeated when a commit replaced the value meanwhile.
const READ_ATTEMPTS: usize = 16;

/// A write to the engine: key, value or delete.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// An ordered map of bytes that takes durable, atomic batches.
pub(super) trait Engine: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// Most bytes of key and value together in one entry.
    fn max_entry(&self) -> usize;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    fn range(&self, scan: &Scan) -> Result<Vec<Entry>>;
    /// All or nothing; durable when it returns.
    fn apply(&self, writes: Vec<Write>) -> Result<()>;
    fn size(&self) -> Result<u64>;
    fn reads_block(&self) -> bool;
}

/// An engine made into a [`Backend`].
pub(super) struct Layered<E> {
    pub(super) engine: E,
    directory: RwLock<Arc<Directory>>,
    /// Held during a commit. The number of the next piece set.
    committing: Mutex<u64>,
    pub(super) commits: AtomicU64,
    /// Let go of after the engine.
    _lock: Option<Arc<File>>,
}

impl<E: Engine> Layered<E> {
    /// Over an engine that is known to be empty.
    pub(super) fn empty(engine: E) -> Self {
        Self {
            engine,
            directory: RwLock::default(),
            committing: Mutex::new(1),
            commits: AtomicU64::new(0),
            _lock: None,
        }
    }

    /// Over an engine that was just made: marks it as such.
    pub(super) fn make(engine: E, lock: Option<Arc<File>>) -> Result<Self> {
        let key = MADE.to_be_bytes().to_vec();
        let mark = value::seal(&key, Kind::Inline, &[]);
        engine.apply(vec![(key, Some(mark))])?;
        Self::new(engine, lock)
    }

    /// Over an engine that was made before: reads the directory of tables.
    pub(super) fn new(engine: E, lock: Option<Arc<File>>) -> Result<Self> {
        let key = MADE.to_be_bytes();
        let mark = engine.get(&key)?;
        if mark.is_none_or(|mark| value::unseal(&key, &mark).is_err()) {
            return Err(StoreError::damaged("(all)", "the database opens, but what was in it is gone"));
        }
        let mut directory = Directory::default();
        for (key, sealed) in engine.range(&Scan::prefix(DIRECTORY.to_be_bytes()))? {
            let row = value::unseal(&key, &sealed).ok().and_then(|(_, row)| directory::decode(row));
            let name = key.get(4..).and_then(|name| std::str::from_utf8(name).ok());
            let (Some(table), Some(name)) = (row, name) else {
                return Err(StoreError::damaged("(directory of tables)", "unreadable row"));
            };
            directory.set(name.into(), table);
        }
        let newest = Scan::prefix(CHUNKS.to_be_bytes()).reverse(true).limit(1);
        let last_set = engine.range(&newest)?.first().and_then(|(key, _)| chunk::set_of(key));
        Ok(Self {
            engine,
            directory: RwLock::new(Arc::new(directory)),
            committing: Mutex::new(last_set.map_or(1, |set| set + 1)),
            commits: AtomicU64::new(0),
            _lock: lock,
        })
    }

    pub(super) fn table(&self, name: &str) -> Option<Table> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).find(name)
    }

    /// The value behind a sealed entry; `None` when a commit replaced its pieces meanwhile.
    pub(super) fn open_value(&self, table: &str, key: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        let (kind, payload) = value::unseal(key, sealed).map_err(|what| StoreError::damaged(table, what))?;
        match kind {
            Kind::Inline => Ok(Some(payload.to_vec())),
            Kind::Chunked => {
                let head = Head::decode(payload).ok_or_else(|| StoreError::damaged(table, "unreadable head"))?;
                self.join(table, head)
            }
            Kind::Piece => Err(StoreError::damaged(table, "a piece where a value belongs")),
        }
    }

    fn join(&self, table: &str, head: Head) -> Result<Option<Vec<u8>>> {
        let mut joined = Vec::with_capacity((head.bytes as usize).min(MAX_STORED));
        for key in head.keys() {
            let Some(sealed) = self.engine.get(&key)? else { return Ok(None) };
            match value::unseal(&key, &sealed) {
                Ok((Kind::Piece, piece)) => joined.extend_from_slice(piece),
                Ok(_) => return Err(StoreError::damaged(table, "a value where a piece belongs")),
                Err(what) => return Err(StoreError::damaged(table, what)),
            }
        }
        if joined.len() != head.bytes as usize || crc32fast::hash(&joined) != head.crc {
            return Err(StoreError::damaged(table, "the pieces of a value do not fit together"));
        }
        Ok(Some(joined))
    }

    pub(super) fn get_at(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        for _ in 0..READ_ATTEMPTS {
            let Some(sealed) = self.engine.get(key)? else { return Ok(None) };
            if let Some(value) = self.open_value(table, key, &sealed)? {
                return Ok(Some(value));
            }
        }
        Err(StoreError::damaged(table, "pieces of a value are missing"))
    }

    /// Writes that remove the pieces of the value that is at `key` now.
    fn drop_pieces(&self, name: &str, key: &[u8], out: &mut Vec<Write>) -> Result<()> {
        let Some(sealed) = self.engine.get(key)? else { return Ok(()) };
        let (kind, payload) = value::unseal(key, &sealed).map_err(|what| StoreError::damaged(name, what))?;
        if kind == Kind::Chunked {
            let head = Head::decode(payload).ok_or_else(|| StoreError::damaged(name, "unreadable head"))?;
            out.extend(head.keys().map(|key| (key, None)));
        }
        Ok(())
    }

    fn put(&self, key: Vec<u8>, value: &[u8], next_set: &mut u64, out: &mut Vec<Write>) -> bool {
        let max = self.engine.max_entry();
        if key.len() + value.len() + OVERHEAD <= max {
            let sealed = value::seal(&key, Kind::Inline, value);
            out.push((key, Some(sealed)));
            return false;
        }
        let head = Head::new(*next_set, value, max);
        *next_set += 1;
        for (piece_key, piece) in head.keys().zip(value.chunks(chunk::piece_bytes(max))) {
            let sealed = value::seal(&piece_key, Kind::Piece, piece);
            out.push((piece_key, Some(sealed)));
        }
        let sealed = value::seal(&key, Kind::Chunked, &head.encode());
        out.push((key, Some(sealed)));
        true
    }

    /// Turns a batch into writes to the engine; changed tables go to `changed`.
    fn lower(&self, batch: &Batch, next_set: &mut u64, changed: &mut Arc<Directory>) -> Result<Vec<Write>> {
        let mut last: HashSet<(&str, &[u8])> = HashSet::with_capacity(batch.ops.len());
        let mut out = Vec::with_capacity(batch.ops.len() + 1);
        for op in batch.ops.iter().rev() {
            if !last.insert((&op.table, &op.key)) {
                continue;
            }
            let known = changed.find(&op.table);
            let Some(mut table) = known.or_else(|| op.value.as_ref().map(|_| changed.fresh())) else {
                continue; // a delete in a table that does not exist
            };
            let key = table_key(table.number, &op.key);
            if table.chunked {
                self.drop_pieces(&op.table, &key, &mut out)?;
            }
            match &op.value {
                Some(value) => table.chunked |= self.put(key, value, next_set, &mut out),
                None => out.push((key, None)),
            }
            if known != Some(table) {
                Arc::make_mut(changed).set(Arc::clone(&op.table), table);
                let row = directory::row_key(&op.table);
                let sealed = value::seal(&row, Kind::Inline, &directory::encode(table));
                out.push((row, Some(sealed)));
            }
        }
        Ok(out)
    }
}

impl<E: Engine> Backend for Layered<E> {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.table(table) {
            Some(found) => self.get_at(table, &table_key(found.number, key)),
            None => Ok(None),
        }
    }

    fn scan(&self, table: &str, scan: &Scan) -> Result<Vec<Entry>> {
        let Some(found) = self.table(table) else { return Ok(Vec::new()) };
        let mut inner = in_table(found.number, scan);
        let mut out = Vec::new();
        // A value whose pieces a commit is just removing is left out; then
        // there is room for more.
        while out.len() < scan.limit && !scan.is_empty() {
            let wanted = scan.limit - out.len();
            let entries = self.engine.range(&inner.clone().limit(wanted))?;
            let Some((last, _)) = entries.last() else { break };
            let exhausted = entries.len() < wanted;
            inner = if scan.reverse { inner.before(last.clone()) } else { inner.after(last.clone()) };
            for (key, sealed) in entries {
                let value = match self.open_value(table, &key, &sealed)? {
                    Some(value) => Some(value),
                    None => self.get_at(table, &key)?,
                };
                if let (Some(value), Some(key)) = (value, key.get(4..)) {
                    out.push((key.to_vec(), value));
                }
            }
            if exhausted {
                break;
            }
        }
        Ok(out)
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        batch.check(MAX_STORED)?;
        let mut next_set = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner));
        let writes = self.lower(batch, &mut next_set, &mut changed)?;
        if !writes.is_empty() {
            self.engine.apply(writes)?;
        }
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = changed;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn tables(&self) -> Result<Vec<String>> {
        Ok(self.directory.read().unwrap_or_else(PoisonError::into_inner).names())
    }

    fn size(&self) -> Result<u64> {
        self.engine.size()
    }

    fn scrub(&self) -> Result<ScrubReport> {
        scrub::scrub(self)
    }

    fn reads_block(&self) -> bool {
        self.engine.reads_block()
    }
}

fn table_key(number: u32, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + key.len());
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(key);
    out
}

/// The same scan over the engine's keys of one table.
pub(super) fn in_table(number: u32, scan: &Scan) -> Scan {
    let whole = Scan::prefix(number.to_be_bytes());
    let shift = |bound: &Bound<Vec<u8>>, open: Bound<Vec<u8>>| match bound {
        Bound::Included(key) => Bound::Included(table_key(number, key)),
        Bound::Excluded(key) => Bound::Excluded(table_key(number, key)),
        Bound::Unbounded => open,
    };
    Scan {
        lower: shift(&scan.lower, whole.lower),
        upper: shift(&scan.upper, whole.upper),
        limit: scan.limit,
        reverse: scan.reverse,
    }
}
