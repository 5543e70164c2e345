//! Hats: titles that a room gives its people (XEP-0317).

use xylem_sdk::kv::Rows as _;
use xylem_sdk::prelude::*;

use crate::room::Room;

const WORN: &str = "w/";

/// What an account wears in the room, as it stands in presence.
pub(crate) fn worn(room: &Room, account: &str) -> Option<String> {
    room.shelf.text(&[WORN, account].concat()).ok().flatten()
}

#[allow(dead_code, reason = "commands follow")]
pub(crate) fn wear(room: &Room, account: &str, hats: &str) -> Result<(), Fault> {
    room.shelf.put(&[WORN, account].concat(), hats.as_bytes(), &[])
}
