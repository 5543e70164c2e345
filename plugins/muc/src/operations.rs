//! What administrators of the server ask about rooms. The table of operations has made sure
//! that they may; in the room they are as its owner.

mod changes;
mod options;
mod people;
mod showing;
mod sorting;

pub(crate) use changes::{change, create, destroy};
pub(crate) use people::{affiliate, affiliations, kick, occupants};
pub(crate) use showing::{history, list, show};
use xylem_sdk::prelude::*;

use crate::privileges::Affiliation;
use crate::room::Room;
use crate::standings::Actor;

/// The room of the call.
fn room_of(cx: &Cx) -> Result<Room, Refusal> {
    let key = cx.key();
    Room::open(&key)?.ok_or_else(|| Refusal::Missing(["there is no room ", &key].concat()))
}

/// Whoever calls, as the room sees it: nobody who is in it.
fn actor<'a>(call: &'a Operation) -> Actor<'a> {
    Actor { account: call.who(), affiliation: Affiliation::Owner, nick: None }
}

/// The answer of an operation that has nothing else to say.
fn done(room: &str) -> Json {
    Json::object().with("room", room)
}
