//! Hats: titles that a room gives its people (XEP-0317). A row `h/uri` for each hat there is,
//! a row `w/account` for whoever wears some.

use xylem_sdk::kv::Rows as _;
use xylem_sdk::prelude::*;

use crate::announcing::announce;
use crate::ns::HATS;
use crate::occupant::Occupant;
use crate::rendition::Notice;
use crate::room::Room;
use crate::row::{Reader, Writer};

const HAT: &str = "h/";
const WORN: &str = "w/";
/// Most hats of a room, and on one head.
const MOST: usize = 100;

/// A hat that the room has.
#[derive(Clone, Debug)]
pub(crate) struct Hat {
    pub(crate) uri: String,
    pub(crate) title: String,
    /// An angle on the colour wheel (XEP-0392); empty for none.
    pub(crate) hue: String,
}

/// All of them, in order of their addresses.
pub(crate) fn all(room: &Room) -> Result<Vec<Hat>, Fault> {
    let rows = room.shelf.scan(HAT, None, MOST as u32)?;
    let hat = |row: &xylem_sdk::kv::Row| {
        let mut value = Reader::new(&row.value);
        let uri = row.key.strip_prefix(HAT)?.to_owned();
        Some(Hat { uri, title: value.text().to_owned(), hue: value.text().to_owned() })
    };
    Ok(rows.iter().filter_map(hat).collect())
}

/// A new hat, or another title or colour for one that there is (§4.3).
pub(crate) fn create(room: &Room, hat: &Hat) -> Result<(), Failure> {
    let key = [HAT, &hat.uri].concat();
    if room.shelf.get(&key)?.is_none() && all(room)?.len() >= MOST {
        return Err(Condition::ResourceConstraint.into());
    }
    room.shelf.put(&key, &Writer::default().text(&hat.title).text(&hat.hue).done(), &[])?;
    Ok(refresh(room, &hat.uri)?)
}

/// The hat is no more, also not on anybody's head (§4.4).
pub(crate) fn destroy(room: &Room, uri: &str) -> Result<(), Failure> {
    if !room.shelf.delete(&[HAT, uri].concat())? {
        return Err(Condition::ItemNotFound.into());
    }
    for (account, uris) in wearers(room)? {
        if uris.iter().any(|worn| worn == uri) {
            put(room, &account, uris.into_iter().filter(|worn| worn != uri).collect())?;
        }
    }
    Ok(())
}

/// Puts a hat on somebody, or takes it off.
pub(crate) fn wear(room: &Room, account: &str, uri: &str, on: bool) -> Result<(), Failure> {
    if room.shelf.get(&[HAT, uri].concat())?.is_none() {
        return Err(Condition::ItemNotFound.into());
    }
    let mut uris = uris_of(room, account)?;
    uris.retain(|worn| worn != uri);
    if on {
        uris.push(uri.to_owned());
    }
    if uris.len() > MOST {
        return Err(Condition::ResourceConstraint.into());
    }
    Ok(put(room, account, uris)?)
}

/// Who wears what.
pub(crate) fn wearers(room: &Room) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let rows = room.shelf.scan(WORN, None, 1000)?;
    let entry =
        |row: &xylem_sdk::kv::Row| Some((row.key.strip_prefix(WORN)?.to_owned(), Reader::new(&row.value).texts()));
    Ok(rows.iter().filter_map(entry).collect())
}

/// What an account wears in the room, as it stands in presence; empty for nothing.
pub(crate) fn worn(room: &Room, account: &str) -> Result<String, Fault> {
    let uris = uris_of(room, account)?;
    if uris.is_empty() {
        return Ok(String::new());
    }
    let mut hats = Xml::with_ns("hats", HATS);
    for uri in &uris {
        let Some(row) = room.shelf.get(&[HAT, uri].concat())? else { continue };
        let mut row = Reader::new(&row);
        let (title, hue) = (row.text(), row.text());
        let hue = Some(hue).filter(|hue| !hue.is_empty());
        hats = hats.child(Xml::new("hat").attr("title", title).attr("uri", uri).attr_opt("hue", hue));
    }
    Ok(hats.build())
}

fn uris_of(room: &Room, account: &str) -> Result<Vec<String>, Fault> {
    let row = room.shelf.get(&[WORN, account].concat())?;
    Ok(row.map(|row| Reader::new(&row).texts()).unwrap_or_default())
}

fn put(room: &Room, account: &str, uris: Vec<String>) -> Result<(), Fault> {
    let key = [WORN, account].concat();
    if uris.is_empty() {
        room.shelf.delete(&key)?;
    } else {
        room.shelf.put(&key, &Writer::default().texts(&uris).done(), &[])?;
    }
    show(room, account)
}

/// Everybody sees the hats as they are now (§4.2).
fn show(room: &Room, account: &str) -> Result<(), Fault> {
    let hats = worn(room, account)?;
    for mut occupant in Occupant::of_account(account)? {
        occupant.hats.clone_from(&hats);
        occupant.save_presence(room)?;
        announce(room, &occupant, &Notice::default())?;
    }
    Ok(())
}

fn refresh(room: &Room, uri: &str) -> Result<(), Fault> {
    for (account, uris) in wearers(room)? {
        if uris.iter().any(|worn| worn == uri) {
            show(room, &account)?;
        }
    }
    Ok(())
}
