//! Messages to everybody in the room (XEP-0045 §7.4).

use xylem_sdk::outbox::to_group;
use xylem_sdk::prelude::*;

use crate::ns::{DELAY, OCCUPANT_ID, STANZA_ID, USER};
use crate::occupant::{ALL, Session};
use crate::privileges::{Affiliation, Role};
use crate::room::Room;
use crate::{affiliations, extension, history, limits, retraction, subject};

/// A message of type `groupchat`.
pub(crate) fn to_all(cx: &Cx, stanza: &Stanza<'_>) -> Result<(), Failure> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Err(Condition::BadRequest.into()) };
    if !Jid::new(to).is_bare() {
        // §7.5: a private message cannot be of this type.
        return Err(Condition::BadRequest.into());
    }
    let room = Room::existing(to)?;
    let session = Session::of(from)?.ok_or_else(|| outside(&room, from))?;
    let address = room.occupant(&session.nick);
    if let Some(text) = subject::set_by(stanza) {
        subject::may_change(&room, &session)?;
        subject::keep(cx, &room, &session, stanza.id(), text)?;
        mark(&room, stanza, &session)?;
        // XEP-0313 §5.1.3: who reads later sees when it changed.
        let id = history::keep(&room, &address)?;
        stanza.insert(Xml::with_ns("stanza-id", STANZA_ID).attr("by", &room.jid).attr("id", &id))?;
        return Ok(reflect(None, &address)?);
    }
    if session.standing.role < Role::Participant {
        // §7.4: no voice.
        return Err(Condition::Forbidden.into());
    }
    is_calm(&room, from, &session)?;
    mark(&room, stanza, &session)?;
    if let Some(xml) = extension::message(&room, stanza, from, &session)? {
        return extension::rewritten(cx, &room, stanza, &session, &xml);
    }
    if history::is_kept(stanza) {
        retraction::by_author(cx, stanza, &session)?;
        let id = history::keep(&room, &address)?;
        stanza.insert(Xml::with_ns("stanza-id", STANZA_ID).attr("by", &room.jid).attr("id", &id))?;
    }
    Ok(reflect(None, &address)?)
}

/// To everybody in the room: this message, or the current one as it was edited.
pub(crate) fn reflect(message: Option<Xml>, sender: &str) -> Result<(), Fault> {
    to_group(message, Some(sender), ALL, &[])
}

/// Neither one alone nor all together drown the room; moderators are trusted.
fn is_calm(room: &Room, from: &str, session: &Session) -> Result<(), Failure> {
    if session.standing.role == Role::Moderator {
        return Ok(());
    }
    if limits::SPEAK.take(&[&room.jid, " ", Jid::new(from).bare()].concat()) && limits::NOISE.take(&room.jid) {
        return Ok(());
    }
    Err(Failure::new(Condition::ResourceConstraint).kind("wait").text("too many messages; wait a little"))
}

/// Somebody who is not in the room: §17.2, and `item-not-found` while there is none to speak of.
fn outside(room: &Room, from: &str) -> Failure {
    let account = Jid::new(from).bare();
    match affiliations::of(room, account) {
        Ok(_) if room.locked => Condition::ItemNotFound.into(),
        Ok(Affiliation::Outcast) => Condition::Forbidden.into(),
        Ok(_) => Condition::NotAcceptable.into(),
        Err(fault) => fault.into(),
    }
}

/// Takes out of the message what only the room may say (§17.3, XEP-0359 §6, XEP-0421 §3.2), and
/// puts in who sent it.
fn mark(room: &Room, stanza: &Stanza<'_>, session: &Session) -> Result<(), Failure> {
    let mut forged: Vec<(&str, &str)> = Vec::new();
    for child in stanza.root().children() {
        let only_the_rooms = match child.ns() {
            USER | OCCUPANT_ID => true,
            // Whoever sent it speaks for no archive, least of all for those of the others here.
            STANZA_ID => child.name() == "stanza-id",
            DELAY => child.attr("from") == Some(&room.jid),
            _ => false,
        };
        let one = (child.ns(), child.name());
        if only_the_rooms && !forged.contains(&one) {
            if forged.len() >= FORGED {
                return Err(Condition::BadRequest.into());
            }
            forged.push(one);
        }
    }
    for (ns, name) in forged {
        stanza.remove(ns, name)?;
    }
    Ok(stanza.insert(Xml::with_ns("occupant-id", OCCUPANT_ID).attr("id", &session.id))?)
}

/// Names of forged children that are taken out; who sends more of them means harm.
const FORGED: usize = 16;
