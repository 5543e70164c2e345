//! How an occupant's presence is written (XEP-0045 §7.2.3, §16.1).

use xylem_sdk::prelude::*;

use crate::ns::{CLIENT, HATS, MUC, OCCUPANT_ID, USER};
use crate::occupant::Occupant;
use crate::privileges::Role;
use crate::room::Room;
use crate::row::Reader;

/// What happened, beside what the occupant is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notice<'a> {
    /// The occupant goes: presence of type `unavailable`, with the role `none`.
    pub(crate) gone: bool,
    /// The occupant goes, but only to come back under another nickname (§7.6).
    pub(crate) new_nick: Option<&'a str>,
    /// Status codes (§16.6), without 110.
    pub(crate) codes: &'a [&'static str],
    /// Status codes for the occupant alone.
    pub(crate) own_codes: &'a [&'static str],
    /// The nickname of whoever did it.
    pub(crate) actor: Option<&'a str>,
    pub(crate) reason: &'a str,
    /// The `id` of the stanza it answers.
    pub(crate) id: Option<&'a str>,
}

/// The occupant's presence after what happened, without `to`; `jid` is the real address, where it is shown.
pub(crate) fn presence(room: &Room, occupant: &Occupant, notice: &Notice<'_>, jid: Option<&str>, own: bool) -> Xml {
    let gone = notice.gone || notice.new_nick.is_some();
    let role = if notice.gone { Role::None } else { occupant.role };
    let actor = notice.actor.map(|nick| Xml::new("actor").attr("nick", nick));
    let reason = Some(notice.reason).filter(|reason| !reason.is_empty()).map(|reason| Xml::new("reason").text(reason));
    let item = Xml::new("item")
        .attr("affiliation", occupant.affiliation.name())
        .attr("role", role.name())
        .attr_opt("jid", jid)
        .attr_opt("nick", notice.new_nick)
        .child_opt(actor)
        .child_opt(reason);
    let own_codes = if own { notice.own_codes } else { &[] };
    let codes = own.then_some(&"110").into_iter().chain(notice.codes).chain(own_codes);
    Xml::presence(gone.then_some("unavailable"))
        .attr("from", &room.occupant(&occupant.nick))
        .attr_opt("id", notice.id.filter(|_| own))
        .raw(&occupant.presence)
        .child(Xml::with_ns("x", USER).child(item).children(codes.map(|code| status(code))))
        .raw(&occupant.hats)
        .child(Xml::with_ns("occupant-id", OCCUPANT_ID).attr("id", &occupant.id))
}

/// `<status code='…'/>`.
pub(crate) fn status(code: &str) -> Xml {
    Xml::new("status").attr("code", code)
}

/// The presence as everybody who enters gets it, in two halves: `to` goes before the first
/// one, and between them the real address, for those who may see it.
pub(crate) fn halves(room: &Room, occupant: &Occupant) -> (String, String) {
    let whole = presence(room, occupant, &Notice::default(), None, false).build();
    let head = whole.strip_prefix(BEGINNING).unwrap_or_default();
    // The item is the last one: what the occupant sent stands before it, and cannot be of this namespace.
    let at = head.rfind(ITEM_END).map_or(head.len(), |at| at + 1);
    let (head, tail) = head.split_at_checked(at).unwrap_or((head, ""));
    (head.to_owned(), tail.to_owned())
}

const BEGINNING: &str = "<presence xmlns='jabber:client'";
const ITEM_END: &str = "'/></x>";

/// The row of an occupant as presence to whoever enters; nothing if the role is not shown.
pub(crate) fn of_row(room: &Room, row: &[u8], to: &str, sees_jids: bool) -> Option<Xml> {
    let mut row = Reader::new(row);
    let (role, _affiliation) = (Role::of_byte(row.byte()), row.byte());
    if !room.configuration.broadcast.has(role) {
        return None;
    }
    let sessions = row.number();
    let mut jid = "";
    for n in 0..sessions {
        let session = row.text();
        if n == 0 {
            jid = session;
        }
    }
    let (head, tail) = (row.text(), row.text());
    let mut out = String::with_capacity(BEGINNING.len() + head.len() + tail.len() + jid.len() + to.len() + 40);
    out.push_str(BEGINNING);
    attribute(&mut out, " to='", to);
    out.push_str(head);
    if sees_jids {
        attribute(&mut out, " jid='", jid);
    }
    out.push_str(tail);
    Some(Xml::from_text(out))
}

/// An address as an attribute. All that can be in one and has to be escaped is here.
fn attribute(out: &mut String, begin: &str, address: &str) {
    out.push_str(begin);
    for part in address.split_inclusive(['&', '\'', '<', '>', '"']) {
        let plain = part.trim_end_matches(['&', '\'', '<', '>', '"']);
        out.push_str(plain);
        out.push_str(match part.as_bytes().last() {
            Some(b'&') => "&amp;",
            Some(b'\'') => "&apos;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "",
        });
    }
    out.push('\'');
}

/// What a presence says about its sender, apart from what only a room may say (§17.3).
pub(crate) fn payload(stanza: &Stanza<'_>) -> String {
    let mut all = String::new();
    for child in stanza.root().children() {
        let own = matches!(child.ns(), MUC | USER | OCCUPANT_ID | HATS);
        let known = child.ns() == CLIENT && matches!(child.name(), "show" | "status" | "priority");
        if own || child.ns() == CLIENT && !known {
            continue;
        }
        if let Some(xml) = child.xml().filter(|xml| all.len() + xml.len() <= PAYLOAD) {
            all.push_str(&xml);
        }
    }
    all
}

/// Most bytes of a presence that are kept and shown to others.
const PAYLOAD: usize = 8 << 10;
