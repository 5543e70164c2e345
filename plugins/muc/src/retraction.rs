//! Taking back what was said: by its author (XEP-0424), or by a moderator (XEP-0425). In the
//! archive a tombstone is left.

use xylem_sdk::outbox::to_group;
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;
use xylem_sdk::time::utc;

use crate::history;
use crate::ns::{MODERATE, OCCUPANT_ID, RETRACT, STANZA_ID};
use crate::occupant::{ALL, Session};
use crate::privileges::Role;
use crate::room::Room;
use crate::stores::HISTORY;

/// The author of a message takes it back; whoever is not the author only says so.
pub(crate) fn by_author(cx: &Cx, stanza: &Stanza<'_>, session: &Session) -> Result<(), Fault> {
    let Some(id) = stanza.child(RETRACT, "retract").and_then(|retract| retract.attr("id")) else { return Ok(()) };
    let Some(row) = HISTORY.get(id)? else { return Ok(()) };
    if author(&row.stanza) != Some(&session.id) {
        return Ok(());
    }
    let retracted = Xml::with_ns("retracted", RETRACT).attr_opt("id", stanza.id()).attr("stamp", &utc(cx.now()));
    bury(&row.id, &row.stanza, retracted)
}

/// A moderator takes it out.
pub(crate) fn moderate(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let room = Room::existing(&cx.key())?;
    let session = Session::of(iq.from().ok_or(Condition::BadRequest)?)?;
    let session = session.filter(|session| session.standing.role == Role::Moderator).ok_or(Condition::Forbidden)?;
    let moderate = iq.payload().ok_or(Condition::BadRequest)?;
    let id = moderate.attr("id").filter(|_| moderate.child(RETRACT, "retract").is_some());
    let id = id.ok_or(Condition::BadRequest)?;
    let row = HISTORY.get(id)?.ok_or(Condition::ItemNotFound)?;
    let reason = moderate.child(MODERATE, "reason").map(|reason| reason.text()).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| Xml::new("reason").text(reason));
    let moderated = Xml::with_ns("moderated", MODERATE)
        .attr("by", &room.occupant(&session.nick))
        .child(Xml::with_ns("occupant-id", OCCUPANT_ID).attr("id", &session.id));
    let retracted = Xml::with_ns("retracted", RETRACT).attr("stamp", &utc(cx.now()));
    bury(&row.id, &row.stanza, retracted.child(moderated.clone()).child_opt(reason.clone()))?;
    let retract = Xml::with_ns("retract", RETRACT).attr("id", id).child(moderated).child_opt(reason);
    let message = Xml::message("groupchat").attr("from", &room.jid).attr("id", &runtime::random_id()).child(retract);
    // XEP-0425 §5: who was away finds it when looking up what was said.
    let own = history::keep_own(&room, message.clone())?;
    let stanza_id = Xml::with_ns("stanza-id", STANZA_ID).attr("by", &room.jid).attr("id", &own);
    to_group(Some(message.child(stanza_id)), None, ALL, &[])?;
    Ok(Reply::empty())
}

/// Leaves nothing of a kept message but who sent it when, and what became of it.
fn bury(id: &str, stanza: &str, retracted: Xml) -> Result<(), Fault> {
    let Some(head) = head(stanza) else { return Ok(()) };
    let occupant = author(stanza).map(|id| Xml::with_ns("occupant-id", OCCUPANT_ID).attr("id", id).build());
    let tombstone = ["<", head, ">", &retracted.build(), &occupant.unwrap_or_default(), "</message>"].concat();
    HISTORY.replace(id, Xml::from_text(tombstone))
}

/// The identifier of whoever sent a kept message: the last one in it, which the room put there.
fn author(stanza: &str) -> Option<&str> {
    let (_, last) = stanza.rsplit_once("<occupant-id ")?;
    let (_, value) = last.split_once(" id=")?;
    let quote = value.chars().next()?;
    value.get(1..)?.split(quote).next()
}

/// Name and attributes of a kept stanza.
pub(crate) fn head(stanza: &str) -> Option<&str> {
    let mut quote = None;
    for (at, byte) in stanza.bytes().enumerate() {
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (b'>', None) => return stanza.get(1..at).map(|head| head.trim_end_matches('/')),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{author, head};

    #[test]
    fn what_the_room_put_in_is_found() {
        let kept = "<message from='r@x/a>b' id='1'><body>&lt;occupant-id </body>\
                    <x xmlns='y'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/></x>\
                    <occupant-id xmlns='urn:xmpp:occupant-id:0' id='true'/></message>";
        assert_eq!(author(kept), Some("true"));
        assert_eq!(head(kept), Some("message from='r@x/a>b' id='1'"));
        assert_eq!((author("<message/>"), head("<message from='a")), (None, None));
    }
}
