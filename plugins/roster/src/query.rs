//! Retrieving the list (RFC 6121 §2.1.4, §2.6).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::contact::Contact;
use crate::push::{INTERESTED, NS, version};
use crate::state::Flags;
use crate::stores::CONTACTS;

/// The whole list, or nothing if the client has this version already.
pub(crate) fn get(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let sender = Jid::new(iq.from().unwrap_or_default());
    if sender.bare() != cx.key() {
        return Err(Condition::Forbidden.into());
    }
    if let Some(resource) = sender.resource() {
        sessions::set_tag(resource, INTERESTED, true)?;
    }
    let known = iq.payload().and_then(|query| query.attr("ver"));
    let version = version()?;
    if known == Some(version.as_str()) {
        return Ok(Reply::empty());
    }
    let contacts = CONTACTS.all()?;
    let items = contacts.iter().filter_map(|row| {
        let contact = Contact::parse(&row.key, std::str::from_utf8(&row.value).ok()?)?;
        contact.flags.has(Flags::LISTED).then(|| contact.to_item())
    });
    // Without `ver` the client does not understand versions (§2.6.2).
    Ok(Reply::with(Xml::with_ns("query", NS).attr_opt("ver", known.map(|_| version.as_str())).children(items)))
}
