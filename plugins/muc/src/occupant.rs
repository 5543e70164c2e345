//! Who is in a room. Nothing of it is in the plugin's memory: the rows outlive its instance.
//!
//! A row `n/nickname` for each occupant, a row `s/address` for each of their sessions, and
//! `count`. The groups `all`, `moderators` and `others` have the sessions' addresses for fan-out.

use xylem_sdk::groups;
use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::privileges::{Affiliation, Role, Standing};
use crate::room::Room;
use crate::row::{Reader, Writer};
use crate::stores::OCCUPANTS;

/// Every session in the room.
pub(crate) const ALL: &str = "all";
/// Sessions of moderators, who see real addresses in every room (§7.2.4).
pub(crate) const MODERATORS: &str = "moderators";
/// The other sessions.
pub(crate) const OTHERS: &str = "others";

const NICK: &str = "n/";
const SESSION: &str = "s/";
const ACCOUNT: &str = "account";
const COUNT: &str = "count";

/// Somebody in the room, under one nickname, with one or more sessions (§7.2.8).
#[derive(Clone, Debug)]
pub(crate) struct Occupant {
    pub(crate) nick: String,
    pub(crate) role: Role,
    pub(crate) affiliation: Affiliation,
    /// The bare address.
    pub(crate) account: String,
    /// XEP-0421 identifier.
    pub(crate) id: String,
    /// Full addresses; the first came first.
    pub(crate) sessions: Vec<String>,
    /// What the last presence said, as XML: `<show/>`, `<status/>` and so on.
    pub(crate) presence: String,
    /// What stands beside it in every presence of the occupant.
    pub(crate) hats: String,
}

/// What a message needs to know of its sender.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) nick: String,
    pub(crate) standing: Standing,
    /// XEP-0421 identifier.
    pub(crate) id: String,
}

impl Session {
    /// The session of a full address, if it is in the room.
    pub(crate) fn of(jid: &str) -> Result<Option<Self>, Fault> {
        let row = OCCUPANTS.get(&[SESSION, jid].concat())?;
        Ok(row.map(|row| {
            let mut row = Reader::new(&row);
            let standing = Standing { role: Role::of_byte(row.byte()), affiliation: Affiliation::of_byte(row.byte()) };
            Self { standing, nick: row.text().to_owned(), id: row.text().to_owned() }
        }))
    }
}

impl Occupant {
    /// Who has this nickname now.
    pub(crate) fn named(nick: &str) -> Result<Option<Self>, Fault> {
        Ok(OCCUPANTS.get(&[NICK, nick].concat())?.map(|row| Self::read(nick, &row)))
    }

    /// The occupant behind a full address.
    pub(crate) fn behind(jid: &str) -> Result<Option<Self>, Fault> {
        match Session::of(jid)? {
            Some(session) => Self::named(&session.nick),
            None => Ok(None),
        }
    }

