//! Retrieving the list (RFC 6121 §2.1.4, §2.6).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::contact::Contact;
use crate::history::History;
use crate::push::{INTERESTED, NS, push_missed};
use crate::state::Flags;
use crate::stores::CONTACTS;

/// The whole list; or nothing but, in pushes, what changed since the version that the client has.
pub(crate) fn get(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let sender = Jid::new(iq.from().unwrap_or_default());
    if sender.bare() != cx.key() {
        return Err(Condition::Forbidden.into());
    }
    if let Some(resource) = sender.resource() {
        sessions::set_tag(resource, INTERESTED, true)?;
    }
    let known = iq.payload().and_then(|query| query.attr("ver"));
    let history = History::load()?;
    if let (Some(missed), Some(resource)) = (known.and_then(|known| history.since(known)), sender.resource()) {
        for (version, jid) in missed {
            push_missed(resource, &version, jid)?;
        }
        return Ok(Reply::empty());
    }
    let version = history.version();
    let contacts = CONTACTS.all()?;
    let items = contacts.iter().filter_map(|row| {
        let contact = Contact::parse(&row.key, std::str::from_utf8(&row.value).ok()?)?;
        contact.flags.has(Flags::LISTED).then(|| contact.to_item())
    });
    // Without `ver` the client does not understand versions (§2.6.2).
    Ok(Reply::with(Xml::with_ns("query", NS).attr_opt("ver", known.map(|_| version.as_str())).children(items)))
}
