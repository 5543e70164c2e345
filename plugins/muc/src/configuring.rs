//! Configuring a room, and what follows from it (XEP-0045 §10.1, §10.2).

use xylem_sdk::outbox::to_group;
use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::announcing::{announce, to_others};
use crate::configuration::Configuration;
use crate::configuration_form::{self, Submitted};
use crate::form::{self, Form};
use crate::ns::{OWNER, USER};
use crate::occupant::{ALL, Occupant, Session};
use crate::privileges::{Affiliation, Role};
use crate::rendition::{Notice, status};
use crate::room::Room;
use crate::standings::{self, Actor};
use crate::{Config, destroying, extension, leaving};

/// Requests of owners: the form, the form filled in, and the end of the room.
pub(crate) fn owner(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let mut room = Room::existing(&cx.key())?;
    let from = iq.from().ok_or(Condition::BadRequest)?;
    let account = Jid::new(from).bare();
    if affiliations::of(&room, account)? != Affiliation::Owner {
        return Err(Condition::Forbidden.into());
    }
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    if iq.is("get") {
        return current(&room);
    }
    if let Some(destroy) = query.child(OWNER, "destroy") {
        return destroying::requested(cx, &room, destroy);
    }
    let form = form::within(query).ok_or(Condition::BadRequest)?;
    if form.is("cancel") {
        if room.locked {
            destroying::destroy(&room, None)?;
        }
        return Ok(Reply::empty());
    }
    if !form.is("submit") {
        return Err(Condition::BadRequest.into());
    }
    let nick = Session::of(from)?.map(|session| session.nick);
    let actor = Actor { account, affiliation: Affiliation::Owner, nick: nick.as_deref() };
    submit(&mut room, form, &actor)
}

fn current(room: &Room) -> Result<Reply, Failure> {
    let (admins, owners) =
        (affiliations::list(room, Affiliation::Admin)?, affiliations::list(room, Affiliation::Owner)?);
    let admins: Vec<&str> = admins.iter().map(|admin| admin.account.as_str()).collect();
    let owners: Vec<&str> = owners.iter().map(|owner| owner.account.as_str()).collect();
    let form = configuration_form::write(&room.configuration, &admins, &owners).children(extension::fields(room));
    Ok(Reply::with(Xml::with_ns("query", OWNER).child(form)))
}

fn submit(room: &mut Room, form: Form<'_>, actor: &Actor<'_>) -> Result<Reply, Failure> {
    let config = Config::load();
    let submitted = if form.is_empty() {
        // §10.1.2: an instant room.
        Submitted { configuration: room.configuration.clone(), admins: None, owners: None }
    } else {
        configuration_form::read(&room.configuration, form, &config)?
    };
    let changes = people(room, &submitted)?;
    for change in &changes {
        standings::check(room, actor, change)?;
    }
    standings::leave_an_owner(room, &changes)?;
    extension::configure(room, form)?;
    take_over(room, submitted.configuration, &changes, actor)?;
    Ok(Reply::empty())
}

/// The room is as it is wanted to be, and those in it see that.
pub(crate) fn take_over(
    room: &mut Room,
    wanted: Configuration,
    changes: &[Affiliate],
    actor: &Actor<'_>,
) -> Result<(), Fault> {
    let opened = std::mem::take(&mut room.locked);
    let before = std::mem::replace(&mut room.configuration, wanted);
    room.settle()?;
    room.save()?;
    for change in changes {
        standings::apply(room, actor, change)?;
    }
    if !opened {
        tell(room, &before)?;
    }
    reshape(room, &before, actor)?;
    leaving::close_if_empty(room)
}

/// The form names all administrators and all owners; these are the differences (§10.2).
fn people(room: &Room, submitted: &Submitted) -> Result<Vec<Affiliate>, Fault> {
    let mut changes: Vec<Affiliate> = Vec::new();
    let lists = [(Affiliation::Owner, &submitted.owners), (Affiliation::Admin, &submitted.admins)];
    for (affiliation, wanted) in lists.into_iter().filter_map(|(one, list)| Some((one, list.as_ref()?))) {
        let there = affiliations::list(room, affiliation)?;
        let mut change = |account: &str, affiliation, nick: &str| {
            if !changes.iter().any(|change| change.account == account) {
                let (account, nick) = (account.to_owned(), nick.to_owned());
                changes.push(Affiliate { account, affiliation, nick, reason: String::new() });
            }
        };
        for account in wanted.iter().filter(|account| there.iter().all(|one| one.account != **account)) {
            change(account, affiliation, "");
        }
        for gone in there.iter().filter(|one| !wanted.contains(&one.account)) {
            let demoted = affiliation == Affiliation::Owner
                && submitted.admins.as_ref().is_some_and(|admins| admins.contains(&gone.account));
            change(&gone.account, if demoted { Affiliation::Admin } else { Affiliation::Member }, &gone.nick);
        }
    }
    Ok(changes)
}

/// §10.2.1: what concerns privacy by its own code, the rest as 104.
fn tell(room: &Room, before: &Configuration) -> Result<(), Fault> {
    let now = &room.configuration;
    if now == before {
        return Ok(());
    }
    let mut codes = Vec::new();
    if now.logging != before.logging {
        codes.push(if now.logging { "170" } else { "171" });
    }
    if now.non_anonymous != before.non_anonymous {
        codes.push(if now.non_anonymous { "172" } else { "173" });
    }
    let named = Configuration { logging: now.logging, non_anonymous: now.non_anonymous, ..before.clone() };
    if named != *now {
        codes.push("104");
    }
    notify(room, &codes)
}

/// A message of the room with status codes.
pub(crate) fn notify(room: &Room, codes: &[&str]) -> Result<(), Fault> {
    let x = Xml::with_ns("x", USER).children(codes.iter().map(|code| status(code)));
    to_group(Some(Xml::message("groupchat").attr("from", &room.jid).child(x)), None, ALL, &[])
}

/// What the occupants are now that the room is another one.
fn reshape(room: &Room, before: &Configuration, actor: &Actor<'_>) -> Result<(), Fault> {
    let now = &room.configuration;
    let closed = now.members_only && !before.members_only;
    let opened = before.moderated && !now.moderated;
    let shown = now.broadcast != before.broadcast;
    if !closed && !opened && !shown {
        return Ok(());
    }
    for mut occupant in Occupant::all()? {
        if closed && occupant.affiliation < Affiliation::Member {
            let notice = Notice { gone: true, codes: &["322"], actor: actor.nick, ..Notice::default() };
            leaving::remove(room, occupant, &notice)?;
            continue;
        }
        if opened && occupant.role == Role::Visitor {
            occupant.role = Role::Participant;
            occupant.save(room)?;
            announce(room, &occupant, &Notice::default())?;
            continue;
        }
        match (before.broadcast.has(occupant.role), now.broadcast.has(occupant.role)) {
            (false, true) => to_others(room, &occupant, &Notice::default())?,
            (true, false) => hide(room, before, &occupant)?,
            _ => {}
        }
    }
    Ok(())
}

/// For the others, somebody who is not shown any more has gone.
fn hide(room: &Room, before: &Configuration, occupant: &Occupant) -> Result<(), Fault> {
    let was = Room {
        jid: room.jid.clone(),
        shelf: room.shelf,
        configuration: Configuration { broadcast: before.broadcast, ..room.configuration.clone() },
        locked: room.locked,
        founder: room.founder.clone(),
        secret: room.secret.clone(),
        avatar: room.avatar.clone(),
    };
    to_others(&was, occupant, &Notice { gone: true, ..Notice::default() })
}
