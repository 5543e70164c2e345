//! Nicknames: which are free, and changing one (XEP-0045 §7.2.8, §7.6).

use xylem_sdk::prelude::*;

use crate::affiliations;
use crate::announcing::{announce, to_others, to_self};
use crate::configuration::Configuration;
use crate::occupant::Occupant;
use crate::rendition::{Notice, payload};
use crate::room::Room;

/// The nickname that a presence is addressed to.
pub(crate) fn wanted<'a>(stanza: &Stanza<'a>) -> Result<&'a str, Failure> {
    let nick = stanza.to().and_then(|to| Jid::new(to).resource()).unwrap_or_default();
    // §17.1: one that nobody could see is none.
    if nick.trim().is_empty() || nick.len() > LONGEST {
        return Err(Condition::JidMalformed.into());
    }
    Ok(nick)
}

/// Bytes; longer ones are used to shout without voice (§14.6).
const LONGEST: usize = 256;

/// `conflict` when somebody else has it, in the room or reserved (§7.10).
pub(crate) fn is_free(room: &Room, account: &str, nick: &str, there: Option<&Occupant>) -> Result<(), Failure> {
    let taken = there.is_some_and(|occupant| occupant.account != account);
    let reserved = affiliations::holder(room, nick)?.is_some_and(|holder| holder.account != account);
    if taken || reserved { Err(Condition::Conflict.into()) } else { Ok(()) }
}

/// Another nickname for all the sessions of an occupant.
pub(crate) fn change(cx: &Cx, stanza: &Stanza<'_>, from: &str, nick: &str) -> Result<(), Failure> {
    let room = Room::existing(&cx.key())?;
    let Some(mut occupant) = Occupant::behind(from)? else { return Ok(()) };
    let there = Occupant::named(nick)?;
    is_free(&room, &occupant.account, nick, there.as_ref())?;
    if there.is_some() {
        // Two occupants of one account do not become one: their sessions may differ in rights.
        return Err(Condition::Conflict.into());
    }
    may_change(&room.configuration, &occupant)?;
    let notice = Notice { new_nick: Some(nick), codes: &["303"], ..Notice::default() };
    to_others(&room, &occupant, &notice)?;
    to_self(&room, &occupant, &notice)?;
    occupant.forget_nick()?;
    occupant.nick = nick.into();
    occupant.presence = payload(stanza);
    occupant.save(&room)?;
    Ok(announce(&room, &occupant, &Notice { id: stanza.id(), ..Notice::default() })?)
}

/// §14.6: without voice a nickname is no way to speak.
fn may_change(configuration: &Configuration, occupant: &Occupant) -> Result<(), Failure> {
    let mute = configuration.moderated && occupant.role < crate::privileges::Role::Participant;
    if mute { Err(Condition::NotAllowed.into()) } else { Ok(()) }
}
