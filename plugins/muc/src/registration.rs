//! Registering with a room, which makes a member and reserves a nickname (XEP-0045 §7.10, §9.9).

use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::form::{self, Form};
use crate::limits;
use crate::ns::{CLIENT, REGISTER, REGISTER_FORM};
use crate::occupant::{Occupant, Session};
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::standings::{self, Actor};

/// `jabber:iq:register` to a room.
pub(crate) fn register(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let key = cx.key();
    if Jid::new(&key).local().is_none() {
        return Err(Condition::ServiceUnavailable.into());
    }
    let room = Room::existing(&key)?;
    let from = iq.from().ok_or(Condition::BadRequest)?;
    let account = Jid::new(from).bare();
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let affiliation = affiliations::of(&room, account)?;
    if affiliation == Affiliation::Outcast {
        return Err(Condition::NotAllowed.into());
    }
    let nick = affiliations::affiliate(&room, account)?.map(|row| row.nick).unwrap_or_default();
    if iq.is("get") {
        return Ok(Reply::with(requirements(affiliation, &nick)));
    }
    if query.child(REGISTER, "remove").is_some() {
        return remove(&room, account, affiliation);
    }
    let form = form::within(query).filter(|form| form.is("submit") && form.kind() == Some(REGISTER_FORM));
    let form = form.ok_or(Condition::BadRequest)?;
    let wanted = form.value("muc#register_roomnick").unwrap_or_default().trim();
    if wanted.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let wanted = nickname(&room, wanted)?;
    is_free(&room, account, &wanted)?;
    if room.configuration.members_only && affiliation == Affiliation::None {
        return ask(&room, account, &wanted, form);
    }
    let affiliation = affiliation.max(Affiliation::Member);
    let affiliate = Affiliate { account: account.into(), affiliation, nick: wanted, reason: String::new() };
    standings::apply(&room, &of_room(&room), &affiliate)?;
    Ok(Reply::empty())
}

fn requirements(affiliation: Affiliation, nick: &str) -> Xml {
    let query = Xml::with_ns("query", REGISTER);
    if affiliation >= Affiliation::Member && !nick.is_empty() {
        return query.child(Xml::new("registered")).leaf("username", nick);
    }
    let nick = form::field("text-single", "muc#register_roomnick", "Nickname", &[]).child(Xml::new("required"));
    let form = form::form("form", REGISTER_FORM)
        .leaf("title", "Registration with the room")
        .child(form::field("text-single", "muc#register_first", "Given name", &[]))
        .child(form::field("text-single", "muc#register_last", "Family name", &[]))
        .child(nick)
        .child(form::field("text-single", "muc#register_url", "Your web page", &[]))
        .child(form::field("text-single", "muc#register_email", "Email address", &[]))
        .child(form::field("text-multi", "muc#register_faqentry", "About you", &[]));
    query.leaf("instructions", "Choose the nickname that is to be yours in this room.").child(form)
}

/// XEP-0077 §3.2. Owners and administrators only give their nickname back.
fn remove(room: &Room, account: &str, affiliation: Affiliation) -> Result<Reply, Failure> {
    let left = if affiliation > Affiliation::Member { affiliation } else { Affiliation::None };
    let nobody = Affiliate { account: account.into(), affiliation: left, nick: String::new(), reason: String::new() };
    standings::apply(room, &of_room(room), &nobody)?;
    Ok(Reply::empty())
}

/// The nickname in the form that addresses have.
fn nickname(room: &Room, wanted: &str) -> Result<String, Failure> {
    let jid = Jid::normalise(&room.occupant(wanted)).ok_or(Condition::NotAcceptable)?;
    Ok(Jid::new(&jid).resource().unwrap_or_default().to_owned())
}

fn is_free(room: &Room, account: &str, nick: &str) -> Result<(), Failure> {
    let reserved = affiliations::holder(room, nick)?.is_some_and(|holder| holder.account != account);
    let in_use = Occupant::named(nick)?.is_some_and(|occupant| occupant.account != account);
    if reserved || in_use { Err(Condition::Conflict.into()) } else { Ok(()) }
}

/// §9.9: into a members-only room nobody lets themselves; the administrators who are there are asked.
fn ask(room: &Room, account: &str, nick: &str, filled: Form<'_>) -> Result<Reply, Failure> {
    if !limits::INVITE.take(account) {
        return Err(Failure::new(Condition::ResourceConstraint).kind("wait"));
    }
    let mut form = form::form("form", REGISTER_FORM)
        .leaf("title", "Registration request")
        .leaf("instructions", "To approve this request, select the box and submit the form.")
        .child(form::field("jid-single", "muc#jid", "User ID", &[account]))
        .child(form::field("text-single", "muc#register_roomnick", "Nickname", &[nick]));
    for var in ["first", "last", "url", "email", "faqentry"] {
        let var = ["muc#register_", var].concat();
        if let Some(value) = filled.value(&var).filter(|value| !value.is_empty()) {
            form = form.child(form::field("text-single", &var, "", &[value]));
        }
    }
    let form = form.child(form::flag("muc#register_allow", "Make this person a member?", false));
    let message = Xml::with_ns("message", CLIENT).attr("from", &room.jid).child(form);
    for occupant in Occupant::all()?.into_iter().filter(|occupant| occupant.affiliation >= Affiliation::Admin) {
        for session in &occupant.sessions {
            send(message.clone().attr("to", session))?;
        }
    }
    Ok(Reply::empty())
}

/// An administrator's answer.
pub(crate) fn answered(room: &Room, stanza: &Stanza<'_>, form: Form<'_>) -> Result<(), Failure> {
    let from = stanza.from().ok_or(Condition::BadRequest)?;
    let affiliation = affiliations::of(room, Jid::new(from).bare())?;
    if affiliation < Affiliation::Admin {
        return Err(Condition::Forbidden.into());
    }
    let allow = form.fields().find(|(var, _)| *var == "muc#register_allow").and_then(|(_, field)| field.flag());
    if allow != Some(true) {
        return Ok(());
    }
    let account = form.value("muc#jid").and_then(Jid::normalise).ok_or(Condition::BadRequest)?;
    let account = Jid::new(&account).bare();
    let nick = nickname(room, form.value("muc#register_roomnick").unwrap_or_default())?;
    is_free(room, account, &nick)?;
    if affiliations::of(room, account)? >= Affiliation::Member {
        return Ok(());
    }
    let nick_of_actor = Session::of(from)?.map(|session| session.nick);
    let actor = Actor { account: Jid::new(from).bare(), affiliation, nick: nick_of_actor.as_deref() };
    let member = Affiliate { account: account.into(), affiliation: Affiliation::Member, nick, reason: String::new() };
    standings::check(room, &actor, &member)?;
    Ok(standings::apply(room, &actor, &member)?)
}

fn of_room(room: &Room) -> Actor<'_> {
    Actor { account: &room.jid, affiliation: Affiliation::Owner, nick: None }
}
