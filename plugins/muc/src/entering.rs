//! Entering a room (XEP-0045 §7.2).

use xylem_sdk::Element;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::announcing::{announce, to_others, to_session};
use crate::history::Limits;
use crate::ns::{MUC, USER};
use crate::occupant::{Occupant, Session};
use crate::privileges::{Affiliation, Role, default_role};
use crate::rendition::{Notice, of_row, payload};
use crate::room::Room;
use crate::{
    Config, affiliations, creating, destroying, extension, hats, history, identifier, limits, nickname, occupant,
    subject,
};

/// Available presence to an occupant's address: to enter, to change the nickname, or to change
/// what it says.
pub(crate) fn available(cx: &Cx, stanza: &Stanza<'_>) -> Result<(), Failure> {
    let (from, nick) = (stanza.from().ok_or(Condition::BadRequest)?, nickname::wanted(stanza)?);
    let join = stanza.child(MUC, "x");
    // §14.6: rapid changes of presence reach everybody.
    if !limits::PRESENCE.take(&[&cx.key(), " ", Jid::new(from).bare()].concat()) {
        return Err(Condition::ResourceConstraint.into());
    }
    match (Session::of(from)?, join) {
        (Some(session), None) if session.nick == nick => status(cx, stanza, from),
        (Some(session), Some(_)) if session.nick == nick => again(cx, stanza, from),
        (Some(_), None) => nickname::change(cx, stanza, from, nick),
        (Some(_), Some(_)) => {
            nickname::change(cx, stanza, from, nick)?;
            again(cx, stanza, from)
        }
        (None, Some(join)) => enter(cx, stanza, from, nick, join),
        (None, None) => Ok(out_of_step(stanza)?),
    }
}

/// §7.2.14: whoever does not know that it is not in the room any more is told.
fn out_of_step(stanza: &Stanza<'_>) -> Result<(), Fault> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Ok(()) };
    let item = Xml::new("item").attr("affiliation", "none").attr("role", "none");
    let codes = ["110", "307", "333"].into_iter().map(crate::rendition::status);
    let presence = Xml::presence(Some("unavailable")).attr("from", to).attr("to", from).attr_opt("id", stanza.id());
    send(presence.child(Xml::with_ns("x", USER).child(item).children(codes)))
}

fn enter(cx: &Cx, stanza: &Stanza<'_>, from: &str, nick: &str, join: Element<'_>) -> Result<(), Failure> {
    let config = Config::load();
    let (key, account) = (cx.key(), Jid::new(from).bare());
    let (room, created) = match Room::open(&key)? {
        Some(room) => (room, false),
        None if destroying::stands_in_the_way(cx, stanza)? => return Ok(()),
        None => (creating::create(cx, &key, account, &config)?, true),
    };
    if room.locked && !created && room.founder != account {
        return Err(Condition::ItemNotFound.into());
    }
    let affiliation = affiliations::of(&room, account)?;
    let there = Occupant::named(nick)?;
    admit(&room, account, affiliation, join)?;
    nickname::is_free(&room, account, nick, there.as_ref())?;
    let new = there.is_none();
    if new {
        has_place(&room, affiliation, &config)?;
    }
    let mut occupant = match there {
        Some(there) => there,
        None => Occupant {
            nick: nick.into(),
            role: default_role(affiliation, room.configuration.moderated),
            affiliation,
            account: account.into(),
            id: identifier::of(&room, account),
            sessions: Vec::new(),
            presence: String::new(),
            hats: hats::worn(&room, account)?,
        },
    };
    if let Err(failure) = extension::join(&room, from, &occupant) {
        if created {
            room.erase()?;
        }
        return Err(failure);
    }
    roster(&room, &occupant, from)?;
    occupant.sessions.push(from.into());
    occupant.presence = payload(stanza);
    occupant.save(&room)?;
    if new {
        occupant::counted(1)?;
    }
    let own_codes = codes(&room, created);
    let notice = Notice { own_codes: &own_codes, id: stanza.id(), ..Notice::default() };
    to_others(&room, &occupant, &notice)?;
    for session in occupant.sessions.iter().filter(|session| *session != from) {
        to_session(&room, &occupant, &Notice::default(), session)?;
    }
    to_session(&room, &occupant, &notice, from)?;
    history::replay(cx, &room, from, &Limits::asked(join, &room))?;
    subject::tell(&room, from)?;
    Ok(())
}

