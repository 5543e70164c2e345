//! The port to an ordered, transactional key-value database and its three
//! implementations. Nothing above this module knows which one runs.

mod chunk;
mod directory;
mod fjall;
mod layered;
mod memory;
pub(crate) mod open;
mod scan;
mod scrub;
mod sled;
mod sled_files;
mod sync_file_range;
mod value;

pub use memory::memory;
pub use open::{BackendKind, open};
pub use scan::Scan;
pub(crate) use scan::prefix_end;

use crate::batch::Batch;
use crate::error::Result;

/// An entry as a backend hands it out: key, value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// An ordered key-value database with tables that are made on first use.
///
/// All methods may block on the disk. Reads may run beside a commit; a scan is
/// then not a snapshot, but every entry it returns was whole at some moment.
pub trait Backend: Send + Sync + 'static {
    /// `sled`, `fjall` or `memory`.
    fn name(&self) -> &'static str;

    /// The value of one entry.
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// The entries of a key range in key order (or against it), at most `scan.limit`.
    fn scan(&self, table: &str, scan: &Scan) -> Result<Vec<Entry>>;

    /// Writes the whole batch or nothing, over all its tables. `Ok` means that
    /// it survives loss of power. After an error the state on disk is the old
    /// or the new one, and the backend must not be written to any more.
    fn commit(&self, batch: &Batch) -> Result<()>;

    /// Names of the tables that were ever written to, sorted.
    fn tables(&self) -> Result<Vec<String>>;

    /// Bytes on disk (or in memory).
    fn size(&self) -> Result<u64>;

    /// Reads everything and verifies checksums and cross references.
    fn scrub(&self) -> Result<ScrubReport>;

    /// Whether reads may wait for a disk, so that they do not belong on an
    /// event loop.
    fn reads_block(&self) -> bool {
        true
    }
}

/// What a scrub saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScrubReport {
    /// Entries read, forward.
    pub entries: u64,
    /// Entries read, in reverse order; differs from `entries` when an index is broken.
    pub entries_reverse: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Pieces of big values that no entry refers to: lost space, nothing worse.
    pub orphans: u64,
    /// What is wrong, at most 100 findings: table and reason.
    pub damaged: Vec<String>,
}

impl ScrubReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.entries == self.entries_reverse
    }
}
