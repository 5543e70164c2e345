//! Rooms in another order than that of their addresses: all of them are read for it.

use std::cmp::Ordering;

use xylem_sdk::operations::Page;
use xylem_sdk::prelude::*;

use super::showing::{BLOCK, shown};
use crate::directory::{self, Listed};

/// Most rooms that are put in order; of more nobody sees the end anyway.
const MOST: usize = 20_000;
/// Digits of the biggest number.
const DIGITS: usize = 20;

/// By what, and which way.
struct Sorting<'a> {
    by: &'a str,
    downwards: bool,
}

/// Where a room stands: by what it is sorted, then by its address.
type Place = (String, String);

/// A page in the order that is asked for; none if that is the order of addresses.
pub(super) fn page(call: &Operation, page: &Page<'_>) -> Result<Option<Json>, Refusal> {
    let by = call.text("sort").unwrap_or("room");
    let sorting = Sorting { by, downwards: call.text("order") == Some("desc") };
    if sorting.by == "room" && !sorting.downwards {
        return Ok(None);
    }
    let mut rooms = Vec::new();
    for room in all(page)? {
        rooms.push((sorting.place(&room)?, room));
    }
    rooms.sort_by(|a, b| sorting.compare(&a.0, &b.0));
    let total = rooms.len() as u64;
    if let Some(after) = page.after {
        let (key, room) = after.rsplit_once(' ').ok_or_else(|| Refusal::Invalid("that is no cursor".into()))?;
        let after = (key.to_owned(), room.to_owned());
        rooms.retain(|(place, _)| sorting.compare(place, &after) == Ordering::Greater);
    }
    let more = rooms.len() > page.limit;
    rooms.truncate(page.limit);
    // No address has a space in it.
    let next = rooms.last().filter(|_| more).map(|((key, room), _)| [key, " ", room].concat());
    let mut items = Vec::with_capacity(rooms.len());
    for (_, room) in &rooms {
        items.push(shown(room)?);
    }
    Ok(Some(Json::page(items, next.as_deref(), Some(total))))
}

/// All rooms in which the page finds what it searches for.
fn all(page: &Page<'_>) -> Result<Vec<Listed>, Refusal> {
    let (mut found, mut looked, mut last) = (Vec::new(), 0, None::<String>);
    loop {
        let block = directory::everything(last.as_deref(), BLOCK)?;
        let whole = (block.len() as u32) < BLOCK;
        looked += block.len();
        last = block.last().map(|room| room.jid.clone());
        found.extend(block.into_iter().filter(|room| page.finds(&[&room.jid, &room.name])));
        if whole {
            return Ok(found);
        }
        if looked >= MOST {
            let text = ["there are more than ", &MOST.to_string(), " rooms: they are listed by address only"].concat();
            return Err(Refusal::Invalid(text));
        }
    }
}

impl Sorting<'_> {
    fn place(&self, room: &Listed) -> Result<Place, Fault> {
        let key = match self.by {
            "name" => room.name.to_lowercase(),
            "occupants" => {
                let number = directory::crowd(&room.jid)?.to_string();
                ["0".repeat(DIGITS.saturating_sub(number.len())).as_str(), &number].concat()
            }
            _ => String::new(),
        };
        Ok((key, room.jid.clone()))
    }

    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        if self.downwards { b.cmp(a) } else { a.cmp(b) }
    }
}
