//! The list (§3.1): the conversation with the latest message first.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox;
use xylem_sdk::prelude::*;
use xylem_sdk::time::utc_ms;

use crate::Config;
use crate::conversation::Conversation;
use crate::stores::CONVERSATIONS;
use crate::views::MAM_MESSAGES;

const NS: &str = "urn:xmpp:inbox:1";
const RSM: &str = "http://jabber.org/protocol/rsm";

pub(crate) fn inbox(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let (Some(to), Some(id)) = (iq.from(), iq.id()) else { return Err(Condition::BadRequest.into()) };
    let mut all: Vec<(String, Conversation)> = CONVERSATIONS.all()?.into_iter().map(conversation).collect();
    let total = all.len();
    let new = all.iter().filter(|(_, conversation)| conversation.unread > 0).count();
    let messages: usize = all.iter().map(|(_, conversation)| conversation.unread).sum();
    if is_true(query.attr("unread-only"), false)? {
        all.retain(|(_, conversation)| conversation.unread > 0);
    }
    // Names of messages grow with time.
    all.sort_by(|(_, a), (_, b)| b.last.cmp(&a.last));
    let page = page(&all, query.child(RSM, "set"))?;
    let with_message = is_true(query.attr("messages"), true)?;
    for (peer, conversation) in page {
        outbox::send(entry(peer, conversation, with_message.then_some(id))?.attr("to", to))?;
    }
    let set = Xml::with_ns("set", RSM)
        .child_opt(page.first().map(|(first, _)| Xml::new("first").text(first)))
        .child_opt(page.last().map(|(last, _)| Xml::new("last").text(last)))
        .child(Xml::new("count").text(&all.len().to_string()));
    let fin = Xml::with_ns("fin", NS)
        .attr("total", &total.to_string())
        .attr("unread", &new.to_string())
        .attr("all-unread", &messages.to_string())
        .child(set);
    outbox::send(Xml::iq("result", id).attr("to", to).child(fin))?;
    Ok(Reply::Later)
}

fn conversation(row: xylem_sdk::kv::Row) -> (String, Conversation) {
    (row.key, Conversation::parse(&String::from_utf8_lossy(&row.value)))
}

/// XEP-0059 over the addresses.
fn page<'a>(
    all: &'a [(String, Conversation)],
    set: Option<xylem_sdk::Element>,
) -> Result<&'a [(String, Conversation)], Failure> {
    let config = Config::load();
    let most = usize::try_from(config.max_page).unwrap_or(1);
    let mut max = usize::try_from(config.page).unwrap_or(1).min(most);
    let Some(set) = set else { return Ok(all.get(..max.min(all.len())).unwrap_or_default()) };
    let text = |name: &str| set.child(RSM, name).map(|child| child.text().trim());
    if let Some(wanted) = text("max") {
        max = wanted.parse::<usize>().map_err(|_| Condition::BadRequest)?.min(most);
    }
    let place = |peer: &str| all.iter().position(|(known, _)| known == peer).ok_or(Condition::ItemNotFound);
    let (from, to) = match (text("after"), text("before")) {
        (Some(after), _) if !after.is_empty() => {
            let from = place(after)? + 1;
            (from, from.saturating_add(max))
        }
        (_, Some("")) => (all.len().saturating_sub(max), all.len()),
        (_, Some(before)) => {
            let to = place(before)?;
            (to.saturating_sub(max), to)
        }
        _ => (0, max),
    };
    Ok(all.get(from..to.min(all.len())).unwrap_or_default())
}

fn entry(peer: &str, conversation: &Conversation, queryid: Option<&str>) -> Result<Xml, Failure> {
    let entry = Xml::with_ns("entry", NS)
        .attr("unread", &conversation.unread.to_string())
        .attr("jid", peer)
        .attr("id", &conversation.last);
    let message = Xml::with_ns("message", "jabber:client").child(entry);
    let Some(queryid) = queryid else { return Ok(message) };
    let Some(row) = MAM_MESSAGES.archived(&conversation.last)? else { return Ok(message) };
    let forwarded = Xml::with_ns("forwarded", "urn:xmpp:forward:0")
        .child(Xml::with_ns("delay", "urn:xmpp:delay").attr("stamp", &utc_ms(row.at)))
        .raw(&row.stanza);
    let result = Xml::with_ns("result", "urn:xmpp:mam:2").attr("queryid", queryid).attr("id", &row.id);
    Ok(message.child(result.child(forwarded)))
}

fn is_true(value: Option<&str>, default: bool) -> Result<bool, Failure> {
    match value {
        None => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(Condition::BadRequest.into()),
    }
}
