//! Rooms as administrators see them.

use xylem_sdk::operations::Page;
use xylem_sdk::prelude::*;

use super::{options, room_of, sorting};
use crate::directory::{self, Listed};
use crate::stores::HISTORY;
use crate::{occupant, subject};

/// Rooms that one call looks at when it searches.
const LOOKED_AT: usize = 20_000;
/// Rooms that are read at once.
pub(super) const BLOCK: u32 = 500;

/// All rooms of a domain, of whichever service, under the domain's key.
pub(crate) fn list(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let page = call.page();
    if let Some(sorted) = sorting::page(call, &page)? {
        return Ok(sorted);
    }
    let (items, next) = found(&page)?;
    let total = if page.search.is_empty() { directory::count()? } else { None };
    Ok(Json::page(items, next.as_deref(), total))
}

fn found(page: &Page<'_>) -> Result<(Vec<Json>, Option<String>), Refusal> {
    let mut items = Vec::new();
    let mut after = page.after.map(str::to_owned);
    let mut looked = 0;
    loop {
        let block = directory::everything(after.as_deref(), BLOCK)?;
        let whole = (block.len() as u32) < BLOCK;
        looked += block.len();
        for room in block {
            if items.len() == page.limit {
                // There is more, and the last one that was looked at is where to go on.
                return Ok((items, after));
            }
            if page.finds(&[&room.jid, &room.name]) {
                items.push(shown(&room)?);
            }
            after = Some(room.jid);
        }
        if whole {
            return Ok((items, None));
        }
        if looked >= LOOKED_AT {
            return Ok((items, after));
        }
    }
}

pub(super) fn shown(room: &Listed) -> Result<Json, Fault> {
    Ok(Json::object()
        .with("room", &room.jid)
        .with("name", &room.name)
        .with("occupants", directory::crowd(&room.jid)?)
        .with("public", room.public)
        .with("persistent", room.persistent))
}

pub(crate) fn show(cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let room = room_of(cx)?;
    let answer = Json::object()
        .with("room", &room.jid)
        .with("name", room.name())
        .with("subject", subject::current(&room)?)
        .with("founder", Some(room.founder.as_str()).filter(|founder| !founder.is_empty()).map(Json::from))
        .with("occupants", occupant::count()?)
        .with("messages", HISTORY.count()?)
        .with("locked", room.locked);
    Ok(options::shown(answer, &room.configuration))
}

pub(crate) fn history(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    room_of(cx)?;
    let most = call.number("most").map_or(50, |most| u32::try_from(most).unwrap_or(50));
    let rows = HISTORY.latest(call.text("before"), most)?;
    let next = rows.last().filter(|_| rows.len() as u32 == most).map(|row| row.id.clone());
    let messages = rows.iter().map(|row| {
        Json::object()
            .with("id", &row.id)
            .with("time", row.at / 1000)
            .with("nick", Jid::new(&row.peer).resource().map(Json::from))
            .with("stanza", &row.stanza)
    });
    let messages: Vec<Json> = messages.collect();
    Ok(Json::object().with("messages", messages).with("next", next))
}
