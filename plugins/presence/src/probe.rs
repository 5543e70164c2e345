//! Probes (RFC 6121 §4.3.2). The blocking plugin has stopped those of blocked contacts before.

use xylem_sdk::groups;
use xylem_sdk::outbox::{presence_to, send};
use xylem_sdk::prelude::*;

use crate::broadcast::ONLINE;
use crate::directed::subscribed;

/// Answers with the presence of every available resource, or says that there is none to see.
pub(crate) fn probed(cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let Some(from) = stanza.from() else { return Ok(Verdict::Stop) };
    let asker = Jid::new(from).bare();
    if asker == cx.key() {
        presence_to(from)?;
    } else if !subscribed(asker)? {
        // So that the asker's server learns that its idea of the subscription is wrong.
        send(Xml::presence(Some("unsubscribed")).attr("to", asker))?;
    } else if groups::members(ONLINE)?.is_empty() {
        send(Xml::presence(Some("unavailable")).attr("to", from))?;
    } else {
        presence_to(from)?;
    }
    Ok(Verdict::Stop)
}
