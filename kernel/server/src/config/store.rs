use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub backend: Backend,
    /// In the data folder, unless absolute.
    pub path: PathBuf,
    /// How long the first waiting write waits for company.
    pub commit_window: Duration,
    /// Free disk space below which the server takes no more. 0: 512 MiB or 5 %, whichever is smaller.
    pub low_water: u64,
    /// Memory for rows of accounts that are in use.
    pub cache: u64,
}

/// What keeps the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sled,
    Fjall,
    /// Forgets everything when the server stops.
    Memory,
}

impl Backend {
    pub const WORDS: [(&'static str, Self); 3] =
        [("sled", Self::Sled), ("fjall", Self::Fjall), ("memory", Self::Memory)];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
            Self::Memory => "memory",
        }
    }
}

impl Store {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("store");
        Self {
            backend: section.choice("backend", Backend::Fjall, &Backend::WORDS),
            path: section.path("path", "store"),
            commit_window: section.duration(
                "commit_window",
                Duration::from_millis(5),
                Duration::ZERO..=Duration::from_secs(1),
            ),
            low_water: section.size("low_water", 0, 0..=1 << 40),
            cache: section.size("cache", 64 << 20, 1 << 20..=64 << 30),
        }
    }
}
