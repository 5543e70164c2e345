//! Queries: the server sends the page, then the plugin the end of it (XEP-0313 §4).

use xylem_sdk::archive::{ID, Page, STAMP, STANZA, Sent};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions::Session;
use xylem_sdk::time::utc_ms;
use xylem_sdk::{outbox, sessions};

use crate::filter::{self, FULL_TEXT, RSM};
use crate::stores::MESSAGES;
use crate::{Config, NS};

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Of sessions that asked before their first presence.
const ASKED: &str = "archive-asked";
const FORM: &str = "jabber:x:data";

pub(crate) fn query(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let asked = filter::read(query)?;
    let (Some(to), Some(id)) = (iq.from(), iq.id()) else { return Err(Condition::BadRequest.into()) };
    let token = [if asked.countable { "=" } else { "-" }, to, "\n", id].concat();
    let wrapping = wrapping(to, query.attr("queryid"));
    let begun = match &asked.text {
        Some(text) => MESSAGES.search(asked.query, text, wrapping, &token),
        None => MESSAGES.page(asked.query, wrapping, &token),
    };
    match begun {
        Ok(()) => {
            note(to)?;
            Ok(Reply::Later)
        }
        Err(Fault::Missing) => Err(Condition::ItemNotFound.into()),
        Err(Fault::Quota) => Err(Failure::new(Condition::ResourceConstraint).text("too many queries at once")),
        Err(fault) => Err(fault.into()),
    }
}

/// Who asks before it is available catches up here: what is in the archive needs not wait for it elsewhere
/// as well. `xylem.offline` reads the tag.
fn note(client: &str) -> Result<(), Fault> {
    let Some(resource) = Jid::new(client).resource() else { return Ok(()) };
    let is_away = |session: &Session| session.resource == resource && !session.available;
    match sessions::all()?.iter().any(is_away) {
        true => sessions::set_tag(resource, ASKED, true),
        false => Ok(()),
    }
}

/// One result (§4.2).
fn wrapping(to: &str, queryid: Option<&str>) -> Xml {
    let forwarded = Xml::with_ns("forwarded", "urn:xmpp:forward:0")
        .child(Xml::with_ns("delay", "urn:xmpp:delay").attr("stamp", STAMP))
        .raw(STANZA);
    let result = Xml::with_ns("result", NS).attr_opt("queryid", queryid).attr("id", ID).child(forwarded);
    Xml::with_ns("message", "jabber:client").attr("to", to).child(result)
}

/// The page was sent.
pub(crate) fn finish(_cx: &Cx, page: &Page) -> Result<(), Failure> {
    let Some((to, id)) = page.token.get(1..).and_then(|rest| rest.split_once('\n')) else { return Ok(()) };
    let countable = page.token.starts_with('=');
    let answer = match &page.sent {
        Ok(sent) => Xml::iq("result", id).child(fin(sent, countable)),
        Err(Fault::Missing) => Xml::iq("error", id).child(error("cancel", "item-not-found")),
        Err(_) => Xml::iq("error", id).child(error("wait", "internal-server-error")),
    };
    Ok(outbox::send(answer.attr("to", to))?)
}

fn fin(sent: &Sent, countable: bool) -> Xml {
    let set = Xml::with_ns("set", RSM)
        .child_opt(sent.first.as_deref().map(|first| Xml::new("first").text(first)))
        .child_opt(sent.last.as_deref().map(|last| Xml::new("last").text(last)))
        .child_opt(sent.count.filter(|_| countable).map(|count| Xml::new("count").text(&count.to_string())));
    Xml::with_ns("fin", NS).attr_opt("complete", sent.complete.then_some("true")).child(set)
}

fn error(kind: &str, condition: &str) -> Xml {
    Xml::new("error").attr("type", kind).child(Xml::with_ns(condition, STANZAS))
}

/// What can be asked for (§4.1.5).
pub(crate) fn form(_cx: &Cx, _iq: &Stanza) -> Xml {
    let field = |name: &str, kind: &str| Xml::new("field").attr("var", name).attr("type", kind);
    let open = Xml::with_ns("validate", "http://jabber.org/protocol/xdata-validate")
        .attr("datatype", "xs:string")
        .child(Xml::new("open"));
    let form = Xml::with_ns("x", FORM)
        .attr("type", "form")
        .child(field("FORM_TYPE", "hidden").leaf("value", NS))
        .child(field("with", "jid-single"))
        .child(field("start", "text-single"))
        .child(field("end", "text-single"))
        .child(field("before-id", "text-single"))
        .child(field("after-id", "text-single"))
        .child(field("ids", "list-multi").child(open))
        .child(field("include-groupchat", "boolean"))
        .child_opt(Config::load().full_text.then(|| field(FULL_TEXT, "text-single")));
    Xml::with_ns("query", NS).child(form)
}

/// Where the archive begins and ends (§5).
pub(crate) fn metadata(_cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let metadata = Xml::with_ns("metadata", NS);
    let Some((first, last)) = MESSAGES.ends()? else { return Ok(metadata) };
    let end = |name: &str, id: &str, at: u64| Xml::new(name).attr("id", id).attr("timestamp", &utc_ms(at));
    Ok(metadata.child(end("start", &first.id, first.at)).child(end("end", &last.id, last.at)))
}
