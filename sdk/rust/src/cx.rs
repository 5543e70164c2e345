use crate::runtime;
use crate::wit::xylem::runtime::runtime as wit;

/// The call: for whom, by whom, and which of the manifest's match tests held.
pub struct Cx {
    bits: u64,
}

impl Cx {
    #[doc(hidden)]
    #[must_use]
    pub fn new(bits: u64) -> Self {
        Self { bits }
    }

    /// Whether an entry of `[match]` holds for the stanza; evaluated by the server before the call.
    #[must_use]
    pub fn matches(&self, test: Match) -> bool {
        self.bits & (1_u64 << test.0) != 0
    }

    /// The domain this call is for.
    #[must_use]
    pub fn domain(&self) -> String {
        wit::domain()
    }

    /// The bare address or domain whose rows the stores show.
    #[must_use]
    pub fn key(&self) -> String {
        wit::key()
    }

    /// The authenticated address behind the stanza; none for events and before authentication.
    #[must_use]
    pub fn actor(&self) -> Option<String> {
        wit::actor()
    }

    /// The network address behind the stanza, without port.
    #[must_use]
    pub fn peer(&self) -> Option<String> {
        wit::peer()
    }

    /// Milliseconds since 1970-01-01 UTC. Stands still within one call.
    #[must_use]
    pub fn now(&self) -> u64 {
        runtime::now()
    }
}

/// An entry of the manifest's `[match]`; [`crate::plugin!`] makes a constant of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match(u8);

impl Match {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(bit: u8) -> Self {
        Self(bit % 64)
    }
}

/// Something that happened (`[[event]]`).
pub struct Event<'a> {
    /// The address it happened to.
    pub subject: &'a str,
    /// More, depending on the event; the SDK's README lists them.
    pub detail: &'a str,
}
