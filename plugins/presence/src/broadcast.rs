//! Presence without addressee (RFC 6121 §4.2, §4.4, §4.5).

use xylem_sdk::groups;
use xylem_sdk::outbox::{Pick, presence_to, to_sessions};
use xylem_sdk::prelude::*;

use crate::directed::withdraw;
use crate::fan_out::{PROBED, SUBSCRIBERS, fan_out};

/// The account's resources that have sent presence.
pub(crate) const ONLINE: &str = "online";

/// Initial presence, or a change of it.
pub(crate) fn available(_cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let Some(from) = stanza.from() else { return Ok(Verdict::Pass) };
    let first = !groups::has(ONLINE, from)?;
    fan_out(None, SUBSCRIBERS)?;
    if first {
        groups::put(ONLINE, from)?;
        begin(from)?;
    } else {
        to_sessions(None, Pick::available())?;
    }
    Ok(Verdict::Pass)
}

/// What the first presence brings beyond the broadcast (§4.2.2, §4.3.1): the account's
/// resources learn of each other, and contacts are asked.
fn begin(from: &str) -> Result<(), Fault> {
    to_sessions(None, Pick::available().except(Jid::new(from).resource()))?;
    presence_to(from)?;
    fan_out(Some(Xml::presence(Some("probe")).attr("from", from)), PROBED)
}

/// The end of it, also for those who were told directly (§4.5.2, §4.6.3).
pub(crate) fn unavailable(_cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let Some(from) = stanza.from() else { return Ok(Verdict::Pass) };
    if groups::remove(ONLINE, from)? {
        fan_out(None, SUBSCRIBERS)?;
        to_sessions(None, Pick::available())?;
        if let Some(resource) = Jid::new(from).resource() {
            to_sessions(None, Pick::only(resource))?;
        }
    }
    withdraw(from)?;
    Ok(Verdict::Pass)
}
