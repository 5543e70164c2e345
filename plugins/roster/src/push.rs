//! Roster pushes (RFC 6121 §2.1.6, §2.6).

use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::contact::Contact;
use crate::history::History;
use crate::state::Flags;

pub(crate) const NS: &str = "jabber:iq:roster";

/// The tag of sessions that asked for the list.
pub(crate) const INTERESTED: &str = "interested";

/// Tells interested resources about a changed contact.
pub(crate) fn push(contact: &Contact) -> Result<(), Fault> {
    push_item(&contact.jid, contact.to_item())
}

/// Tells interested resources that a contact is gone (§2.5.2).
pub(crate) fn push_removed(jid: &str) -> Result<(), Fault> {
    push_item(jid, removed(jid))
}

/// The pushes that one resource has missed (§2.6.3).
pub(crate) fn push_missed(resource: &str, version: &str, jid: &str) -> Result<(), Fault> {
    let contact = Contact::load(jid)?;
    let item = if contact.flags.has(Flags::LISTED) { contact.to_item() } else { removed(jid) };
    to_sessions(Some(pushed(version, item)), Pick::only(resource))
}

fn push_item(jid: &str, item: Xml) -> Result<(), Fault> {
    let mut history = History::load()?;
    history.note(jid)?;
    to_sessions(Some(pushed(&history.version(), item)), Pick::tagged(INTERESTED))
}

fn removed(jid: &str) -> Xml {
    Xml::new("item").attr("jid", jid).attr("subscription", "remove")
}

fn pushed(version: &str, item: Xml) -> Xml {
    Xml::iq("set", &runtime::random_id()).child(Xml::with_ns("query", NS).attr("ver", version).child(item))
}
