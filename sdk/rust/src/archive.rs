//! Stanzas kept in order of time, per key; nothing of them enters the plugin again.
//!
//! [`crate::plugin!`] makes an [`Archive`] of each `[[store]]` of shape `archive`.

use crate::Fault;
use crate::wit::xylem::archive::archive as wit;

/// An own archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive(u32);

impl Archive {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(number: u32) -> Self {
        Self(number)
    }

    /// Appends the current stanza with the edits made so far; `peer` is the address it is
    /// later looked up by. Gives its id.
    pub fn append(self, peer: &str) -> Result<String, Fault> {
        Ok(wit::append(self.0, peer)?)
    }

    /// How many stanzas the key has here.
    pub fn count(self) -> Result<u64, Fault> {
        Ok(wit::count(self.0)?)
    }

    /// Sends all, oldest first, to this session as they were stored. With `remove` each is
    /// deleted once it was written to the session's connection: a crash may repeat one but loses none.
    pub fn deliver(self, to: &str, remove: bool) -> Result<(), Fault> {
        Ok(wit::deliver(self.0, to, remove)?)
    }

    /// Deletes all but the newest `keep`.
    pub fn purge(self, keep: u64) -> Result<(), Fault> {
        Ok(wit::purge(self.0, keep)?)
    }
}
