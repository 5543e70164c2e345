//! Going out of a room, by one's own will or not (XEP-0045 §7.14, §8.2, §12.1, §17.4).

use xylem_sdk::prelude::*;

use crate::announcing::{to_others, to_self, to_session};
use crate::ns::STANZAS;
use crate::occupant::{self, Occupant};
use crate::rendition::{Notice, payload};
use crate::room::Room;

/// Unavailable presence. Whoever is not in the room is ignored (§17.3).
pub(crate) fn unavailable(cx: &Cx, stanza: &Stanza<'_>) -> Result<(), Failure> {
    let Some(from) = stanza.from() else { return Ok(()) };
    let notice = Notice { gone: true, id: stanza.id(), ..Notice::default() };
    session_gone(cx, from, &payload(stanza), &notice)
}

/// An error that says that nothing reaches the session any more (§17.4): it has gone.
pub(crate) fn failed(cx: &Cx, stanza: &Stanza<'_>) -> Result<(), Failure> {
    let Some(from) = stanza.from() else { return Ok(()) };
    if is_delivery_error(stanza) {
        session_gone(cx, from, "", &Notice { gone: true, codes: &["333"], ..Notice::default() })?;
    }
    Ok(())
}

fn session_gone(cx: &Cx, jid: &str, said: &str, notice: &Notice<'_>) -> Result<(), Failure> {
    let Some(mut occupant) = Occupant::behind(jid)? else { return Ok(()) };
    let Some(room) = Room::open(&cx.key())? else { return Ok(()) };
    if occupant.sessions.len() > 1 {
        let alone = Occupant { presence: said.into(), ..occupant.clone() };
        to_session(&room, &alone, notice, jid)?;
        occupant.forget_session(jid)?;
        return Ok(occupant.save_presence(&room)?);
    }
    occupant.presence = said.into();
    // §10.1.3: a room that its maker leaves unconfigured never was.
    remove(&room, occupant, notice)?;
    close_if_empty(&room)?;
    Ok(())
}

/// Takes an occupant out with all sessions, and tells everybody: first the one who goes.
pub(crate) fn remove(room: &Room, mut occupant: Occupant, notice: &Notice<'_>) -> Result<(), Fault> {
    to_self(room, &occupant, notice)?;
    to_others(room, &occupant, notice)?;
    for session in occupant.sessions.clone() {
        occupant.forget_session(&session)?;
    }
    occupant.forget_nick()?;
    occupant::counted(-1)?;
    Ok(())
}

/// A temporary room ends with its last occupant (§7.14).
pub(crate) fn close_if_empty(room: &Room) -> Result<(), Fault> {
    let over = room.locked || !room.configuration.persistent;
    if over && occupant::count()? == 0 { room.erase() } else { Ok(()) }
}

/// §17.4. Not `service-unavailable`: who blocks somebody in the room answers with that, and stays (XEP-0191 §3.3).
fn is_delivery_error(stanza: &Stanza<'_>) -> bool {
    let Some(error) = stanza.root().children().find(|child| child.name() == "error") else { return false };
    error.children().any(|condition| {
        condition.ns() == STANZAS
            && matches!(
                condition.name(),
                "gone"
                    | "item-not-found"
                    | "recipient-unavailable"
                    | "redirect"
                    | "remote-server-not-found"
                    | "remote-server-timeout"
            )
    })
}
