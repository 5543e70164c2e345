//! Telling the occupants about one of them (XEP-0045 §7.2.3).

use xylem_sdk::outbox::{send, to_group};
use xylem_sdk::prelude::*;

use crate::occupant::{ALL, MODERATORS, OTHERS, Occupant};
use crate::privileges::Role;
use crate::rendition::{Notice, presence};
use crate::room::Room;

/// To everybody, the occupant's own sessions last.
pub(crate) fn announce(room: &Room, occupant: &Occupant, notice: &Notice<'_>) -> Result<(), Fault> {
    to_others(room, occupant, notice)?;
    to_self(room, occupant, notice)
}

/// To the others, if the room shows occupants of this role.
pub(crate) fn to_others(room: &Room, occupant: &Occupant, notice: &Notice<'_>) -> Result<(), Fault> {
    if !room.configuration.broadcast.has(occupant.role) {
        return Ok(());
    }
    let own: Vec<&str> = occupant.sessions.iter().map(String::as_str).collect();
    if room.configuration.non_anonymous {
        return to_group(Some(presence(room, occupant, notice, true, false)), None, ALL, &own);
    }
    to_group(Some(presence(room, occupant, notice, true, false)), None, MODERATORS, &own)?;
    to_group(Some(presence(room, occupant, notice, false, false)), None, OTHERS, &own)
}

/// To the occupant's own sessions, with status 110.
pub(crate) fn to_self(room: &Room, occupant: &Occupant, notice: &Notice<'_>) -> Result<(), Fault> {
    let own = presence(room, occupant, notice, true, true);
    for session in &occupant.sessions {
        send_to(own.clone(), session)?;
    }
    Ok(())
}

/// A role has changed: whoever is not shown any more goes, for the others (`muc#roomconfig_presencebroadcast`).
pub(crate) fn role_changed(room: &Room, occupant: &Occupant, before: Role, notice: &Notice<'_>) -> Result<(), Fault> {
    let shown = |role| room.configuration.broadcast.has(role);
    if shown(before) && !shown(occupant.role) {
        let was = Occupant { role: before, ..occupant.clone() };
        to_others(room, &was, &Notice { gone: true, ..Notice::default() })?;
    }
    announce(room, occupant, notice)
}

/// A stanza to one address.
pub(crate) fn send_to(stanza: Xml, to: &str) -> Result<(), Fault> {
    send(stanza.attr("to", to))
}
