//! Rooms that come, change and go by word of an administrator.

use xylem_sdk::prelude::*;

use super::{actor, done, options, room_of};
use crate::affiliations::{self, Affiliate};
use crate::configuring::take_over;
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::{Config, destroying};

pub(crate) fn create(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let (key, config) = (cx.key(), Config::load());
    let jid = Jid::new(&key);
    if jid.local().is_none() || jid.domain() == cx.domain() {
        return Err(Refusal::Invalid(["room must be an address such as name@conference.", &cx.domain()].concat()));
    }
    if Room::open(&key)?.is_some() {
        return Err(Refusal::Conflict([&key, " is there already"].concat()));
    }
    let owner = call.text("owner").or_else(|| Some(call.who()).filter(|who| who.contains('@')));
    let owner = owner.unwrap_or_default();
    destroying::dig_up()?;
    let mut room = Room::create(&key, owner, &config)?;
    if !owner.is_empty() {
        affiliations::set(&room, &wanted(owner, Affiliation::Owner, ""))?;
    }
    let mut configuration = options::wanted(&room.configuration, call, &config)?;
    configuration.persistent = true;
    take_over(&mut room, configuration, &[], &actor(call))?;
    Ok(done(&key))
}

pub(crate) fn change(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let mut room = room_of(cx)?;
    let configuration = options::wanted(&room.configuration, call, &Config::load())?;
    take_over(&mut room, configuration, &[], &actor(call))?;
    Ok(done(&room.jid))
}

pub(crate) fn destroy(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let room = room_of(cx)?;
    let (venue, reason) = (call.text("venue"), call.text("reason"));
    let element =
        Xml::new("destroy").attr_opt("jid", venue).child_opt(reason.map(|reason| Xml::new("reason").text(reason)));
    destroying::destroy(&room, Some(element))?;
    destroying::bury(cx, &room, venue.unwrap_or_default(), reason.unwrap_or_default())?;
    Ok(done(&room.jid))
}

/// Somebody on a list of the room.
pub(super) fn wanted(account: &str, affiliation: Affiliation, reason: &str) -> Affiliate {
    Affiliate { account: account.into(), affiliation, nick: String::new(), reason: reason.into() }
}
