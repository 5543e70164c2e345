//! One stanza to many contacts, natively, less those that are blocked.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{forward, send, to_index};
use xylem_sdk::prelude::*;

use crate::views::{BLOCKING_LIST, ROSTER_CONTACTS};

/// Contacts who get the account's presence: an index of the roster.
pub(crate) const SUBSCRIBERS: &str = "from";

/// Contacts whose presence the account gets.
pub(crate) const PROBED: &str = "to";

/// The template, or the current stanza, to each contact of the index.
pub(crate) fn fan_out(template: Option<Xml>, index: &str) -> Result<(), Fault> {
    if BLOCKING_LIST.is_empty()? {
        return to_index(template, ROSTER_CONTACTS, index, "1");
    }
    // XEP-0191 §3.3: nothing goes to a blocked contact; probing one would ask in vain.
    for row in ROSTER_CONTACTS.by_index(index, "1")? {
        if blocked(&row.key)? {
            continue;
        }
        match &template {
            Some(template) => send(template.clone().attr("to", &row.key))?,
            None => forward(None, Some(&row.key))?,
        }
    }
    Ok(())
}

/// Whether the list has the address or its domain.
pub(crate) fn blocked(contact: &str) -> Result<bool, Fault> {
    let jid = Jid::new(contact);
    Ok(BLOCKING_LIST.get(jid.bare())?.is_some() || BLOCKING_LIST.get(jid.domain())?.is_some())
}
