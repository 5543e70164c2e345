//! One stanza to many contacts, natively, less those that are blocked.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{forward, send, to_index};
use xylem_sdk::prelude::*;

use crate::views::{BLOCKING_LIST, ROSTER_CONTACTS};

/// A set of contacts: an index of the roster, and the bit in the first byte of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Contacts {
    index: &'static str,
    bit: u8,
}

/// Contacts who get the account's presence.
pub(crate) const SUBSCRIBERS: Contacts = Contacts { index: "from", bit: 2 };

/// Contacts whose presence the account gets.
pub(crate) const PROBED: Contacts = Contacts { index: "to", bit: 1 };

/// The template, or the current stanza, to each of the contacts.
pub(crate) fn fan_out(template: Option<Xml>, contacts: Contacts) -> Result<(), Fault> {
    if BLOCKING_LIST.is_empty()? {
        return to_index(template, ROSTER_CONTACTS, contacts.index, "1");
    }
    // XEP-0191 §3.3: nothing goes to a blocked contact; probing one would ask in vain.
    for row in ROSTER_CONTACTS.all()? {
        let meant = row.value.first().is_some_and(|flags| flags & contacts.bit != 0);
        if !meant || blocked(&row.key)? {
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
