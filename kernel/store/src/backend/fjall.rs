//! fjall 3. All tables live in one keyspace: each keyspace is a tree of its
//! own with its own memory tables and files, and there are hundreds of tables.

use std::path::Path;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::Entry;
use super::Scan;
use super::layered::{Engine, Write};
use super::open::Failure;
use super::sled_files::sync;
use crate::error::{Result, StoreError};

const CACHE_BYTES: u64 = 64 << 20;
/// Small journals and memory tables keep the replay after a crash short; bigger ones are written
/// to files less often. Groups of archive rows that live shorter than a memory table never get there.
const JOURNAL_BYTES: u64 = 256 << 20;
const MEMTABLE_BYTES: u64 = 64 << 20;
/// With more of them the first hands compactions on to the others, and as long as these are busy it
/// takes them back and hands them on again, without a pause (fjall 3.1).
const WORKERS: usize = 1;

pub(super) struct Fjall {
    db: Database,
    data: Keyspace,
}

impl Fjall {
    /// Opens or creates the database.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        // The journal is read after a crash only and lives for seconds: packing it would cost more than its bytes.
        let builder = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .journal_compression(CompressionType::None)
            .worker_threads(WORKERS);
        let db = builder.open().map_err(judge)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let data = db.keyspace("data", options).map_err(judge)?;
        db.persist(PersistMode::SyncAll).map_err(judge)?;
        sync(dir)?;
        dir.parent().map_or(Ok(()), sync)?;
        Ok(Self { db, data })
    }
}

impl Engine for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn max_entry(&self) -> usize {
        usize::MAX
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.data.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn range(&self, scan: &Scan) -> Result<Vec<Entry>> {
        if scan.is_empty() {
            return Ok(Vec::new());
        }
        let copy = |guard: fjall::Guard| {
            let entry = guard.into_inner().map_err(failed)?;
            Ok((entry.0.to_vec(), entry.1.to_vec()))
        };
        let range = self.data.range::<Vec<u8>, _>((scan.lower.clone(), scan.upper.clone()));
        if scan.reverse {
            range.rev().take(scan.limit).map(copy).collect()
        } else {
            range.take(scan.limit).map(copy).collect()
        }
    }

    fn apply(&self, writes: Vec<Write>) -> Result<()> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncAll));
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.data, key, value),
                None => batch.remove(&self.data, key),
            }
        }
        batch.commit().map_err(failed)
    }

    fn size(&self) -> Result<u64> {
        self.db.disk_space().map_err(failed)
    }

    fn reads_block(&self) -> bool {
        true
    }
}

fn failed(error: fjall::Error) -> StoreError {
    StoreError::backend("fjall", error)
}

/// Whether the database is damaged or only cannot be had now.
fn judge(error: fjall::Error) -> Failure {
    use std::io::ErrorKind::{AlreadyExists, InvalidData, NotFound, UnexpectedEof};
    match &error {
        fjall::Error::Locked => Failure::Busy,
        fjall::Error::Io(io) if !matches!(io.kind(), AlreadyExists | InvalidData | NotFound | UnexpectedEof) => {
            Failure::Refused(failed(error))
        }
        _ => Failure::Damaged(error.to_string()),
    }
}