/// Everything anew for a client that has lost track (§7.2.1, §17.3).
fn again(cx: &Cx, stanza: &Stanza<'_>, from: &str) -> Result<(), Failure> {
    let room = Room::existing(&cx.key())?;
    let Some(mut occupant) = Occupant::behind(from)? else { return Ok(()) };
    let said = payload(stanza);
    let changed = said != occupant.presence;
    occupant.presence = said;
    occupant.save_presence(&room)?;
    roster(&room, &occupant, from)?;
    let own_codes = codes(&room, false);
    let notice = Notice { own_codes: &own_codes, id: stanza.id(), ..Notice::default() };
    if changed {
        to_others(&room, &occupant, &notice)?;
    }
    to_session(&room, &occupant, &notice, from)?;
    if let Some(join) = stanza.child(MUC, "x") {
        history::replay(cx, &room, from, &Limits::asked(join, &room))?;
    }
    Ok(subject::tell(&room, from)?)
}

/// §7.7: what the presence says has changed.
fn status(cx: &Cx, stanza: &Stanza<'_>, from: &str) -> Result<(), Failure> {
    let room = Room::existing(&cx.key())?;
    let Some(mut occupant) = Occupant::behind(from)? else { return Ok(()) };
    occupant.presence = payload(stanza);
    occupant.save_presence(&room)?;
    Ok(announce(&room, &occupant, &Notice { id: stanza.id(), ..Notice::default() })?)
}

/// §7.2.5 to §7.2.7.
fn admit(room: &Room, account: &str, affiliation: Affiliation, join: Element<'_>) -> Result<(), Failure> {
    let configuration = &room.configuration;
    if affiliation == Affiliation::Outcast {
        return Err(Condition::Forbidden.into());
    }
    if configuration.members_only && affiliation < Affiliation::Member && room.founder != account {
        return Err(Condition::RegistrationRequired.into());
    }
    if configuration.password_protected {
        let password = join.child(MUC, "password").map(|password| password.text()).unwrap_or_default();
        if password != configuration.secret {
            return Err(Condition::NotAuthorized.into());
        }
    }
    Ok(())
}

/// §7.2.9: a full room still has a few places for those who look after it.
fn has_place(room: &Room, affiliation: Affiliation, config: &Config) -> Result<(), Failure> {
    let most = match room.configuration.max_users {
        0 => config.max_occupants.unsigned_abs(),
        own => own.min(config.max_occupants.unsigned_abs()),
    };
    let most = if affiliation >= Affiliation::Admin { most + RESERVED } else { most };
    if occupant::count()? >= most { Err(Condition::ServiceUnavailable.into()) } else { Ok(()) }
}

const RESERVED: u64 = 10;

/// §7.2.3: the others' presence to whoever enters. Also to whoever becomes a moderator and
/// may see more than before.
pub(crate) fn roster(room: &Room, occupant: &Occupant, to: &str) -> Result<(), Fault> {
    let sees_jids = room.configuration.non_anonymous || occupant.role == Role::Moderator;
    occupant::each_row(|nick, row| {
        if nick == occupant.nick {
            return Ok(());
        }
        of_row(room, row, to, sees_jids).map_or(Ok(()), send)
    })
}

/// What the room says to whoever enters (§7.2.2, §7.2.3, §7.2.12, §10.1.1).
fn codes(room: &Room, created: bool) -> Vec<&'static str> {
    let codes = [(room.configuration.non_anonymous, "100"), (room.configuration.logging, "170"), (created, "201")];
    codes.into_iter().filter(|(holds, _)| *holds).map(|(_, code)| code).collect()
}
