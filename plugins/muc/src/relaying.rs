//! Requests between occupants, which pass through the room so that nobody's real address is
//! seen (XEP-0045 §17.4), and the question whether one is still in the room (XEP-0410).

use xylem_sdk::outbox::{ask, send};
use xylem_sdk::prelude::*;
use xylem_sdk::{Answer, runtime};

use crate::ns::{DISCO_INFO, DISCO_ITEMS, PING, STANZAS, VCARD};
use crate::occupant::{Occupant, Session};
use crate::room::Room;

/// Milliseconds that an occupant has to answer.
const PATIENCE: u32 = 60_000;

/// A request to an occupant's address.
pub(crate) fn pass(stanza: &Stanza<'_>) -> Result<(), Failure> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Err(Condition::BadRequest.into()) };
    let payload = stanza.payload().ok_or(Condition::BadRequest)?;
    let room = Room::open(Jid::new(to).bare())?;
    let (Some(room), Some(sender)) = (room, Session::of(from)?) else {
        let disco = matches!(payload.ns(), DISCO_INFO | DISCO_ITEMS);
        // §6.6; XEP-0410 §3.
        return Err(if disco { Condition::BadRequest } else { Condition::NotAcceptable }.into());
    };
    let nick = Jid::new(to).resource().unwrap_or_default();
    if nick == sender.nick && payload.is(PING, "ping") {
        let pong = Xml::iq("result", stanza.id().unwrap_or_default()).attr("from", to).attr("to", from);
        return Ok(send(pong)?);
    }
    let recipient = Occupant::named(nick)?.ok_or(Condition::ItemNotFound)?;
    let session = recipient.sessions.first().ok_or(Condition::ItemNotFound)?;
    // A card belongs to the account, and the server has it.
    let target = if payload.is(VCARD, "vCard") { &recipient.account } else { session };
    let request = Xml::with_ns("iq", crate::ns::CLIENT)
        .attr("type", stanza.type_().unwrap_or_default())
        .attr("id", "0")
        .attr("from", &room.occupant(&sender.nick))
        .attr("to", target)
        .attr_opt("xml:lang", stanza.lang())
        .raw(&payload.xml().unwrap_or_default());
    let token = [from, "\n", to, "\n", stanza.id().unwrap_or_default()].concat();
    Ok(ask(request, PATIENCE, &token)?)
}

/// The answer goes back to the session that asked, from the address it asked.
pub(crate) fn answered(answer: &Answer<'_>) -> Result<(), Failure> {
    let mut parts = answer.token.splitn(3, '\n');
    let (Some(asker), Some(asked), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        runtime::warn("an answer to a question of another version");
        return Ok(());
    };
    let kind = match &answer.stanza {
        Ok(stanza) if stanza.is("result") => "result",
        _ => "error",
    };
    let mut iq = Xml::iq(kind, id).attr("from", asked).attr("to", asker);
    match &answer.stanza {
        Ok(stanza) => {
            for child in stanza.root().children() {
                iq = iq.raw(&child.xml().unwrap_or_default());
            }
        }
        Err(_) => {
            let condition = Xml::with_ns("remote-server-timeout", STANZAS);
            iq = iq.child(Xml::new("error").attr("type", "wait").child(condition));
        }
    }
    Ok(send(iq)?)
}
