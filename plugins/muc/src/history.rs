//! What was said: kept in the room's archive, and sent to those who enter (XEP-0045 §7.2.13, §7.2.14).

use xylem_sdk::Element;
use xylem_sdk::archive::{ID, Query, STAMP};
use xylem_sdk::prelude::*;

use crate::ns::{CLIENT, DELAY, HINTS, MUC, RETRACT, STANZA_ID};
use crate::room::Room;
use crate::stores::HISTORY;
use crate::{Config, sweeping};

/// How much of it: the least of all that is said (§7.2.14).
#[derive(Debug, Default)]
pub(crate) struct Limits {
    stanzas: u64,
    characters: Option<u64>,
    /// Milliseconds since 1970.
    since: Option<u64>,
    seconds: Option<u64>,
}

impl Limits {
    /// What the client asks for, within what the room gives.
    pub(crate) fn asked(join: Element<'_>, room: &Room) -> Self {
        let most = room.configuration.history;
        let Some(history) = join.child(MUC, "history") else { return Self { stanzas: most, ..Self::default() } };
        let number = |name| history.attr(name).and_then(|value| value.parse::<u64>().ok());
        Self {
            stanzas: number("maxstanzas").map_or(most, |asked| asked.min(most)),
            characters: number("maxchars"),
            since: history.attr("since").and_then(crate::stamp::parse),
            seconds: number("seconds"),
        }
    }

    fn start(&self, now: u64) -> Option<u64> {
        let seconds = self.seconds.map(|seconds| now.saturating_sub(seconds.saturating_mul(1000)));
        seconds.max(self.since)
    }
}

/// What somebody who was away would want to read (XEP-0313 §5.1.3), unless its author does not
/// want that (XEP-0334 §4).
pub(crate) fn is_kept(stanza: &Stanza<'_>) -> bool {
    let hint = |name| stanza.child(HINTS, name).is_some();
    let says = stanza.child(CLIENT, "body").is_some() || stanza.child(RETRACT, "retract").is_some();
    (says || hint("store")) && !hint("no-store") && !hint("no-permanent-store")
}

/// Keeps the message as it is now, from this occupant; gives its id (XEP-0359).
pub(crate) fn keep(room: &Room, occupant: &str) -> Result<String, Fault> {
    let id = HISTORY.append_as(occupant, occupant)?;
    make_room(room)?;
    Ok(id)
}

/// The same with a message that was written anew.
pub(crate) fn keep_written(room: &Room, occupant: &str, message: Xml) -> Result<String, Fault> {
    let id = HISTORY.append_stanza(occupant, message)?;
    make_room(room)?;
    Ok(id)
}

/// The same with a message of the room itself.
pub(crate) fn keep_own(room: &Room, message: Xml) -> Result<String, Fault> {
    let id = HISTORY.append_stanza(&room.jid, message)?;
    make_room(room)?;
    Ok(id)
}

fn make_room(room: &Room) -> Result<(), Fault> {
    let count = HISTORY.count()?;
    if count <= 1 {
        sweeping::look_after(room)?;
    }
    // Not with every message: it costs more than to keep a few more.
    if count % 64 != 0 {
        return Ok(());
    }
    let most = Config::load().archive.unsigned_abs().max(room.configuration.history);
    if count > most + most / 8 { HISTORY.purge(most) } else { Ok(()) }
}

/// Sends it, oldest first, to somebody who has entered.
pub(crate) fn replay(cx: &Cx, room: &Room, to: &str, limits: &Limits) -> Result<(), Fault> {
    if limits.stanzas == 0 || limits.characters == Some(0) || HISTORY.count()? == 0 {
        return Ok(());
    }
    let limit = u32::try_from(limits.stanzas).unwrap_or(u32::MAX);
    let query = Query { start: limits.start(cx.now()), limit, last: true, ..Query::default() };
    let delay = Xml::with_ns("delay", DELAY).attr("from", &room.jid).attr("stamp", STAMP);
    let stanza_id = Xml::with_ns("stanza-id", STANZA_ID).attr("by", &room.jid).attr("id", ID);
    HISTORY.replay(query, to, [delay, stanza_id], limits.characters)
}
