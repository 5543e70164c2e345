//! What was said before somebody came (XEP-0045 §7.2.13, §7.2.14).

use xylem_sdk::Element;
use xylem_sdk::kv::Rows as _;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::time::utc;

use crate::Config;
use crate::ns::{CLIENT, DELAY, MUC};
use crate::room::Room;
use crate::row::{Reader, Writer};
use crate::stores::HISTORY;

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

    fn from(&self, now: u64) -> u64 {
        let seconds = self.seconds.map_or(0, |seconds| now.saturating_sub(seconds.saturating_mul(1000)));
        seconds.max(self.since.unwrap_or(0))
    }
}

/// What somebody who was away would want to read.
pub(crate) fn is_kept(stanza: &Stanza<'_>) -> bool {
    stanza.child(CLIENT, "body").is_some()
}

const SEQUENCE: &str = "sequence";

/// The id of the next message (XEP-0359).
pub(crate) fn next(room: &Room) -> Result<String, Fault> {
    let last = room.shelf.get(SEQUENCE)?.map_or(0, |row| Reader::new(&row).number());
    let number = last.saturating_add(1);
    room.shelf.put(SEQUENCE, &Writer::default().number(number).done(), &[])?;
    Ok(number.to_string())
}

/// Keeps a message under its id.
pub(crate) fn keep(cx: &Cx, room: &Room, id: &str, message: &Xml) -> Result<(), Fault> {
    let number: u64 = id.parse().unwrap_or(0);
    let key =
        |number: u64| ["0".repeat(20_usize.saturating_sub(number.to_string().len())), number.to_string()].concat();
    let row = Writer::default().number(cx.now()).text(&message.clone().build());
    HISTORY.put(&key(number), &row.done(), &[])?;
    let most = Config::load().max_history.unsigned_abs().max(room.configuration.history);
    if number > most {
        HISTORY.delete(&key(number - most))?;
    }
    Ok(())
}

/// Sends it, oldest first, to somebody who has entered.
pub(crate) fn replay(cx: &Cx, room: &Room, to: &str, limits: &Limits) -> Result<(), Fault> {
    let from = limits.from(cx.now());
    let mut left = limits.characters.unwrap_or(u64::MAX);
    let mut chosen: Vec<Xml> = Vec::new();
    for row in HISTORY.all()?.iter().rev() {
        let mut row = Reader::new(&row.value);
        let (time, text) = (row.number(), row.text());
        if time < from || chosen.len() as u64 >= limits.stanzas {
            break;
        }
        let message = delayed(room, time, text, to);
        let length = message.chars().count() as u64;
        if length > left {
            break;
        }
        left -= length;
        chosen.push(Xml::from_text(message));
    }
    chosen.into_iter().rev().try_for_each(send)
}

/// A kept message with `to` and the time it was sent (XEP-0203).
fn delayed(room: &Room, time: u64, text: &str, to: &str) -> String {
    let delay = Xml::with_ns("delay", DELAY).attr("from", &room.jid).attr("stamp", &utc(time)).build();
    let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
    let to = Xml::new(head.strip_prefix('<').unwrap_or(head)).attr("to", to).build();
    let to = to.strip_suffix("/>").unwrap_or(&to);
    let rest = rest.strip_suffix("</message>").unwrap_or(rest);
    [to, " ", rest, &delay, "</message>"].concat()
}
