//! The list of public rooms, in pages (XEP-0045 §6.3, XEP-0059).

use xylem_sdk::Element;
use xylem_sdk::prelude::*;

use crate::directory;
use crate::ns::{DISCO_ITEMS, RSM};

/// Rooms of one answer.
const MOST: u32 = 100;
/// Rooms that are counted; of more the answer does not say how many there are.
const COUNTED: u32 = 1000;

type Entry = (String, String);

/// A page of the list.
pub(crate) fn rooms(service: &str, query: Element<'_>) -> Result<Xml, Failure> {
    let set = query.child(RSM, "set");
    let text = |name| set.and_then(|set| set.child(RSM, name)).map(|child| child.text());
    let max = match text("max") {
        Some(max) => max.parse::<u32>().map_err(|_| Condition::BadRequest)?.min(MOST),
        None => MOST,
    };
    let all = directory::page(None, COUNTED)?;
    let local = |jid: &str| Jid::new(jid).local().unwrap_or(jid).to_owned();
    let page = match (text("before"), text("after")) {
        (Some(""), _) => last(max)?,
        (Some(before), _) => before_room(&local(before), max)?,
        (None, Some(after)) if !after.is_empty() => directory::page(Some(&local(after)), max)?,
        _ => directory::page(None, max)?,
    };
    let jid = |local: &str| [local, "@", service].concat();
    let items = page.iter().map(|(room, name)| Xml::new("item").attr("jid", &jid(room)).attr("name", name));
    let answer = Xml::with_ns("query", DISCO_ITEMS).children(items);
    let whole = all.len() as u32 <= max && page.len() == all.len();
    if set.is_none() && whole {
        return Ok(answer);
    }
    let count = (all.len() < COUNTED as usize).then(|| Xml::new("count").text(&all.len().to_string()));
    let index = page.first().and_then(|(first, _)| all.iter().position(|(room, _)| room == first));
    let first = page.first().map(|(room, _)| {
        Xml::new("first").attr_opt("index", index.map(|index| index.to_string()).as_deref()).text(&jid(room))
    });
    let last = page.last().map(|(room, _)| Xml::new("last").text(&jid(room)));
    Ok(answer.child(Xml::with_ns("set", RSM).child_opt(first).child_opt(last).child_opt(count)))
}

/// XEP-0059 §2.5.
fn last(max: u32) -> Result<Vec<Entry>, Fault> {
    ending(|_| true, max)
}

/// XEP-0059 §2.4.
fn before_room(room: &str, max: u32) -> Result<Vec<Entry>, Fault> {
    ending(|entry| entry.0.as_str() < room, max)
}

/// The last rooms of the beginning for which this holds.
fn ending(holds: impl Fn(&Entry) -> bool, max: u32) -> Result<Vec<Entry>, Fault> {
    let mut kept: Vec<Entry> = Vec::new();
    loop {
        let page = directory::page(kept.last().map(|(room, _)| room.as_str()), COUNTED)?;
        let full = page.len() as u32 == COUNTED;
        let before = page.len();
        let page: Vec<Entry> = page.into_iter().filter(&holds).collect();
        let whole = page.len() == before;
        kept.extend(page);
        let surplus = kept.len().saturating_sub(max.max(1) as usize);
        kept.drain(..surplus);
        if !full || !whole {
            kept.truncate(max as usize);
            return Ok(kept);
        }
    }
}
