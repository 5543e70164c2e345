//! XEP-0160: messages that nobody was there to take.

mod operations;

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::sessions::{self, Session};
use xylem_sdk::time::utc;

use crate::operations::{purge, show};
use crate::stores::{ARCHIVED, MESSAGES};

xylem_sdk::plugin!();

/// Set by `xylem.mam`.
const ASKED: &str = "archive-asked";

/// Keeps the message with the time it came (XEP-0203 §4). A full store is no store (XEP-0160 §2).
fn keep(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let most = Config::load().max_messages.unsigned_abs();
    if MESSAGES.count()? >= most {
        return Err(Condition::ServiceUnavailable.into());
    }
    let delay = Xml::with_ns("delay", "urn:xmpp:delay").attr("from", &cx.domain()).attr("stamp", &utc(cx.now()));
    message.insert(delay)?;
    let sender = Jid::new(message.from().unwrap_or_default()).bare();
    match MESSAGES.append(sender) {
        Ok(id) => {
            if is_archived(&cx.key(), message) {
                ARCHIVED.put(&id, b"", &[])?;
            }
            Ok(Verdict::Stop)
        }
        Err(Fault::Quota) => Err(Condition::ServiceUnavailable.into()),
        Err(fault) => Err(fault.into()),
    }
}

/// Everything goes to the first resource that takes messages (XEP-0160 §2 step 5).
fn hand_over(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    if event.detail.starts_with('-') {
        return Ok(());
    }
    let archived = forget()?;
    if has_asked(event.subject)? {
        remove(&archived)?;
    }
    Ok(MESSAGES.deliver(event.subject, true)?)
}

/// Whether the session has asked for the archive before it became available; that counts once.
fn has_asked(client: &str) -> Result<bool, Fault> {
    let Some(resource) = Jid::new(client).resource() else { return Ok(false) };
    let tagged = |session: &Session| session.resource == resource && session.tags.iter().any(|tag| tag == ASKED);
    let asked = sessions::all()?.iter().any(tagged);
    if asked {
        sessions::set_tag(resource, ASKED, false)?;
    }
    Ok(asked)
}

/// A client that binds along with its login fetches its archive: what is there does not wait for
/// it here as well. What only waits here is handed over as to others.
fn clear(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    if event.detail != "with-login" {
        return Ok(());
    }
    Ok(remove(&forget()?)?)
}

fn remove(archived: &[String]) -> Result<(), Fault> {
    let ids: Vec<&str> = archived.iter().map(String::as_str).collect();
    if ids.is_empty() { Ok(()) } else { MESSAGES.remove(&ids) }
}

/// Whether the account's archive has given the message a name (XEP-0359).
fn is_archived(account: &str, message: &Stanza) -> bool {
    let ids = message.root().children().filter(|child| child.is("urn:xmpp:sid:0", "stanza-id"));
    ids.into_iter().any(|id| id.attr("by") == Some(account))
}

/// Empties the list of what is in the archive too.
fn forget() -> Result<Vec<String>, Fault> {
    let rows = ARCHIVED.all()?;
    rows.into_iter().map(|row| ARCHIVED.delete(&row.key).map(|_| row.key)).collect()
}
