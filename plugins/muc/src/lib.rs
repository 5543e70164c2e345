//! XEP-0045: rooms in which many people talk, at a domain of their own.
//!
//! The key of every call is a room's address, or the domain for what concerns the service.

mod admin;
mod affiliations;
mod announcing;
mod archive;
mod archive_filter;
mod card;
mod commands;
mod configuration;
mod configuration_form;
mod configuring;
mod creating;
mod destroying;
mod directory;
mod discovery;
mod entering;
mod extension;
mod form;
mod hats;
mod history;
mod identifier;
mod invitation;
mod leaving;
mod listing;
mod message;
mod nickname;
mod ns;
mod occupant;
mod operations;
mod private;
mod privileges;
mod refusal;
mod registration;
mod relaying;
mod rendition;
mod retraction;
mod roles;
mod room;
mod row;
mod services;
mod stamp;
mod standings;
mod stopping;
mod subject;
mod sweeping;
mod voice;

use xylem_sdk::prelude::*;
use xylem_sdk::{Answer, runtime};

use admin::admin;
use archive::{archive_form, archive_metadata, archive_query, page_sent};
use card::card;
use commands::command;
use configuring::owner;
use discovery::{info, items};
use operations::{
    affiliate as room_affiliate, affiliations as room_affiliations, change as room_configure, create as room_create,
    destroy as room_destroy, history as room_history, kick as room_kick, list as room_list,
    occupants as room_occupants, show as room_show,
};
use registration::register;
use retraction::moderate;
use room::Room;
use services::announce;
use stopping::stopping;
use sweeping::sweep;

xylem_sdk::plugin!();

/// Presence to a room. Errors are answered here, because the server answers presence with none.
fn presence(cx: &Cx, stanza: &Stanza<'_>) -> Verdict {
    let done = match stanza.type_() {
        _ if Jid::new(&cx.key()).local().is_none() => Ok(()),
        None => entering::available(cx, stanza),
        Some("unavailable") => leaving::unavailable(cx, stanza),
        Some("error") => leaving::failed(cx, stanza),
        // §17.3: nothing else is a way in or out.
        Some(_) => Ok(()),
    };
    let refused = match done {
        Err(failure) if stanza.type_().is_none() => refusal::refuse(stanza, &failure),
        _ => Ok(()),
    };
    if let Err(fault) = refused {
        runtime::warn(fault.as_str());
    }
    Verdict::Stop
}

/// Messages to everybody in a room.
fn groupchat(cx: &Cx, stanza: &Stanza<'_>) -> Result<Verdict, Failure> {
    if Jid::new(&cx.key()).local().is_none() {
        return Err(Condition::ServiceUnavailable.into());
    }
    message::to_all(cx, stanza)?;
    Ok(Verdict::Stop)
}

/// Messages to an occupant, and those by which something is asked of the room.
fn message(_cx: &Cx, stanza: &Stanza<'_>) -> Result<Verdict, Failure> {
    let to = Jid::new(stanza.to().unwrap_or_default());
    match to.resource() {
        _ if to.local().is_none() => return Err(Condition::ServiceUnavailable.into()),
        Some(nick) => private::pass(stanza, nick)?,
        None => asked(stanza, &Room::existing(to.bare())?)?,
    }
    Ok(Verdict::Stop)
}

fn asked(stanza: &Stanza<'_>, room: &Room) -> Result<(), Failure> {
    if let Some(x) = stanza.child(ns::USER, "x") {
        if let Some(decline) = x.child(ns::USER, "decline") {
            return invitation::decline(room, stanza, decline);
        }
        if x.child(ns::USER, "invite").is_some() {
            return invitation::invite(room, stanza, x);
        }
    }
    let form = form::within(stanza.root()).filter(|form| form.is("submit"));
    match form.and_then(|form| Some((form, form.kind()?))) {
        Some((form, ns::REQUEST)) => voice::requested(room, stanza, form),
        Some((form, ns::REGISTER_FORM)) => registration::answered(room, stanza, form),
        // §17.2: what is said to everybody is of type groupchat.
        _ => Err(Condition::BadRequest.into()),
    }
}

/// A message came back from one of the sessions.
fn message_failed(cx: &Cx, stanza: &Stanza<'_>) -> Result<Verdict, Failure> {
    leaving::failed(cx, stanza)?;
    Ok(Verdict::Stop)
}

/// Requests to an occupant's address.
fn between_occupants(_cx: &Cx, stanza: &Stanza<'_>) -> Result<Verdict, Failure> {
    relaying::pass(stanza)?;
    Ok(Verdict::Stop)
}

/// What an occupant answered.
fn answered(_cx: &Cx, answer: &Answer<'_>) -> Result<(), Failure> {
    relaying::answered(answer)
}

/// XEP-0307: a name that no room has.
fn unique(cx: &Cx, iq: &Stanza<'_>) -> Result<Xml, Failure> {
    if Jid::new(&cx.key()).local().is_some() {
        return Err(Condition::FeatureNotImplemented.into());
    }
    if !limits::CREATE.take(Jid::new(iq.from().unwrap_or_default()).bare()) {
        return Err(Failure::new(Condition::ResourceConstraint).kind("wait"));
    }
    Ok(Xml::with_ns("unique", ns::UNIQUE).text(&identifier::hex(&runtime::random(16))))
}

/// XEP-0199, to a room or the service.
fn pong(cx: &Cx, _iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let key = cx.key();
    if Jid::new(&key).local().is_some() {
        Room::existing(&key)?;
    }
    Ok(Reply::empty())
}
