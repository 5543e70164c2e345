//! What other plugins have to say (`xylem:muc-ext`).

use xylem_sdk::muc_ext::{self, Field, Occupant as Who};
use xylem_sdk::prelude::*;

use crate::form::Form;
use crate::history;
use crate::message::reflect;
use crate::ns::STANZA_ID;
use crate::occupant::{Occupant, Session};
use crate::privileges::{Affiliation, Role};
use crate::retraction;
use crate::room::Room;

fn who(jid: &str, nick: &str, role: Role, affiliation: Affiliation) -> Who {
    Who { jid: jid.into(), nick: nick.into(), role: role.name().into(), affiliation: affiliation.name().into() }
}

/// Whether somebody may come in.
pub(crate) fn join(room: &Room, jid: &str, occupant: &Occupant) -> Result<(), Failure> {
    muc_ext::ask_join(&room.jid, &who(jid, &occupant.nick, occupant.role, occupant.affiliation))
}

/// The message as others want it to be; nothing where it stays as it is.
pub(crate) fn message(
    room: &Room,
    stanza: &Stanza<'_>,
    jid: &str,
    session: &Session,
) -> Result<Option<String>, Failure> {
    let Some(xml) = stanza.edited() else { return Ok(None) };
    let who = who(jid, &session.nick, session.standing.role, session.standing.affiliation);
    muc_ext::ask_message(&room.jid, &who, &xml)
}

/// Keeps and reflects a message that another plugin has written anew. Only its content counts.
pub(crate) fn rewritten(
    cx: &Cx,
    room: &Room,
    stanza: &Stanza<'_>,
    session: &Session,
    xml: &str,
) -> Result<(), Failure> {
    let head = retraction::head(xml).ok_or(Condition::InternalServerError)?;
    let content = xml.get(head.len() + 1..).and_then(|rest| rest.trim_end().strip_suffix("</message>"));
    let content = content.and_then(|content| content.split_once('>')).map_or("", |(_, content)| content);
    let address = room.occupant(&session.nick);
    let mut message = Xml::message("groupchat")
        .attr("from", &address)
        .attr_opt("id", stanza.id())
        .attr_opt("xml:lang", stanza.lang())
        .raw(content);
    if history::is_kept(stanza) {
        retraction::by_author(cx, stanza, session)?;
        let id = history::keep_written(room, &address, message.clone())?;
        message = message.child(Xml::with_ns("stanza-id", STANZA_ID).attr("by", &room.jid).attr("id", &id));
    }
    Ok(reflect(Some(message), &address)?)
}

/// Shows a submitted form to everybody concerned; any of them may refuse it.
pub(crate) fn configure(room: &Room, form: Form<'_>) -> Result<(), Failure> {
    let field = |(name, field): (&str, crate::form::Field<'_>)| Field {
        name: name.into(),
        values: field.values().map(str::to_owned).collect(),
    };
    let fields: Vec<Field> = form.fields().map(field).collect();
    muc_ext::configure(&room.jid, &fields)
}

/// What others add to the form.
pub(crate) fn fields(room: &Room) -> Vec<Xml> {
    muc_ext::fields(&room.jid).into_iter().map(Xml::from_text).collect()
}

/// What others add to the features of the room.
pub(crate) fn features(room: &Room) -> Vec<Xml> {
    muc_ext::features(&room.jid).iter().map(|var| Xml::new("feature").attr("var", var)).collect()
}
