//! The end of a room (XEP-0045 §10.9).

use xylem_sdk::Element;
use xylem_sdk::kv::Rows as _;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::ns::{MUC, OWNER, STANZAS, USER};
use crate::occupant::{self, Occupant};
use crate::room::Room;
use crate::row::{Reader, Writer};
use crate::stores::KEPT;

/// Where a room was that should not come back at once.
const TOMBSTONE: &str = "tombstone";

/// An owner wants it, and may say why and where to go.
pub(crate) fn requested(cx: &Cx, room: &Room, request: Element<'_>) -> Result<Reply, Failure> {
    let venue = match request.attr("jid") {
        Some(jid) => Some(Jid::normalise(jid).ok_or(Condition::JidMalformed)?),
        None => None,
    };
    let text = |name| request.child(OWNER, name).map(|child| child.text()).filter(|text| !text.is_empty());
    let destroy = Xml::new("destroy")
        .attr_opt("jid", venue.as_deref())
        .child_opt(text("password").map(|password| Xml::new("password").text(password)))
        .child_opt(text("reason").map(|reason| Xml::new("reason").text(reason)));
    self::destroy(room, Some(destroy))?;
    bury(cx, room, &venue.unwrap_or_default(), text("reason").unwrap_or_default())?;
    Ok(Reply::empty())
}

/// The name of a persistent room that was ended on purpose stays unused for a while.
pub(crate) fn bury(cx: &Cx, room: &Room, venue: &str, reason: &str) -> Result<(), Fault> {
    let rests = Config::load().tombstones;
    if !room.configuration.persistent || rests == 0 {
        return Ok(());
    }
    let row = Writer::default().number(cx.now().saturating_add(rests)).text(venue).text(reason);
    KEPT.put(TOMBSTONE, &row.done(), &[])
}

/// It may be used again.
pub(crate) fn dig_up() -> Result<(), Fault> {
    KEPT.delete(TOMBSTONE).map(drop)
}

/// Sends everybody out with one presence each and forgets the room.
pub(crate) fn destroy(room: &Room, how: Option<Xml>) -> Result<(), Fault> {
    let how = how.unwrap_or_else(|| Xml::new("destroy"));
    for occupant in Occupant::all()? {
        let item = Xml::new("item").attr("affiliation", "none").attr("role", "none");
        let x = Xml::with_ns("x", USER).child(item).child(how.clone()).child(crate::rendition::status("110"));
        let presence = Xml::presence(Some("unavailable")).attr("from", &room.occupant(&occupant.nick)).child(x);
        for session in &occupant.sessions {
            send(presence.clone().attr("to", session))?;
        }
    }
    occupant::forget_all()?;
    room.erase()
}

/// Whether a room stood here that was ended on purpose; then whoever wants to enter is told where it went.
pub(crate) fn stands_in_the_way(cx: &Cx, stanza: &Stanza<'_>) -> Result<bool, Fault> {
    let Some(row) = KEPT.get(TOMBSTONE)? else { return Ok(false) };
    let mut row = Reader::new(&row);
    let (until, venue, reason) = (row.number(), row.text(), row.text());
    if until <= cx.now() {
        KEPT.delete(TOMBSTONE)?;
        return Ok(false);
    }
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Ok(true) };
    let uri = if venue.is_empty() { String::new() } else { ["xmpp:", venue, "?join"].concat() };
    let text = Some(reason).filter(|reason| !reason.is_empty());
    let error = Xml::new("error")
        .attr("type", "cancel")
        .attr("by", Jid::new(to).bare())
        .child(Xml::with_ns("gone", STANZAS).text(&uri))
        .child_opt(text.map(|text| Xml::with_ns("text", STANZAS).text(text)));
    let presence = Xml::presence(Some("error")).attr("from", to).attr("to", from).attr_opt("id", stanza.id());
    send(presence.child(Xml::with_ns("x", MUC)).child(error))?;
    Ok(true)
}
