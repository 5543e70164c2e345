//! Looking up what was said in a room (XEP-0313). The server reads and sends the messages, the
//! room the answer behind them.

use xylem_sdk::archive::{ID, Page, STAMP, STANZA, Sent};
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::time::utc;

use crate::affiliations;
use crate::archive_filter::read;
use crate::form::{field, form};
use crate::ns::{CLIENT, DELAY, MAM, RSM, STANZAS};
use crate::occupant::Session;
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::stores::HISTORY;

/// The room whose archive is asked for, if whoever asks could enter it now (XEP-0313 §5.1.2).
fn opened(cx: &Cx, iq: &Stanza<'_>) -> Result<Room, Failure> {
    let room = Room::existing(&cx.key())?;
    let from = iq.from().ok_or(Condition::BadRequest)?;
    let affiliation = affiliations::of(&room, Jid::new(from).bare())?;
    let now = &room.configuration;
    let closed = now.members_only || now.password_protected || room.locked;
    let inside = affiliation >= Affiliation::Member || Session::of(from)?.is_some();
    if affiliation == Affiliation::Outcast || closed && !inside {
        return Err(Condition::Forbidden.into());
    }
    Ok(room)
}

/// A page of the archive.
pub(crate) fn archive_query(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let room = opened(cx, iq)?;
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let (wanted, whole) = read(query)?;
    let (Some(to), Some(id)) = (iq.from(), iq.id()) else { return Err(Condition::BadRequest.into()) };
    let forwarded = Xml::with_ns("forwarded", "urn:xmpp:forward:0")
        .child(Xml::with_ns("delay", DELAY).attr("stamp", STAMP))
        .raw(STANZA);
    let result = Xml::with_ns("result", MAM).attr_opt("queryid", query.attr("queryid")).attr("id", ID).child(forwarded);
    let message = Xml::with_ns("message", CLIENT).attr("from", &room.jid).attr("to", to).child(result);
    let token = [if whole { "=" } else { "-" }, to, "\n", id].concat();
    match HISTORY.page(wanted, message, &token) {
        Ok(()) => Ok(Reply::Later),
        Err(Fault::Missing) => Err(Condition::ItemNotFound.into()),
        Err(Fault::Quota) => Err(Failure::new(Condition::ResourceConstraint).kind("wait")),
        Err(fault) => Err(fault.into()),
    }
}

/// The page was sent; this is the end of it (§4.2).
pub(crate) fn page_sent(_cx: &Cx, page: &Page<'_>) -> Result<(), Failure> {
    let Some((to, id)) = page.token.get(1..).and_then(|rest| rest.split_once('\n')) else { return Ok(()) };
    let error = |kind, condition| {
        Xml::iq("error", id).child(Xml::new("error").attr("type", kind).child(Xml::with_ns(condition, STANZAS)))
    };
    let answer = match &page.sent {
        Ok(sent) => Xml::iq("result", id).child(fin(sent, page.token.starts_with('='))),
        Err(Fault::Missing) => error("cancel", "item-not-found"),
        Err(_) => error("wait", "internal-server-error"),
    };
    Ok(send(answer.attr("to", to))?)
}

fn fin(sent: &Sent, whole: bool) -> Xml {
    let count = sent.count.filter(|_| whole).map(|count| Xml::new("count").text(&count.to_string()));
    let set = Xml::with_ns("set", RSM)
        .child_opt(sent.first.as_deref().map(|first| Xml::new("first").text(first)))
        .child_opt(sent.last.as_deref().map(|last| Xml::new("last").text(last)))
        .child_opt(count);
    Xml::with_ns("fin", MAM).attr_opt("complete", sent.complete.then_some("true")).child(set)
}

/// What can be asked for (§4.1.5).
pub(crate) fn archive_form(cx: &Cx, iq: &Stanza<'_>) -> Result<Xml, Failure> {
    opened(cx, iq)?;
    let one = |var| field("text-single", var, "", &[]);
    let form = form("form", MAM)
        .child(field("jid-single", "with", "", &[]))
        .child(one("start"))
        .child(one("end"))
        .child(one("before-id"))
        .child(one("after-id"))
        .child(field("list-multi", "ids", "", &[]));
    Ok(Xml::with_ns("query", MAM).child(form))
}

/// Where the archive begins and ends (§4.4).
pub(crate) fn archive_metadata(cx: &Cx, iq: &Stanza<'_>) -> Result<Xml, Failure> {
    opened(cx, iq)?;
    let metadata = Xml::with_ns("metadata", MAM);
    let Some((first, last)) = HISTORY.ends()? else { return Ok(metadata) };
    let end = |name: &str, id: &str, at: u64| Xml::new(name).attr("id", id).attr("timestamp", &utc(at));
    Ok(metadata.child(end("start", &first.id, first.at)).child(end("end", &last.id, last.at)))
}
