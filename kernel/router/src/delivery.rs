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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use xylem_session::{Binding, Conflict, Endpoint, Limits, Resource, SessionTable};
    use xylem_stanza::{BareJid, Stanza};

    use super::*;

    /// An account whose resources have these priorities; `None` is connected but not available.
    fn account(priorities: &[Option<i8>]) -> Sessions {
        let table = SessionTable::new(Limits::default());
        let account = BareJid::parse("juliet@example.com").unwrap();
        for priority in priorities {
            let endpoint =
                Endpoint { peer: "127.0.0.1:1".parse().unwrap(), tls: None, mechanism: "PLAIN", anonymous: false };
            let binding =
                Binding { account: &account, resource: Resource::Generate, conflict: Conflict::Replace, endpoint };
            let session = table.bind(binding).unwrap().session;
            if let Some(priority) = priority {
                let presence = Stanza::parse("<presence xmlns='jabber:client'/>").unwrap();
                session.set_available(presence, *priority);
            }
        }
        table.of(account.as_str())
    }

    fn outcome(delivery: &Delivery) -> String {
        match delivery {
            Delivery::To(sessions) => {
                let priorities: Vec<_> =
                    sessions.iter().map(|session| session.presence().priority.to_string()).collect();
                format!("to {}", priorities.join(" "))
            }
            Delivery::Fallback(_) => "fallback".to_owned(),
            Delivery::Reject(_) => "error".to_owned(),
            Delivery::Ignore => "nothing".to_owned(),
        }
    }

    #[test]
    fn bare_address_follows_the_table_of_rfc_6121_8_5_4() {
        let several = account(&[Some(5), None, Some(5), Some(1), Some(-1)]);
        let negative = account(&[Some(-1), None]);
        let nobody = Sessions::new();
        let table = [
            (Type::Normal, "to 5 5", "fallback"),
            (Type::Chat, "to 5 5", "fallback"),
            (Type::Headline, "to 5 5 1", "nothing"),
            (Type::Groupchat, "error", "error"),
            (Type::Error, "nothing", "nothing"),
        ];
        for (kind, with, without) in table {
            assert_eq!(outcome(&to_bare(kind, &several)), with, "{kind:?} to available resources");
            assert_eq!(outcome(&to_bare(kind, &negative)), without, "{kind:?} to a negative priority");
            assert_eq!(outcome(&to_bare(kind, &nobody)), without, "{kind:?} to nobody");
        }
    }

    #[test]
    fn a_missing_resource_is_not_the_account() {
        let several = account(&[Some(5), Some(1)]);
        let table = [
            (Type::Chat, "to 5"),
            (Type::Normal, "to 5"),
            (Type::Headline, "nothing"),
            (Type::Groupchat, "error"),
            (Type::Error, "nothing"),
        ];
        for (kind, expected) in table {
            assert_eq!(outcome(&to_missing_resource(kind, &several)), expected, "{kind:?}");
        }
    }
}
