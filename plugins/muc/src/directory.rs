//! All rooms of the service, for lists (XEP-0045 §6.3) and for counting a founder's rooms.
//!
//! A row is `p/` (public) or `h/` (hidden) and the room's local part; its value is the name.

use xylem_sdk::kv::{Kv, Row, Rows};
use xylem_sdk::prelude::*;

use crate::room::Room;
use crate::stores::{DIRECTORY, PASSING_DIRECTORY};

const PUBLIC: &str = "p/";
const HIDDEN: &str = "h/";
const FOUNDER: &str = "founder";

/// Enters the room, or what has changed about it.
pub(crate) fn list(room: &Room) -> Result<(), Fault> {
    let local = Jid::new(&room.jid).local().unwrap_or_default();
    // Nobody finds a room that is not open yet.
    let public = room.configuration.public && !room.locked;
    let (prefix, other) = if public { (PUBLIC, HIDDEN) } else { (HIDDEN, PUBLIC) };
    let (store, key) = (store(room), [prefix, local].concat());
    if store.text(&key)?.as_deref() == Some(room.name()) {
        return Ok(());
    }
    store.delete(&[other, local].concat())?;
    store.put(&key, room.name().as_bytes(), &[(FOUNDER, &room.founder)])
}

/// Takes the room out.
pub(crate) fn forget(room: &Room) -> Result<(), Fault> {
    let local = Jid::new(&room.jid).local().unwrap_or_default();
    for prefix in [PUBLIC, HIDDEN] {
        store(room).delete(&[prefix, local].concat())?;
    }
    Ok(())
}

/// How many rooms somebody has made that still exist; 2,000 is the most that is counted.
pub(crate) fn founded_by(account: &str) -> Result<usize, Fault> {
    Ok(DIRECTORY.by_index(FOUNDER, account)?.len() + PASSING_DIRECTORY.by_index(FOUNDER, account)?.len())
}

/// Public rooms in order of their local parts, after this one: local part and name.
pub(crate) fn page(after: Option<&str>, limit: u32) -> Result<Vec<(String, String)>, Fault> {
    let after = after.map(|local| [PUBLIC, local].concat());
    let mut rows: Vec<Row> = DIRECTORY.scan(PUBLIC, after.as_deref(), limit)?;
    rows.extend(PASSING_DIRECTORY.scan(PUBLIC, after.as_deref(), limit)?);
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows.truncate(limit as usize);
    let entry = |row: Row| {
        let local = row.key.strip_prefix(PUBLIC)?.to_owned();
        Some((local, String::from_utf8(row.value).ok()?))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

fn store(room: &Room) -> Kv {
    if room.shelf == crate::stores::KEPT { DIRECTORY } else { PASSING_DIRECTORY }
}
