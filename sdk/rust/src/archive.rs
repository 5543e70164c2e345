//! Stanzas kept in order of time, per key. Pages of them are read and sent by the server.
//!
//! [`crate::plugin!`] makes an [`Archive`] of each `[[store]]` of shape `archive`.

use crate::wit::exports::xylem::plugin::replies::Page as WitPage;
use crate::wit::xylem::archive::archive as wit;
use crate::{Fault, Xml};

pub use wit::{Mark, Newest, Peer, Place, Row};

/// In a template: the row's id. As an attribute's value or a text.
pub const ID: &str = "\u{1}id\u{1}";
/// In a template: the row's time (XEP-0082), UTC.
pub const STAMP: &str = "\u{1}stamp\u{1}";
/// In a template: the row's stanza; put it in with [`Xml::raw`].
pub const STANZA: &str = "\u{1}stanza\u{1}";

/// An own archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive(u32);

/// Which rows; all of them by default, the first 50. All conditions must hold.
#[derive(Clone, Debug)]
pub struct Query {
    /// Of this peer; a bare address stands for all its resources.
    pub peer: Option<String>,
    /// Not before this time; milliseconds since 1970.
    pub start: Option<u64>,
    /// Not after this time; milliseconds since 1970.
    pub end: Option<u64>,
    /// After the latest of these rows, each of which must exist.
    pub after: Vec<String>,
    /// Before the earliest of these rows, each of which must exist.
    pub before: Vec<String>,
    /// Only these rows, each of which must exist.
    pub ids: Option<Vec<String>>,
    /// At most so many; 1,000 at most. Big rows make a page shorter (256 KiB).
    pub limit: u32,
    /// The last ones that match instead of the first.
    pub last: bool,
    /// Sent newest first.
    pub flip: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            peer: None,
            start: None,
            end: None,
            after: Vec::new(),
            before: Vec::new(),
            ids: None,
            limit: 50,
            last: false,
            flip: false,
        }
    }
}

/// A page that was asked for with [`Archive::page`].
pub struct Page<'a> {
    /// What the plugin gave along.
    pub token: &'a str,
    /// What was sent; [`Fault::Missing`] when a row that the query names does not exist.
    pub sent: Result<Sent, Fault>,
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The earliest row sent.
    pub first: Option<String>,
    /// The latest row sent.
    pub last: Option<String>,
    /// How many.
    pub sent: u32,
    /// Rows that match in all, where that is known.
    pub count: Option<u64>,
    /// Nothing more matches in that direction.
    pub complete: bool,
}

impl From<WitPage> for Sent {
    fn from(page: WitPage) -> Self {
        Self { first: page.first, last: page.last, sent: page.sent, count: page.count, complete: page.complete }
    }
}

impl Archive {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(number: u32) -> Self {
        Self(number)
    }

    /// Appends the current stanza with the edits made so far; `peer` is the address it is
    /// later looked up by. Gives its id, which grows with time and cannot be guessed.
    pub fn append(self, peer: &str) -> Result<String, Fault> {
        Ok(wit::append(self.0, peer)?)
    }

    /// The same, with another sender and without a recipient.
    pub fn append_as(self, peer: &str, sender: &str) -> Result<String, Fault> {
        Ok(wit::append_as(self.0, peer, sender)?)
    }

    /// Appends another stanza than the current one.
    pub fn append_stanza(self, peer: &str, stanza: Xml) -> Result<String, Fault> {
        Ok(wit::append_stanza(self.0, peer, &stanza.build())?)
    }

    /// How many stanzas the key has here.
    pub fn count(self) -> Result<u64, Fault> {
        Ok(wit::count(self.0)?)
    }

    /// Sends all, oldest first, to this session as they were stored. With `remove` each is
    /// deleted once it was written to the session's connection: a crash may repeat one but loses none.
    pub fn deliver(self, to: &str, remove: bool) -> Result<(), Fault> {
        Ok(wit::deliver(self.0, to, remove)?)
    }

