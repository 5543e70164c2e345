//! The subject of a room (XEP-0045 §7.2.16, §8.1).

use xylem_sdk::kv::Rows as _;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::time::utc;

use crate::ns::{CLIENT, DELAY};
use crate::occupant::Session;
use crate::privileges::Role;
use crate::room::Room;
use crate::row::{Reader, Writer};

const ROW: &str = "subject";

/// The subject that a message sets: one with a subject and neither body nor thread (§8.1).
pub(crate) fn set_by<'a>(stanza: &Stanza<'a>) -> Option<&'a str> {
    let has = |name| stanza.child(CLIENT, name).is_some();
    let subject = stanza.child(CLIENT, "subject")?;
    (!has("body") && !has("thread")).then(|| subject.text())
}

/// Whether an occupant may set it.
pub(crate) fn may_change(room: &Room, session: &Session) -> Result<(), Failure> {
    let least = if room.configuration.change_subject { Role::Participant } else { Role::Moderator };
    if session.standing.role >= least { Ok(()) } else { Err(Condition::Forbidden.into()) }
}

/// Keeps it, with who set it when.
pub(crate) fn keep(cx: &Cx, room: &Room, session: &Session, id: Option<&str>, subject: &str) -> Result<(), Fault> {
    let row = Writer::default().number(cx.now()).text(&session.nick).text(&session.id).text(id.unwrap_or_default());
    room.shelf.put(ROW, &row.text(subject).done(), &[])
}

/// The subject as it is now; empty for none.
pub(crate) fn current(room: &Room) -> Result<String, Fault> {
    let row = room.shelf.get(ROW)?.unwrap_or_default();
    let mut row = Reader::new(&row);
    let _head = (row.number(), row.text(), row.text(), row.text());
    Ok(row.text().to_owned())
}

/// To somebody who has entered, behind the history (§7.2.16).
pub(crate) fn tell(room: &Room, to: &str) -> Result<(), Fault> {
    let message = Xml::message("groupchat").attr("to", to);
    let Some(row) = room.shelf.get(ROW)? else {
        return send(message.attr("from", &room.jid).child(Xml::new("subject")));
    };
    let mut row = Reader::new(&row);
    let (time, nick, occupant, id, subject) = (row.number(), row.text(), row.text(), row.text(), row.text());
    let delay = Xml::with_ns("delay", DELAY).attr("from", &room.jid).attr("stamp", &utc(time));
    send(
        message
            .attr("from", &room.occupant(nick))
            .attr_opt("id", Some(id).filter(|id| !id.is_empty()))
            .leaf("subject", subject)
            .child(delay)
            .child(Xml::with_ns("occupant-id", crate::ns::OCCUPANT_ID).attr("id", occupant)),
    )
}
