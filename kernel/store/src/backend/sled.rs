//! sled 0.34.7 with the precautions that its documentation does not mention.
//! Each of them answers a failure that was seen; the README tells which.
//!
//! All tables live in the default tree: a batch for one tree is one `Batch` of
//! sled, atomic by a single log manifest, whereas its transaction over many
//! trees reads every entry it writes, and a new tree is a write of its own
//! outside of any transaction.

use std::fs::File;
use std::path::Path;

use super::Entry;
use super::layered::{Engine, Write};
use super::open::Failure;
use super::sled_files::{after_open, before_open};
use super::{Scan, sync_file_range};
use crate::error::{Result, StoreError};

/// sled splits leaves by count, at 16 entries, and puts a leaf above 128 KiB
/// into a file that it never syncs; with entries of 4 KiB a leaf stays below.
const MAX_ENTRY: usize = 4096;
const CACHE_BYTES: u64 = 64 << 20;
/// Not the number of any table.
const PROBE: &[u8] = b"\xff\xff\xff\xffprobe";

pub(super) struct Sled {
    db: sled::Db,
    /// Our own handle on the log.
    log: File,
}

impl Sled {
    /// Opens or creates the database.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        if dir.exists() {
            before_open(dir)?;
        }
        let db = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).open().map_err(judge)?;
        let log = dir.join("db");
        let log = File::open(&log).map_err(|error| StoreError::io(log, &error))?;
        let opened = Self { db, log };
        opened.prove_sync()?;
        after_open(dir)?;
        Ok(opened)
    }

    /// sled must have synced through our `sync_file_range`.
    fn prove_sync(&self) -> Result<()> {
        let before = sync_file_range::calls();
        self.apply(vec![(PROBE.to_vec(), Some(before.to_le_bytes().to_vec()))])?;
        if sync_file_range::calls() == before {
            let reason = "the binary was linked without the replacement of sync_file_range";
            return Err(StoreError::backend("sled", reason));
        }
        Ok(())
    }
}

impl Engine for Sled {
    fn name(&self) -> &'static str {
        "sled"
    }

    fn max_entry(&self) -> usize {
        MAX_ENTRY
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.db.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn range(&self, scan: &Scan) -> Result<Vec<Entry>> {
        if scan.is_empty() {
            return Ok(Vec::new());
        }
        let copy = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            entry.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(failed)
        };
        let range = self.db.range((scan.lower.clone(), scan.upper.clone()));
        if scan.reverse {
            range.rev().take(scan.limit).map(copy).collect()
        } else {
            range.take(scan.limit).map(copy).collect()
        }
    }

    fn apply(&self, writes: Vec<Write>) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(failed)?;
        self.db.flush().map_err(failed)?;
        // Holds even where the replaced symbol is not what sled calls.
        self.log.sync_data().map_err(|error| StoreError::backend("sled", error))
    }

    fn size(&self) -> Result<u64> {
        self.db.size_on_disk().map_err(failed)
    }

    fn reads_block(&self) -> bool {
        true
    }
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::backend("sled", error)
}

/// Whether the database is damaged or only cannot be had now.
fn judge(error: sled::Error) -> Failure {
    use std::io::ErrorKind::{InvalidData, Other, UnexpectedEof};
    match &error {
        sled::Error::Io(io) if io.kind() == Other && io.to_string().contains("acquire lock") => Failure::Busy,
        sled::Error::Io(io) if !matches!(io.kind(), InvalidData | UnexpectedEof | Other) => {
            Failure::Refused(failed(error))
        }
        _ => Failure::Damaged(error.to_string()),
    }
}
