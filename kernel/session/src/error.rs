//! What can go wrong, and whose fault it is.

use xylem_stanza::Condition;

/// Why a resource was not bound (RFC 6120 §7.6.2, §7.7.2). The client's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The resource is in use and the policy is to refuse the newcomer.
    #[error("the resource is in use by another session")]
    Conflict,
    /// The account holds as many sessions as it may.
    #[error("the account holds as many sessions as it may ({0})")]
    TooMany(usize),
    /// The wanted resource does not make a valid address.
    #[error("the resource is not a valid resourcepart")]
    BadResource,
}

impl BindError {
    /// The stanza error that the client gets.
    #[must_use]
    pub fn condition(self) -> Condition {
        match self {
            Self::Conflict => Condition::Conflict,
            Self::TooMany(_) => Condition::ResourceConstraint,
            Self::BadResource => Condition::BadRequest,
        }
    }
}

/// Why an item was not queued. The sender may go on to another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The reader is too slow: its queue is full, and its stream is being ended
    /// by this very refusal. What was queued comes back as undelivered.
    #[error("the session's queue is full")]
    Full,
    /// The session is ending or has ended.
    #[error("the session has ended")]
    Closed,
}
