//! Asking for voice in a moderated room, and granting it (XEP-0045 §7.13, §8.6).

use xylem_sdk::outbox::to_group;
use xylem_sdk::prelude::*;

use crate::form::{self, Form};
use crate::ns::REQUEST;
use crate::occupant::{MODERATORS, Occupant, Session};
use crate::privileges::{Role, may_set_role};
use crate::room::Room;
use crate::{limits, roles};

/// A form of the request's kind: a visitor asks, or a moderator answers.
pub(crate) fn requested(room: &Room, stanza: &Stanza<'_>, form: Form<'_>) -> Result<(), Failure> {
    let from = stanza.from().ok_or(Condition::BadRequest)?;
    let session = Session::of(from)?.ok_or(Condition::NotAcceptable)?;
    let role = form.value("muc#role").and_then(Role::parse).ok_or(Condition::BadRequest)?;
    match form.fields().find(|(var, _)| *var == "muc#request_allow") {
        Some((_, allow)) if allow.flag() == Some(true) => grant(room, &session, form, role),
        Some(_) => Ok(()),
        None => ask(room, from, &session, role),
    }
}

/// To all moderators, as a form to be filled in.
fn ask(room: &Room, from: &str, session: &Session, role: Role) -> Result<(), Failure> {
    if role != Role::Participant || session.standing.role >= role {
        return Err(Condition::BadRequest.into());
    }
    if !limits::INVITE.take(Jid::new(from).bare()) {
        return Err(Failure::new(Condition::ResourceConstraint).kind("wait"));
    }
    let instructions = "To approve this request for voice, select the box and submit the form.";
    let form = form::form("form", REQUEST)
        .leaf("title", "Voice request")
        .leaf("instructions", instructions)
        .child(form::field("list-single", "muc#role", "Requested role", &[role.name()]))
        .child(form::field("jid-single", "muc#jid", "User ID", &[from]))
        .child(form::field("text-single", "muc#roomnick", "Room nickname", &[&session.nick]))
        .child(form::flag("muc#request_allow", "Grant voice to this person?", false));
    let message = Xml::with_ns("message", crate::ns::CLIENT).attr("from", &room.jid).child(form);
    Ok(to_group(Some(message), None, MODERATORS, &[])?)
}

fn grant(room: &Room, moderator: &Session, form: Form<'_>, role: Role) -> Result<(), Failure> {
    let nick = form.value("muc#roomnick").ok_or(Condition::BadRequest)?;
    let occupant = Occupant::named(nick)?.ok_or(Condition::ItemNotFound)?;
    if role != Role::Participant {
        return Err(Condition::BadRequest.into());
    }
    may_set_role(moderator.standing, occupant.standing(), role)?;
    if occupant.role >= role {
        return Ok(());
    }
    Ok(roles::set(room, occupant, role, None, "")?)
}
