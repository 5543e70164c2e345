//! Addresses (RFC 7622), parsed once and compared as text.

mod domain;
mod local;
mod resource;
mod types;

pub use domain::Domain;
pub use types::{BareJid, FullJid, Jid};

/// Longest part in bytes, after preparation (RFC 7622 §3.2, §3.3, §3.4).
pub const MAX_PART: usize = 1023;

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Before the `@`.
    Local,
    /// What every address has.
    Domain,
    /// Behind the `/`.
    Resource,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local => "localpart",
            Self::Domain => "domainpart",
            Self::Resource => "resourcepart",
        })
    }
}

/// Why a text is not an address. Whoever wrote it is at fault; a stanza that
/// carries it is answered with `jid-malformed` (RFC 6120 §8.3.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JidError {
    /// A part is there but empty, or there is no domain.
    #[error("the {0} is empty")]
    Empty(Part),
    /// More than [`MAX_PART`] bytes.
    #[error("the {0} is longer than 1023 bytes")]
    TooLong(Part),
    /// Contains what its profile forbids.
    #[error("the {0} contains forbidden characters")]
    Forbidden(Part),
    /// A resource is required and missing.
    #[error("the address has no resource")]
    NotFull,
    /// A resource is there and must not be.
    #[error("the address has a resource")]
    NotBare,
}

/// Checks the length of a prepared part.
fn bounded(len: usize, part: Part) -> Result<(), JidError> {
    match len {
        0 => Err(JidError::Empty(part)),
        1..=MAX_PART => Ok(()),
        _ => Err(JidError::TooLong(part)),
    }
}

/// Refuses what cannot shrink to [`MAX_PART`] by preparation, so that nobody
/// has us normalise megabytes.
fn plausible(raw: &str, part: Part) -> Result<(), JidError> {
    match raw.len() {
        0 => Err(JidError::Empty(part)),
        len if len > 3 * MAX_PART => Err(JidError::TooLong(part)),
        _ => Ok(()),
    }
}

/// Applies a profile until nothing changes any more, at most four times
/// (RFC 8264 §7, RFC 8265 §3.3.3: not every string is stable after one pass).
fn until_stable<F>(raw: &str, part: Part, enforce: F) -> Result<String, JidError>
where
    F: Fn(&str) -> Option<String>,
{
    let bad = JidError::Forbidden(part);
    let mut now = enforce(raw).ok_or(bad)?;
    for _ in 0..3 {
        let next = enforce(&now).ok_or(bad)?;
        if next == now {
            return Ok(now);
        }
        now = next;
    }
    Err(bad)
}
