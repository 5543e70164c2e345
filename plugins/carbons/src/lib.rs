//! XEP-0280: copies of a conversation for the user's other devices. Sessions that want
//! them carry a tag; the server makes the copies.

mod eligible;
mod lately;

use xylem_sdk::archive::STANZA;
use xylem_sdk::outbox::{Pick, copy_to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

xylem_sdk::plugin!();

const TAG: &str = "carbons";

/// §4; a second time changes nothing (§10.1).
fn enable(cx: &Cx, _iq: &Stanza) -> Result<Reply, Failure> {
    tag(cx, true)
}

/// §5.
fn disable(cx: &Cx, _iq: &Stanza) -> Result<Reply, Failure> {
    tag(cx, false)
}

fn tag(cx: &Cx, on: bool) -> Result<Reply, Failure> {
    let actor = cx.actor().ok_or(Condition::NotAllowed)?;
    let resource = Jid::new(&actor).resource().ok_or(Condition::NotAllowed)?;
    sessions::set_tag(resource, TAG, on)?;
    Ok(Reply::empty())
}

/// §8. What somebody sends to himself comes in again, and is copied then.
fn sent(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if !eligible::sent(message) {
        return Ok(Verdict::Pass);
    }
    lately::note(message)?;
    let account = cx.key();
    if message.to().is_some_and(|to| Jid::new(to).bare() != account) {
        copy("sent", message)?;
    }
    Ok(Verdict::Pass)
}

/// §7.
fn received(_cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if eligible::received(message) {
        copy("received", message)?;
    }
    Ok(Verdict::Pass)
}

/// §6.1: an error goes where the message went that it answers.
fn bounced(_cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if lately::was_sent(message)? {
        copy("received", message)?;
    }
    Ok(Verdict::Pass)
}

/// The sending session knows what it sent.
fn copy(direction: &str, message: &Stanza) -> Result<(), Fault> {
    let account = xylem_sdk::runtime::key();
    let sender = message.from().map(Jid::new).filter(|from| from.bare() == account);
    let pick = Pick::tagged(TAG).except(sender.and_then(Jid::resource));
    copy_to_sessions(&wrapping(direction, message.type_()), pick)
}

/// The type stays the same; a normal message need not say so.
fn wrapping(direction: &str, kind: Option<&str>) -> String {
    Xml::with_ns("message", "jabber:client")
        .attr_opt("type", kind)
        .child(
            Xml::with_ns(direction, "urn:xmpp:carbons:2")
                .child(Xml::with_ns("forwarded", "urn:xmpp:forward:0").raw(STANZA)),
        )
        .build()
}
