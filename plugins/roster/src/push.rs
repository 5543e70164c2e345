//! Roster pushes and the version of the list (RFC 6121 §2.1.6, §2.6).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::contact::Contact;
use crate::stores::STATE;

pub(crate) const NS: &str = "jabber:iq:roster";

/// The tag of sessions that asked for the list.
pub(crate) const INTERESTED: &str = "interested";

const VERSION: &str = "version";

/// The version of the list; `0` before the first change.
pub(crate) fn version() -> Result<String, Fault> {
    Ok(STATE.text(VERSION)?.unwrap_or_else(|| "0".into()))
}

/// Tells interested resources about a changed contact.
pub(crate) fn push(contact: &Contact) -> Result<(), Fault> {
    push_item(contact.to_item())
}

/// Tells interested resources that a contact is gone (§2.5.2).
pub(crate) fn push_removed(jid: &str) -> Result<(), Fault> {
    push_item(Xml::new("item").attr("jid", jid).attr("subscription", "remove"))
}

fn push_item(item: Xml) -> Result<(), Fault> {
    let next = version()?.parse::<u64>().unwrap_or(0).wrapping_add(1).to_string();
    STATE.put(VERSION, next.as_bytes(), &[])?;
    let query = Xml::with_ns("query", NS).attr("ver", &next).child(item);
    to_sessions(Some(Xml::iq("set", &runtime::random_id()).child(query)), Pick::tagged(INTERESTED))
}
