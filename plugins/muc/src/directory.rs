//! All rooms of the service, for lists (XEP-0045 §6.3) and for counting a founder's rooms.
//!
//! A row is `p/` (public) or `h/` (hidden) and the room's local part; its value is the name. The
//! rooms of any service but the first one by name, `conference.`, stand under `P/` and `H/` and the service.

use xylem_sdk::kv::{Kv, Row, Rows};
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::room::Room;
use crate::row::{Reader, Writer};
use crate::services;
use crate::stores::{CROWD, DIRECTORY, PASSING_DIRECTORY};

const PUBLIC: &str = "p/";
const HIDDEN: &str = "h/";
const PUBLIC_ELSEWHERE: &str = "P/";
const HIDDEN_ELSEWHERE: &str = "H/";
const FOUNDER: &str = "founder";

/// Enters the room, or what has changed about it.
pub(crate) fn list(room: &Room) -> Result<(), Fault> {
    let local = Jid::new(&room.jid).local().unwrap_or_default();
    // Nobody finds a room that is not open yet.
    let public = room.configuration.public && !room.locked;
    let [shown, hidden] = prefixes(Jid::new(&room.jid).domain());
    let (prefix, other) = if public { (shown, hidden) } else { (hidden, shown) };
    let (store, key) = (store(room), [prefix.as_str(), local].concat());
    if store.text(&key)?.as_deref() == Some(room.name()) {
        return Ok(());
    }
    store.delete(&[other.as_str(), local].concat())?;
    store.put(&key, room.name().as_bytes(), &[(FOUNDER, &room.founder)])
}

/// Takes the room out.
pub(crate) fn forget(room: &Room) -> Result<(), Fault> {
    let local = Jid::new(&room.jid).local().unwrap_or_default();
    for prefix in prefixes(Jid::new(&room.jid).domain()) {
        store(room).delete(&[prefix.as_str(), local].concat())?;
    }
    Ok(())
}

/// How many rooms somebody has made that still exist; 2,000 is the most that is counted.
pub(crate) fn founded_by(account: &str) -> Result<usize, Fault> {
    Ok(DIRECTORY.by_index(FOUNDER, account)?.len() + PASSING_DIRECTORY.by_index(FOUNDER, account)?.len())
}

/// A room as the service's own administrators see it in the list.
pub(crate) struct Listed {
    /// Its local part.
    pub(crate) local: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) persistent: bool,
}

/// All rooms of the first service, hidden ones too, in order of their local parts, after this one; fewer than `limit` means that
/// there are no more.
pub(crate) fn everything(after: Option<&str>, limit: u32) -> Result<Vec<Listed>, Fault> {
    let mut all = Vec::new();
    for (store, persistent) in [(DIRECTORY, true), (PASSING_DIRECTORY, false)] {
        for (prefix, public) in [(PUBLIC, true), (HIDDEN, false)] {
            let after = after.map(|local| [prefix, local].concat());
            let rows = store.scan(prefix, after.as_deref(), limit)?;
            all.extend(rows.into_iter().filter_map(|row| {
                let local = row.key.strip_prefix(prefix)?.to_owned();
                Some(Listed { local, name: String::from_utf8(row.value).ok()?, public, persistent })
            }));
        }
    }
    all.sort_by(|a, b| a.local.cmp(&b.local));
    all.truncate(limit as usize);
    Ok(all)
}

/// How many rooms there are; 10,000 is the most that is counted.
pub(crate) fn count() -> Result<Option<u64>, Fault> {
    let mut count = 0;
    for store in [DIRECTORY, PASSING_DIRECTORY] {
        let mut last: Option<String> = None;
        loop {
            let rows = store.scan("", last.as_deref(), PAGE)?;
            count += rows.len() as u64;
            if count > COUNTED {
                return Ok(None);
            }
            match rows.last() {
                Some(row) if rows.len() as u32 == PAGE => last = Some(row.key.clone()),
                _ => break,
            }
        }
    }
    Ok(Some(count))
}

const PAGE: u32 = 1000;
const COUNTED: u64 = 10_000;

/// How many are in a room now, by its local part: for lists, which see no rows of rooms.
pub(crate) fn crowd(local: &str) -> Result<u64, Fault> {
    Ok(CROWD.get(local)?.map_or(0, |row| Reader::new(&row).number()))
}

/// So many are in the room of this call now.
pub(crate) fn crowded(count: u64) -> Result<(), Fault> {
    let key = runtime::key();
    let first = services::is_first(Jid::new(&key).domain());
    // The list is one of the first service; a room elsewhere has nothing in its place.
    let local = if first { Jid::new(&key).local().unwrap_or_default() } else { &key };
    if count == 0 {
        CROWD.delete(local).map(drop)
    } else {
        CROWD.put(local, &Writer::default().number(count).done(), &[])
    }
}

/// Public rooms of the service that is asked, in order of their local parts, after this one: local
/// part and name.
pub(crate) fn page(after: Option<&str>, limit: u32) -> Result<Vec<(String, String)>, Fault> {
    let [public, _] = prefixes(Jid::new(&runtime::key()).domain());
    let after = after.map(|local| [public.as_str(), local].concat());
    let mut rows: Vec<Row> = DIRECTORY.scan(&public, after.as_deref(), limit)?;
    rows.extend(PASSING_DIRECTORY.scan(&public, after.as_deref(), limit)?);
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows.truncate(limit as usize);
    let entry = |row: Row| {
        let local = row.key.strip_prefix(public.as_str())?.to_owned();
        Some((local, String::from_utf8(row.value).ok()?))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

/// Of public and of hidden rooms of a service.
fn prefixes(service: &str) -> [String; 2] {
    if services::is_first(service) {
        return [PUBLIC.to_owned(), HIDDEN.to_owned()];
    }
    [PUBLIC_ELSEWHERE, HIDDEN_ELSEWHERE].map(|prefix| [prefix, service, "/"].concat())
}

fn store(room: &Room) -> Kv {
    if room.shelf == crate::stores::KEPT { DIRECTORY } else { PASSING_DIRECTORY }
}
