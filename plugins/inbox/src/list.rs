//! The list (§3.1): the conversation with the latest message first.

use std::collections::BTreeMap;

use xylem_sdk::archive::{Mark, Newest, OWN};
use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::time::utc_ms;

use crate::Config;
use crate::conversation::{Conversation, OCCUPANT, SAYS};
use crate::stores::SEEN;
use crate::views::MAM_MESSAGES;

const NS: &str = "urn:xmpp:inbox:1";
const RSM: &str = "http://jabber.org/protocol/rsm";
/// How far back to look for unread messages of one conversation, and for conversations.
const UNREAD: u32 = 1000;
const MOST: u32 = 10_000;

/// A conversation and whom it is with.
type Listed = (String, Conversation);

pub(crate) fn inbox(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let (Some(from), Some(id)) = (iq.from(), iq.id()) else { return Err(Condition::BadRequest.into()) };
    let resource = Jid::new(from).resource().ok_or(Condition::BadRequest)?;
    let mut all: Vec<Listed> = conversations()?;
    let total = all.len();
    let new = all.iter().filter(|(_, conversation)| conversation.unread > 0).count();
    let messages: usize = all.iter().map(|(_, conversation)| conversation.unread).sum();
    if is_true(query.attr("unread-only"), false)? {
        all.retain(|(_, conversation)| conversation.unread > 0);
    }
    // Names of messages grow with time.
    all.sort_by(|(_, a), (_, b)| b.last.cmp(&a.last));
    let (index, page) = page(&all, query.child(RSM, "set"))?;
    let with_message = is_true(query.attr("messages"), true)?;
    for (peer, conversation) in page {
        // Who asked may be gone: then it is nobody's message, and does not wait for anybody.
        to_sessions(Some(entry(peer, conversation, with_message.then_some(id))?), Pick::only(resource))?;
    }
    let first = |(_, first): &(_, Conversation)| Xml::new("first").attr("index", &index.to_string()).text(&first.last);
    let set = Xml::with_ns("set", RSM)
        .child_opt(page.first().map(first))
        .child_opt(page.last().map(|(_, last)| Xml::new("last").text(&last.last)))
        .child(Xml::new("count").text(&all.len().to_string()));
    let fin = Xml::with_ns("fin", NS)
        .attr("total", &total.to_string())
        .attr("unread", &new.to_string())
        .attr("all-unread", &messages.to_string())
        .child(set);
    to_sessions(Some(Xml::iq("result", id).child(fin)), Pick::only(resource))?;
    Ok(Reply::Later)
}

/// Looks back in each conversation to the account's last word in it.
fn conversations() -> Result<Vec<Listed>, Fault> {
    let said = SAYS | OWN;
    let peers = MAM_MESSAGES.peers(Newest { looked_at: said | OCCUPANT, last: said, rows: UNREAD, peers: MOST })?;
    let seen: BTreeMap<String, String> =
        SEEN.all()?.into_iter().map(|row| (row.key, String::from_utf8_lossy(&row.value).into_owned())).collect();
    let mut listed = Vec::with_capacity(peers.len());
    let mut list = |peer: String, rows: &[&Mark]| {
        let conversation = Conversation::of(rows.iter().copied(), seen.get(&peer).map(String::as_str));
        listed.extend(conversation.map(|conversation| (peer, conversation)));
    };
    for peer in &peers {
        let (occupants, plain): (Vec<&Mark>, Vec<&Mark>) = peer.rows.iter().partition(|row| row.marks & OCCUPANT != 0);
        list(peer.address.clone(), &plain);
        let mut by_name: BTreeMap<&str, Vec<&Mark>> = BTreeMap::new();
        for row in occupants {
            by_name.entry(&row.part).or_default().push(row);
        }
        for (name, rows) in by_name {
            list([&peer.address, "/", name].concat(), &rows);
        }
    }
    Ok(listed)
}

/// XEP-0059 over the names of the last messages: a conversation that moves to the top while somebody turns pages
/// leaves its place behind, so that no other is left out or comes twice. Says where the page begins.
fn page<'a>(all: &'a [Listed], set: Option<xylem_sdk::Element>) -> Result<(usize, &'a [Listed]), Failure> {
    let config = Config::load();
    let most = usize::try_from(config.max_page).unwrap_or(1);
    let mut max = usize::try_from(config.page).unwrap_or(1).min(most);
    let text = |name: &str| set.and_then(|set| set.child(RSM, name)).map(|child| child.text().trim());
    if text("index").is_some() {
        return Err(Failure::new(Condition::FeatureNotImplemented).text("there are no pages by index"));
    }
    if let Some(wanted) = text("max") {
        max = wanted.parse::<usize>().map_err(|_| Condition::BadRequest)?.min(most);
    }
    let (from, to) = match (text("after"), text("before")) {
        (Some(after), _) if !after.is_empty() => {
            let after = name(after)?;
            let from = all.partition_point(|(_, conversation)| *conversation.last >= *after);
            (from, from.saturating_add(max))
        }
        (_, Some("")) => (all.len().saturating_sub(max), all.len()),
        (_, Some(before)) => {
            let before = name(before)?;
            let to = all.partition_point(|(_, conversation)| *conversation.last > *before);
            (to.saturating_sub(max), to)
        }
        _ => (0, max),
    };
    Ok((from, all.get(from..to.min(all.len())).unwrap_or_default()))
}

/// What may be a message's name in the archive.
fn name(text: &str) -> Result<&str, Failure> {
    let is_name = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name { Ok(text) } else { Err(Condition::ItemNotFound.into()) }
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
