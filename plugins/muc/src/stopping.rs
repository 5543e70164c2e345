//! The service goes down with the server (XEP-0045 §11.2).

use xylem_sdk::prelude::*;

use crate::announcing::to_self;
use crate::leaving;
use crate::occupant::{self, Occupant};
use crate::rendition::Notice;
use crate::room::Room;

/// Everybody in the room hears why he is not in it any more. Nobody hears of the others: they go the same way.
pub(crate) fn stopping(cx: &Cx, _event: &Event<'_>) -> Result<(), Failure> {
    let Some(room) = Room::open(&cx.key())? else { return Ok(()) };
    for occupant in Occupant::all()? {
        to_self(&room, &occupant, &Notice { gone: true, codes: &["332"], ..Notice::default() })?;
    }
    occupant::forget_all()?;
    Ok(leaving::close_if_empty(&room)?)
}
