//! Who is what for a room (XEP-0045 §5.2). A row `a/address` for everybody who is something;
//! a ban may also stand under a whole domain (§9.2).

use xylem_sdk::kv::{Kv, Row, Rows};
use xylem_sdk::prelude::*;

use crate::Config;
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::row::{Reader, Writer};

const PREFIX: &str = "a/";
const AFFILIATION: &str = "affiliation";
const NICK: &str = "nick";

/// Somebody on a list of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Affiliate {
    /// A bare address, or a domain.
    pub(crate) account: String,
    pub(crate) affiliation: Affiliation,
    /// The nickname reserved in the room (§7.10), empty for none.
    pub(crate) nick: String,
    /// Why, as whoever changed it said; empty for none.
    pub(crate) reason: String,
}

impl Affiliate {
    fn read(key: &str, row: &[u8]) -> Option<Self> {
        let account = key.strip_prefix(PREFIX)?.to_owned();
        let mut row = Reader::new(row);
        let affiliation = Affiliation::of_byte(row.byte());
        Some(Self { account, affiliation, nick: row.text().to_owned(), reason: row.text().to_owned() })
    }
}

/// What the account is for the room; the service's administrators own every room.
pub(crate) fn of(room: &Room, account: &str) -> Result<Affiliation, Fault> {
    if let Some(affiliate) = affiliate(room, account)? {
        return Ok(affiliate.affiliation);
    }
    if is_service_admin(account) {
        return Ok(Affiliation::Owner);
    }
    let domain = affiliate(room, Jid::new(account).domain())?;
    Ok(domain.map_or(Affiliation::None, |domain| domain.affiliation))
}

/// The row of exactly this address.
pub(crate) fn affiliate(room: &Room, account: &str) -> Result<Option<Affiliate>, Fault> {
    let key = [PREFIX, account].concat();
    Ok(room.shelf.get(&key)?.and_then(|row| Affiliate::read(&key, &row)))
}

/// Who has reserved a nickname.
pub(crate) fn holder(room: &Room, nick: &str) -> Result<Option<Affiliate>, Fault> {
    let rows = room.shelf.by_index(NICK, nick)?;
    Ok(rows.iter().find_map(|row| Affiliate::read(&row.key, &row.value)))
}

/// A list: everybody with this affiliation, [`LONGEST`] at most, in order of their addresses.
pub(crate) fn list(room: &Room, affiliation: Affiliation) -> Result<Vec<Affiliate>, Fault> {
    let rows = room.shelf.by_index(AFFILIATION, affiliation.name())?;
    let read = |row: &Row| Affiliate::read(&row.key, &row.value);
    if rows.len() < AT_ONCE {
        return Ok(rows.iter().filter_map(read).collect());
    }
    // The index gives no more; so one page of all lists after the other.
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = room.shelf.scan(PREFIX, after.as_deref(), AT_ONCE as u32)?;
        all.extend(page.iter().filter_map(read).filter(|one| one.affiliation == affiliation));
        match page.last() {
            Some(last) if page.len() == AT_ONCE && all.len() < LONGEST => after = Some(last.key.clone()),
            _ => break,
        }
    }
    all.truncate(LONGEST);
    Ok(all)
}

/// Rows that are read at once.
const AT_ONCE: usize = 1000;
/// Entries of a list that are told: what an answer of a few megabytes holds.
pub(crate) const LONGEST: usize = 20_000;

/// Writes it, or takes the row away when nothing is left to say.
pub(crate) fn set(room: &Room, affiliate: &Affiliate) -> Result<(), Fault> {
    let key = [PREFIX, &affiliate.account].concat();
    if affiliate.affiliation == Affiliation::None {
        room.shelf.delete(&key)?;
        return Ok(());
    }
    let row = Writer::default().byte(affiliate.affiliation as u8).text(&affiliate.nick).text(&affiliate.reason);
    put_row(room.shelf, &key, &row.done())
}

/// Puts a row of a room with the index entries that belong to it.
pub(crate) fn put_row(shelf: Kv, key: &str, value: &[u8]) -> Result<(), Fault> {
    let Some(affiliate) = Affiliate::read(key, value) else { return shelf.put(key, value, &[]) };
    let mut indexed = vec![(AFFILIATION, affiliate.affiliation.name())];
    if !affiliate.nick.is_empty() {
        indexed.push((NICK, &affiliate.nick));
    }
    shelf.put(key, value, &indexed)
}

/// Whether the operator made this account an administrator of the service.
pub(crate) fn is_service_admin(account: &str) -> bool {
    Config::load().admins.iter().any(|admin| Jid::normalise(admin).as_deref() == Some(account))
}
