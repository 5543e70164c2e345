//! Who is in a room, and who is what for it.

use xylem_sdk::prelude::*;

use super::changes::wanted;
use super::{actor, room_of};
use crate::affiliations::{self as lists, Affiliate};
use crate::occupant::Occupant;
use crate::privileges::{Affiliation, Role};
use crate::{roles, standings};

pub(crate) fn occupants(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    room_of(cx)?;
    let page = call.page();
    let there = Occupant::all()?;
    let there = there.iter().filter(|occupant| page.finds(&[&occupant.nick, &occupant.account]));
    let shown = |occupant: &Occupant| {
        let sessions: Vec<Json> = occupant.sessions.iter().map(Json::from).collect();
        Json::object()
            .with("nick", &occupant.nick)
            .with("account", &occupant.account)
            .with("role", occupant.role.name())
            .with("affiliation", occupant.affiliation.name())
            .with("sessions", sessions)
    };
    Ok(page.of(there.map(|occupant| (occupant.nick.clone(), shown(occupant))).collect()))
}

pub(crate) fn affiliations(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let room = room_of(cx)?;
    let page = call.page();
    let only = call.text("affiliation").and_then(Affiliation::parse);
    let mut entries = Vec::new();
    for affiliation in Affiliation::ALL.into_iter().filter(|one| *one != Affiliation::None) {
        if only.is_some_and(|only| only != affiliation) {
            continue;
        }
        let listed = lists::list(&room, affiliation)?;
        let found = listed.into_iter().filter(|one| page.finds(&[&one.account, &one.nick]));
        entries.extend(found.map(|one| (one.account.clone(), shown(&one))));
    }
    Ok(page.of(entries))
}

fn shown(one: &Affiliate) -> Json {
    let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Json::from);
    Json::object()
        .with("account", &one.account)
        .with("affiliation", one.affiliation.name())
        .with("nick", text(&one.nick))
        .with("reason", text(&one.reason))
}

pub(crate) fn affiliate(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let room = room_of(cx)?;
    let jid = Jid::normalise(call.required("account"));
    let jid = jid.ok_or_else(|| Refusal::Invalid("account is no address".into()))?;
    let account = Jid::new(&jid).bare();
    let affiliation = Affiliation::parse(call.required("affiliation"));
    let affiliation = affiliation.ok_or_else(|| Refusal::Invalid("affiliation".into()))?;
    let mut wanted = wanted(account, affiliation, call.text("reason").unwrap_or_default());
    if affiliation >= Affiliation::Member {
        wanted.nick = lists::affiliate(&room, account)?.map(|before| before.nick).unwrap_or_default();
    }
    standings::check(&room, &actor(call), &wanted)?;
    standings::apply(&room, &actor(call), &wanted)?;
    Ok(Json::object().with("account", account).with("affiliation", affiliation.name()))
}

pub(crate) fn kick(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let room = room_of(cx)?;
    let nick = call.required("nick");
    let occupant = Occupant::named(nick)?;
    let occupant = occupant.ok_or_else(|| Refusal::Missing(["nobody is called ", nick, " there"].concat()))?;
    let account = occupant.account.clone();
    roles::set(&room, occupant, Role::None, None, call.text("reason").unwrap_or_default())?;
    Ok(Json::object().with("account", account))
}
