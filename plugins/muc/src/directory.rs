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

/// A room as administrators see it in the list.
pub(crate) struct Listed {
    /// Its address.
    pub(crate) jid: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) persistent: bool,
}

/// All rooms of a domain, hidden ones too: those of the first service, then those of the others by service, in order
/// of their local parts; after this one. Fewer than `limit` means that there are no more.
pub(crate) fn everything(after: Option<&str>, limit: u32) -> Result<Vec<Listed>, Fault> {
    let after = after.map(Jid::new);
    let elsewhere = after.filter(|after| !services::is_first(after.domain()));
    let mut all = Vec::new();
    if elsewhere.is_none() {
        let service = ["@", &services::first()].concat();
        let entries = entries([PUBLIC, HIDDEN], after.and_then(|after| after.local()), limit)?;
        let listed = |entry: Entry| entry.listed([&entry.rest, service.as_str()].concat());
        all.extend(entries.into_iter().map(listed));
    }
    let left = limit.saturating_sub(u32::try_from(all.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let after = elsewhere.map(|after| [after.domain(), "/", after.local().unwrap_or_default()].concat());
        for entry in entries([PUBLIC_ELSEWHERE, HIDDEN_ELSEWHERE], after.as_deref(), left)? {
            let (service, local) = entry.rest.split_once('/').unwrap_or_default();
            let jid = [local, "@", service].concat();
            all.push(entry.listed(jid));
        }
    }
    Ok(all)
}

/// A row of the directory, and what its key has behind the prefix.
struct Entry {
    rest: String,
    name: Vec<u8>,
    public: bool,
    persistent: bool,
}

impl Entry {
    fn listed(&self, jid: String) -> Listed {
        let name = String::from_utf8_lossy(&self.name).into_owned();
        Listed { jid, name, public: self.public, persistent: self.persistent }
    }
}

/// The first of the rows under these prefixes, of public and of hidden rooms, in order of what follows these.
fn entries([public, hidden]: [&str; 2], after: Option<&str>, limit: u32) -> Result<Vec<Entry>, Fault> {
    let mut all = Vec::new();
    for (store, persistent) in [(DIRECTORY, true), (PASSING_DIRECTORY, false)] {
        for (prefix, public) in [(public, true), (hidden, false)] {
            let after = after.map(|rest| [prefix, rest].concat());
            let rows = store.scan(prefix, after.as_deref(), limit)?;
            all.extend(rows.into_iter().filter_map(|row| {
                let rest = row.key.strip_prefix(prefix)?.to_owned();
                Some(Entry { rest, name: row.value, public, persistent })
            }));
        }
    }
    all.sort_by(|a, b| a.rest.cmp(&b.rest));
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

/// How many are in a room now: for lists, which see no rows of rooms.
pub(crate) fn crowd(jid: &str) -> Result<u64, Fault> {
    Ok(CROWD.get(place(jid))?.map_or(0, |row| Reader::new(&row).number()))
}

/// So many are in the room of this call now.
pub(crate) fn crowded(count: u64) -> Result<(), Fault> {
    let key = runtime::key();
    if count == 0 {
        CROWD.delete(place(&key)).map(drop)
    } else {
        CROWD.put(place(&key), &Writer::default().number(count).done(), &[])
    }
}

/// Under which key a room's number of occupants stands.
fn place(jid: &str) -> &str {
    let room = Jid::new(jid);
    if services::is_first(room.domain()) { room.local().unwrap_or_default() } else { jid }
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
