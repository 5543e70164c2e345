//! XEP-0430: the conversations of an account, with what is new in them. The last message
//! of each is in the archive, which this plugin may read.

mod conversation;
mod list;

use conversation::{Conversation, peer};
use list::inbox;
use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

const SID: &str = "urn:xmpp:sid:0";
const MARKERS: &str = "urn:xmpp:chat-markers:0";

/// A message that came is unread (§4), unless it came from oneself.
fn arrived(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let account = cx.key();
    if let (Some(id), Some(from)) = (archived(message, &account), message.from()) {
        let own = Jid::new(from).bare() == account;
        let peer = peer(message, from);
        if !own && cx.matches(matches::CORRECTION) {
            corrected(peer, id)?;
        } else {
            note(peer, id, if own { None } else { message.id().or(Some("")) })?;
        }
    }
    Ok(Verdict::Pass)
}

/// A correction (XEP-0308) is the last that was said, but nothing new.
fn corrected(peer: &str, id: &str) -> Result<(), Fault> {
    let Some(mut conversation) = Conversation::load(peer)? else { return Ok(()) };
    id.clone_into(&mut conversation.last);
    conversation.save(peer)
}

/// Who answers has read what came before (§4).
fn answered(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if let (Some(id), Some(to)) = (archived(message, &cx.key()), message.to()) {
        note(peer(message, to), id, None)?;
    }
    Ok(Verdict::Pass)
}

/// A marker of the account itself (XEP-0333 §3).
fn seen(_cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let marker = ["displayed", "acknowledged"].iter().find_map(|name| message.child(MARKERS, name));
    let (Some(id), Some(to)) = (marker.and_then(|marker| marker.attr("id")), message.to()) else {
        return Ok(Verdict::Pass);
    };
    let to = peer(message, to);
    if let Some(mut conversation) = Conversation::load(to)?
        && conversation.see(id)
    {
        conversation.save(to)?;
    }
    Ok(Verdict::Pass)
}

/// `unread`: the message's own id, when it is new.
fn note(peer: &str, id: &str, unread: Option<&str>) -> Result<(), Fault> {
    let mut conversation = Conversation::load(peer)?.unwrap_or_default();
    conversation.last = id.to_owned();
    match unread {
        Some(id) => conversation.add(id),
        None => conversation.see_all(),
    }
    match conversation.save(peer) {
        // So many people: the messages are in the archive all the same.
        Err(Fault::Quota) => Ok(()),
        done => done,
    }
}

/// The name that the account's archive gave the message.
fn archived<'a>(message: &Stanza<'a>, account: &str) -> Option<&'a str> {
    let ids = message.root().children().filter(|child| child.is(SID, "stanza-id"));
    ids.filter(|id| id.attr("by") == Some(account)).find_map(|id| id.attr("id"))
}
