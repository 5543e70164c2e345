//! The list and its changes (§3.2 to §3.5).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{Pick, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::{runtime, sessions};

use crate::stores::LIST;
use crate::{NS, presence};

/// The tag of sessions that asked for the list.
const INTERESTED: &str = "interested";

pub(crate) fn blocklist(_cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    if let Some(resource) = iq.from().and_then(|from| Jid::new(from).resource()) {
        sessions::set_tag(resource, INTERESTED, true)?;
    }
    let rows = LIST.all()?;
    Ok(Xml::with_ns("blocklist", NS).children(rows.iter().map(|row| item(&row.key))))
}

pub(crate) fn block(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let jids = items(iq)?;
    if jids.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let own = cx.key();
    // One's own resources always hear each other (§5).
    if jids.iter().any(|jid| Jid::new(jid).bare() == own) {
        return Err(Failure::new(Condition::NotAllowed).text("an account cannot block itself"));
    }
    for jid in &jids {
        if LIST.get(jid)?.is_none() {
            presence::hide(&own, jid)?;
            LIST.put(jid, &[], &[])?;
        }
    }
    push("block", &jids)?;
    Ok(Reply::empty())
}

/// Without items: all of them.
pub(crate) fn unblock(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let named = items(iq)?;
    let jids = if named.is_empty() { LIST.all()?.into_iter().map(|row| row.key).collect() } else { named.clone() };
    for jid in &jids {
        LIST.delete(jid)?;
    }
    for jid in &jids {
        presence::show(jid)?;
    }
    push("unblock", &named)?;
    Ok(Reply::empty())
}

/// The addresses of the request in their canonical form.
fn items(iq: &Stanza) -> Result<Vec<String>, Failure> {
    let Some(request) = iq.payload() else { return Err(Condition::BadRequest.into()) };
    request
        .children()
        .filter(|child| child.is(NS, "item"))
        .map(|item| item.attr("jid").and_then(Jid::normalise).ok_or_else(|| Condition::JidMalformed.into()))
        .collect()
}

fn item(jid: &str) -> Xml {
    Xml::new("item").attr("jid", jid)
}

/// Tells the resources that have the list.
fn push(name: &str, jids: &[String]) -> Result<(), Fault> {
    let change = Xml::with_ns(name, NS).children(jids.iter().map(|jid| item(jid)));
    to_sessions(Some(Xml::iq("set", &runtime::random_id()).child(change)), Pick::tagged(INTERESTED))
}
