//! Requests that the user has not answered (RFC 6121 §3.1.3).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;

use crate::contact::Contact;
use crate::stores::CONTACTS;

/// Hands all of them to a resource that became available.
pub(crate) fn remind(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    let Some(resource) = Jid::new(event.subject).resource() else { return Ok(()) };
    for row in CONTACTS.by_index("pending", "1")? {
        let contact = std::str::from_utf8(&row.value).ok().and_then(|text| Contact::parse(&row.key, text));
        if let Some(request) = contact.and_then(|contact| contact.request) {
            to_sessions(Some(Xml::from_text(request)), Pick::only(resource))?;
        }
    }
    Ok(())
}
