//! A room: what is kept of it apart from who is in it.
//!
//! A persistent room stands in the durable store `kept`, any other in `passing`. The rows
//! of a room: `room` itself, `subject`, and an `a/…` for each affiliation.

use xylem_sdk::kv::{Kv, Rows};
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::Config;
use crate::configuration::Configuration;
use crate::row::{Reader, Writer};
use crate::stores::{HISTORY, KEPT, PASSING};
use crate::{directory, sweeping};

const ROW: &str = "room";

/// A room that exists, perhaps locked.
pub(crate) struct Room {
    /// Its address.
    pub(crate) jid: String,
    /// Its rows.
    pub(crate) shelf: Kv,
    pub(crate) configuration: Configuration,
    /// Nobody but its maker may come in before it is configured (§10.1.1).
    pub(crate) locked: bool,
    /// Who made it.
    pub(crate) founder: String,
    /// Key of the occupants' identifiers (XEP-0421 §4).
    pub(crate) secret: String,
    /// Digests of its pictures (XEP-0486 §3.3), hexadecimal.
    pub(crate) avatar: String,
}

impl Room {
    /// The room of this call.
    pub(crate) fn open(jid: &str) -> Result<Option<Self>, Fault> {
        for shelf in [PASSING, KEPT] {
            if let Some(row) = shelf.get(ROW)? {
                return Ok(Some(Self::read(jid, shelf, &row)));
            }
        }
        Ok(None)
    }

    /// The room, or `item-not-found`, which a locked one also is for others (§7.2.10).
    pub(crate) fn existing(jid: &str) -> Result<Self, Failure> {
        Ok(Self::open(jid)?.ok_or(Condition::ItemNotFound)?)
    }

    /// A room that does not exist yet.
    pub(crate) fn create(jid: &str, founder: &str, config: &Config) -> Result<Self, Fault> {
        let secret = runtime::random(32).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let room = Self {
            jid: jid.into(),
            shelf: PASSING,
            configuration: Configuration::new(config.history.unsigned_abs()),
            locked: config.lock,
            founder: founder.into(),
            secret,
            avatar: String::new(),
        };
        if HISTORY.count()? > 0 {
            // Of a temporary room that ended with the server.
            HISTORY.purge(0)?;
        }
        room.save()?;
        Ok(room)
    }

    fn read(jid: &str, shelf: Kv, row: &[u8]) -> Self {
        let mut row = Reader::new(row);
        let _version = row.byte();
        let locked = row.byte() == 1;
        let founder = row.text().to_owned();
        let secret = row.text().to_owned();
        let configuration = Configuration::read(&mut row);
        let avatar = row.text().to_owned();
        Self { jid: jid.into(), shelf, configuration, locked, founder, secret, avatar }
    }

    /// Writes the room's own row and its entry in the directory.
    pub(crate) fn save(&self) -> Result<(), Fault> {
        let row = Writer::default().byte(1).byte(u8::from(self.locked)).text(&self.founder).text(&self.secret);
        let row = self.configuration.write(row).text(&self.avatar).done();
        self.shelf.put(ROW, &row, &[])?;
        directory::list(self)
    }

    /// Moves the rows to where the room belongs now that it has become persistent or no longer is.
    pub(crate) fn settle(&mut self) -> Result<(), Fault> {
        let shelf = if self.configuration.persistent { KEPT } else { PASSING };
        if shelf == self.shelf {
            return Ok(());
        }
        directory::forget(self)?;
        for row in self.shelf.all()? {
            crate::affiliations::put_row(shelf, &row.key, &row.value)?;
            self.shelf.delete(&row.key)?;
        }
        self.shelf = shelf;
        sweeping::look_after(self)
    }

    /// Removes all that is kept of it.
    pub(crate) fn erase(&self) -> Result<(), Fault> {
        for row in self.shelf.all()? {
            self.shelf.delete(&row.key)?;
        }
        sweeping::forget()?;
        directory::forget(self)
    }

    /// The name for people.
    pub(crate) fn name(&self) -> &str {
        if self.configuration.name.is_empty() {
            Jid::new(&self.jid).local().unwrap_or_default()
        } else {
            &self.configuration.name
        }
    }

    /// An occupant's address.
    pub(crate) fn occupant(&self, nick: &str) -> String {
        [&self.jid, "/", nick].concat()
    }
}
