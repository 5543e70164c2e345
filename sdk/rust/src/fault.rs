use crate::wit::xylem::stanza::types as wit;

/// Why the server did not do what a host function asked. Never a trap.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The manifest has no grant for this; the server's log names the line to add.
    Denied,
    /// No such store, row, session, account or group.
    Missing,
    /// It exists already.
    Conflict,
    /// A limit of the plugin or the account is reached.
    Quota,
    /// The argument is not what it should be: XML, an address, a number.
    Invalid(String),
    /// No answer came in time.
    TimedOut,
    /// Anything later versions add.
    Other(String),
}

impl Fault {
    /// A few words for a log line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Denied => "not granted",
            Self::Missing => "missing",
            Self::Conflict => "exists already",
            Self::Quota => "quota reached",
            Self::Invalid(what) | Self::Other(what) => what,
            Self::TimedOut => "timed out",
        }
    }
}

impl From<wit::Fault> for Fault {
    fn from(fault: wit::Fault) -> Self {
        match fault {
            wit::Fault::Denied => Self::Denied,
            wit::Fault::Missing => Self::Missing,
            wit::Fault::Conflict => Self::Conflict,
            wit::Fault::Quota => Self::Quota,
            wit::Fault::Invalid(what) => Self::Invalid(what),
            wit::Fault::TimedOut => Self::TimedOut,
            wit::Fault::Other(what) => Self::Other(what),
        }
    }
}