    /// All occupants of an account; there may be several, under different nicknames.
    pub(crate) fn of_account(account: &str) -> Result<Vec<Self>, Fault> {
        let mut nicks: Vec<String> = Vec::new();
        for row in OCCUPANTS.by_index(ACCOUNT, account)? {
            let mut row = Reader::new(&row.value);
            let _standing = (row.byte(), row.byte());
            let nick = row.text().to_owned();
            if !nicks.contains(&nick) {
                nicks.push(nick);
            }
        }
        let found: Result<Vec<Option<Self>>, Fault> = nicks.iter().map(|nick| Self::named(nick)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Everybody, in order of nicknames.
    pub(crate) fn all() -> Result<Vec<Self>, Fault> {
        let mut all = Vec::new();
        each_row(|nick, row| {
            all.push(Self::read(nick, row));
            Ok(())
        })?;
        Ok(all)
    }

    fn read(nick: &str, row: &[u8]) -> Self {
        let mut row = Reader::new(row);
        let (role, affiliation) = (Role::of_byte(row.byte()), Affiliation::of_byte(row.byte()));
        let sessions = row.texts();
        let _rendered = (row.text(), row.text());
        let mut text = || row.text().to_owned();
        let (account, id, presence, hats) = (text(), text(), text(), text());
        Self { nick: nick.into(), role, affiliation, account, id, sessions, presence, hats }
    }

    /// Writes the occupant and all sessions, and puts these into the groups they belong to.
    pub(crate) fn save(&self, room: &Room) -> Result<(), Fault> {
        self.save_presence(room)?;
        let session = Writer::default().byte(self.role as u8).byte(self.affiliation as u8);
        let session = session.text(&self.nick).text(&self.id).done();
        let (own, other) = if self.role == Role::Moderator { (MODERATORS, OTHERS) } else { (OTHERS, MODERATORS) };
        for jid in &self.sessions {
            OCCUPANTS.put(&[SESSION, jid].concat(), &session, &[(ACCOUNT, &self.account)])?;
            groups::put(ALL, jid)?;
            groups::remove(other, jid)?;
            groups::put(own, jid)?;
        }
        Ok(())
    }

    /// Writes what others see of the occupant, sessions left as they are.
    pub(crate) fn save_presence(&self, room: &Room) -> Result<(), Fault> {
        let (head, tail) = crate::rendition::halves(room, self);
        let row = Writer::default()
            .byte(self.role as u8)
            .byte(self.affiliation as u8)
            .texts(&self.sessions)
            .text(&head)
            .text(&tail)
            .text(&self.account)
            .text(&self.id)
            .text(&self.presence)
            .text(&self.hats);
        OCCUPANTS.put(&[NICK, &self.nick].concat(), &row.done(), &[])
    }

    /// Takes the occupant's row away, not the sessions': for a change of nickname.
    pub(crate) fn forget_nick(&self) -> Result<(), Fault> {
        OCCUPANTS.delete(&[NICK, &self.nick].concat()).map(drop)
    }

    /// Takes a session out of the room.
    pub(crate) fn forget_session(&mut self, jid: &str) -> Result<(), Fault> {
        self.sessions.retain(|session| session != jid);
        OCCUPANTS.delete(&[SESSION, jid].concat())?;
        for group in [ALL, MODERATORS, OTHERS] {
            groups::remove(group, jid)?;
        }
        Ok(())
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing { affiliation: self.affiliation, role: self.role }
    }
}

/// One row of everybody, as [`roster`](crate::entering) sends them.
pub(crate) fn each_row(mut visit: impl FnMut(&str, &[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let page = OCCUPANTS.scan(NICK, after.as_deref(), PAGE)?;
        for row in &page {
            visit(row.key.strip_prefix(NICK).unwrap_or_default(), &row.value)?;
        }
        match page.last() {
            Some(last) if page.len() as u32 == PAGE => after = Some(last.key.clone()),
            _ => return Ok(()),
        }
    }
}

const PAGE: u32 = 1000;

/// How many occupants there are.
pub(crate) fn count() -> Result<u64, Fault> {
    Ok(OCCUPANTS.get(COUNT)?.map_or(0, |row| Reader::new(&row).number()))
}

/// One more, or one less.
pub(crate) fn counted(change: i64) -> Result<u64, Fault> {
    let count = count()?.saturating_add_signed(change);
    if count == 0 {
        OCCUPANTS.delete(COUNT)?;
    } else {
        OCCUPANTS.put(COUNT, &Writer::default().number(count).done(), &[])?;
    }
    crate::directory::crowded(count)?;
    Ok(count)
}

/// Forgets everybody: the room is no more.
pub(crate) fn forget_all() -> Result<(), Fault> {
    for row in OCCUPANTS.all()? {
        OCCUPANTS.delete(&row.key)?;
    }
    crate::directory::crowded(0)?;
    for group in [ALL, MODERATORS, OTHERS] {
        groups::clear(group)?;
    }
    Ok(())
}
