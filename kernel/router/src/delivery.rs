//! Which resources of an account a message goes to: the table of RFC 6121 §8.5.4.
//! Pure; sending is somebody else's.

use std::sync::Arc;

use xylem_session::{Session, Sessions};
use xylem_stanza::{Condition, Type};

/// What becomes of a message to a local account.
#[derive(Debug)]
pub enum Delivery {
    /// To these sessions; never empty.
    To(Sessions),
    /// Nobody takes it now: the fallback chain may, else the sender gets this error.
    Fallback(Condition),
    /// The sender gets this error.
    Reject(Condition),
    /// Nothing happens, as the RFC says.
    Ignore,
}

/// A message to a bare JID (RFC 6121 §8.5.2). `sessions` are all of the account.
#[must_use]
pub fn to_bare(kind: Type, sessions: &Sessions) -> Delivery {
    let takers = match kind {
        Type::Groupchat => return Delivery::Reject(Condition::ServiceUnavailable),
        Type::Error => return Delivery::Ignore,
        Type::Headline => willing(sessions),
        _ => most_available(sessions),
    };
    if !takers.is_empty() {
        return Delivery::To(takers);
    }
    match kind {
        Type::Headline => Delivery::Ignore,
        _ => Delivery::Fallback(Condition::ServiceUnavailable),
    }
}

/// A message to a full JID that no session has (RFC 6121 §8.5.3.2.1). A chat
/// message finds the user's other resources; the rest was meant for that one alone.
#[must_use]
pub fn to_missing_resource(kind: Type, sessions: &Sessions) -> Delivery {
    match kind {
        Type::Groupchat => Delivery::Reject(Condition::ServiceUnavailable),
        Type::Headline | Type::Error => Delivery::Ignore,
        _ => to_bare(kind, sessions),
    }
}

/// Available with a priority that is not negative: may get messages for the account.
fn is_willing(session: &Session) -> bool {
    let presence = session.presence();
    presence.available && presence.priority >= 0
}

fn willing(sessions: &Sessions) -> Sessions {
    sessions.iter().filter(|session| is_willing(session)).cloned().collect()
}

/// All sessions of the highest priority, so that no client of equal rank misses a
/// conversation (RFC 6121 §8.5.2.1.1 leaves the choice).
fn most_available(sessions: &Sessions) -> Sessions {
    let Some(highest) =
        sessions.iter().filter(|session| is_willing(session)).map(|session| session.presence().priority).max()
    else {
        return Sessions::new();
    };
    let top = |session: &&Arc<Session>| is_willing(session) && session.presence().priority == highest;
    sessions.iter().filter(top).cloned().collect()
}
