//! Requests that the user has not answered (RFC 6121 §3.1.3).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;

use crate::Config;
use crate::contact::Contact;
use crate::stores::CONTACTS;

/// The biggest request that is kept with all it contains, in bytes.
const WHOLE: usize = 8192;

/// Whether so many wait that strangers get no more in; the list is the user's, not theirs.
pub(crate) fn full() -> Result<bool, Fault> {
    let waiting = CONTACTS.by_index("pending", "1")?.len() as u64;
    Ok(waiting >= Config::load().max_requests.unsigned_abs())
}

/// The request as it is kept: the whole stanza with what else is in it, unless that is a burden.
pub(crate) fn keep(peer: &str, stanza: &Stanza) -> Option<String> {
    let whole = stanza.root().xml().filter(|xml| xml.len() <= WHOLE);
    Some(whole.unwrap_or_else(|| Xml::presence(Some("subscribe")).attr("from", peer).build()))
}

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
