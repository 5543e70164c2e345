//! Messages to one occupant (XEP-0045 §7.5).

use xylem_sdk::outbox::forward;
use xylem_sdk::prelude::*;

use crate::ns::{OCCUPANT_ID, USER};
use crate::occupant::{Occupant, Session};
use crate::privileges::Role;
use crate::room::Room;

/// Passes a message on to all sessions of the occupant it is for.
pub(crate) fn pass(stanza: &Stanza<'_>, nick: &str) -> Result<(), Failure> {
    let from = stanza.from().ok_or(Condition::BadRequest)?;
    let room = Room::existing(Jid::new(stanza.to().unwrap_or_default()).bare())?;
    let sender = Session::of(from)?.ok_or(Condition::NotAcceptable)?;
    let recipient = Occupant::named(nick)?.ok_or(Condition::ItemNotFound)?;
    may_send(&room, &sender, &recipient)?;
    // §7.5: whoever carbon-copies it has to know what it is; §17.3: and nobody claims more than that.
    stanza.remove(USER, "x")?;
    stanza.remove(OCCUPANT_ID, "occupant-id")?;
    stanza.insert(Xml::with_ns("x", USER))?;
    stanza.insert(Xml::with_ns("occupant-id", OCCUPANT_ID).attr("id", &sender.id))?;
    let address = room.occupant(&sender.nick);
    for session in &recipient.sessions {
        forward(Some(&address), Some(session))?;
    }
    Ok(())
}

/// `muc#roomconfig_allowpm`. A moderator may always be written to.
fn may_send(room: &Room, sender: &Session, recipient: &Occupant) -> Result<(), Failure> {
    let allowed = room.configuration.allow_pm;
    let answer =
        allowed.allows(sender.standing.role) || recipient.role == Role::Moderator && allowed.allows(Role::Moderator);
    if answer { Ok(()) } else { Err(Condition::Forbidden.into()) }
}
