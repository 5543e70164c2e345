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
    let jid = own.first().copied();
    if room.configuration.non_anonymous {
        return to_group(Some(presence(room, occupant, notice, jid, false)), None, ALL, &own);
    }
    to_group(Some(presence(room, occupant, notice, jid, false)), None, MODERATORS, &own)?;
    to_group(Some(presence(room, occupant, notice, None, false)), None, OTHERS, &own)
}

/// To the occupant's own sessions, with status 110 and each with its own address.
pub(crate) fn to_self(room: &Room, occupant: &Occupant, notice: &Notice<'_>) -> Result<(), Fault> {
    occupant.sessions.iter().try_for_each(|session| to_session(room, occupant, notice, session))
}

/// To one of them.
pub(crate) fn to_session(room: &Room, occupant: &Occupant, notice: &Notice<'_>, session: &str) -> Result<(), Fault> {
    send(presence(room, occupant, notice, Some(session), true).attr("to", session))
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
