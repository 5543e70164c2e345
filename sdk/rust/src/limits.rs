//! Token buckets declared as `[[limit]]`; [`crate::plugin!`] makes a [`Limit`] of each (`limits::NAME`).

use crate::wit::xylem::limits::limits as wit;

/// A bucket per subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(&'static str);

impl Limit {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(name: &'static str) -> Self {
        Self(name)
    }

    /// Takes one token from this subject's bucket; false when none is left.
    #[must_use]
    pub fn take(self, subject: &str) -> bool {
        wit::take(self.0, subject)
    }
}