    /// Reads rows when this call has succeeded and sends each inside the template, a message with
    /// [`ID`], [`STAMP`] and [`STANZA`] in it; then the `page` handler is called with the token (16 KiB
    /// at most). Other calls do not wait for it. Needs the grant `outbox`; [`Fault::Quota`] when too
    /// many are under way.
    pub fn page(self, query: Query, template: Xml, token: &str) -> Result<(), Fault> {
        Ok(wit::page(self.0, &query.into_wit(), &template.build(), token)?)
    }

    /// The same with those rows alone in which all words of `text` are: in the children that the store's
    /// `text` names in the manifest.
    pub fn search(self, query: Query, text: &str, template: Xml, token: &str) -> Result<(), Fault> {
        Ok(wit::search(self.0, &query.into_wit(), text, &template.build(), token)?)
    }

    /// Sends rows as they were stored to another address, in order among the sends of the key, each
    /// with these children ([`ID`] and [`STAMP`] in them). With `characters` only the newest ones that have no
    /// more than so many together, children included. Needs the grant `outbox`.
    pub fn replay(
        self,
        query: Query,
        to: &str,
        children: impl IntoIterator<Item = Xml>,
        characters: Option<u64>,
    ) -> Result<(), Fault> {
        let children: Vec<String> = children.into_iter().map(Xml::build).collect();
        Ok(wit::replay(self.0, &query.into_wit(), to, &children, characters)?)
    }

    /// One row.
    pub fn get(self, id: &str) -> Result<Option<Row>, Fault> {
        get(self.0, id)
    }

    /// The newest stanza of this peer with this `id`, its own or that of a child named `{namespace}name`
    /// among `carriers`. Looks at the last 500.
    pub fn find(self, peer: &str, id: &str, carriers: &[&str]) -> Result<Option<Row>, Fault> {
        find(self.0, peer, id, carriers)
    }

    /// Whom there are rows of, and the newest of each, without a stanza being read.
    pub fn peers(self, newest: Newest) -> Result<Vec<Peer>, Fault> {
        peers(self.0, newest)
    }

    /// First and last row; none when there are no rows.
    pub fn ends(self) -> Result<Option<(Place, Place)>, Fault> {
        Ok(wit::ends(self.0)?)
    }

    /// The newest rows before this one, or of all; newest first, 100 and 256 KiB at most.
    pub fn latest(self, before: Option<&str>, limit: u32) -> Result<Vec<Row>, Fault> {
        Ok(wit::latest(self.0, before, limit)?)
    }

    /// Replaces what a row holds; its id, time and peer stay.
    pub fn replace(self, id: &str, stanza: Xml) -> Result<(), Fault> {
        Ok(wit::replace(self.0, id, &stanza.build())?)
    }

    /// Deletes these rows.
    pub fn remove(self, ids: &[&str]) -> Result<(), Fault> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).into()).collect();
        Ok(wit::remove(self.0, &ids)?)
    }

    /// Deletes all but the newest `keep`.
    pub fn purge(self, keep: u64) -> Result<(), Fault> {
        Ok(wit::purge(self.0, keep)?)
    }

    /// Deletes what is older than this time, milliseconds since 1970.
    pub fn purge_before(self, time: u64) -> Result<(), Fault> {
        Ok(wit::purge_before(self.0, time)?)
    }
}

/// Of the marks of a row: the key itself is the sender.
pub const OWN: u8 = 1 << 7;

/// Whom a store has rows of.
pub(crate) fn peers(store: u32, newest: Newest) -> Result<Vec<Peer>, Fault> {
    Ok(wit::peers(store, newest)?)
}

/// See [`Archive::find`].
pub(crate) fn find(store: u32, peer: &str, id: &str, carriers: &[&str]) -> Result<Option<Row>, Fault> {
    let carriers: Vec<String> = carriers.iter().map(|carrier| (*carrier).into()).collect();
    Ok(wit::find(store, peer, id, &carriers)?)
}

/// One row of a store by its number.
pub(crate) fn get(store: u32, id: &str) -> Result<Option<Row>, Fault> {
    Ok(wit::get(store, id)?)
}

impl Query {
    fn into_wit(self) -> wit::Query {
        let Self { peer, start, end, after, before, ids, limit, last, flip } = self;
        wit::Query { peer, start, end, after, before, ids, limit, last, flip }
    }
}
