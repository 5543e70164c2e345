//! XEP-0012: last activity.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::{groups, runtime, sessions};

use crate::stores::SEEN;
use crate::views::ROSTER_CONTACTS;

xylem_sdk::plugin!();

const NS: &str = "jabber:iq:last";

/// The only row: milliseconds since 1970, a space, the status the user left with.
const ROW: &str = "last";

/// The group of available resources.
const ONLINE: &str = "online";

/// Longest status that is kept, in bytes.
const STATUS: usize = 1024;

fn uptime(_cx: &Cx, _iq: &Stanza) -> Xml {
    answer(runtime::server().uptime)
}

/// 0 while anybody is connected, else the time since the last one left (§3).
fn last_seen(cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    authorise(cx, iq)?;
    if !sessions::all()?.is_empty() {
        return Ok(answer(0));
    }
    let row = SEEN.text(ROW)?.unwrap_or_default();
    let (time, status) = row.split_once(' ').unwrap_or((&row, ""));
    // Never seen: there is no time to tell.
    let time: u64 = time.parse().map_err(|_| Failure::from(Condition::ItemNotFound))?;
    Ok(answer(cx.now().saturating_sub(time)).text(status))
}

/// For administrators.
fn show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let row = SEEN.text(ROW)?.unwrap_or_default();
    let (time, status) = row.split_once(' ').unwrap_or((&row, ""));
    let seen = time.parse::<u64>().ok().map(|time| time / 1000);
    let status = Some(status).filter(|status| !status.is_empty()).map(Json::from);
    let online = !sessions::all()?.is_empty();
    Ok(Json::object().with("online", online).with("seen", seen).with("status", status))
}

fn guard(cx: &Cx, iq: &Stanza) -> Result<Verdict, Failure> {
    authorise(cx, iq)?;
    Ok(Verdict::Pass)
}

/// A resource that comes, to tell its leaving from the end of a connection that had left before.
fn coming(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    Ok(groups::put(ONLINE, event.subject)?)
}

/// Remembers the time and the status of the resource that leaves.
fn leaving(cx: &Cx, presence: &Stanza) -> Result<Verdict, Failure> {
    if !groups::remove(ONLINE, presence.from().unwrap_or_default())? {
        return Ok(Verdict::Pass);
    }
    let mut row = cx.now().to_string();
    row.push(' ');
    let status = presence.child("jabber:client", "status").map(|status| status.text());
    row.push_str(status.filter(|text| text.len() <= STATUS).unwrap_or_default());
    SEEN.put(ROW, row.as_bytes(), &[])?;
    Ok(Verdict::Pass)
}

fn answer(milliseconds: u64) -> Xml {
    Xml::with_ns("query", NS).attr("seconds", &(milliseconds / 1000).to_string())
}

/// Only the account itself and contacts that get its presence may know (§8): bit 2 of
/// the row's first byte.
fn authorise(cx: &Cx, iq: &Stanza) -> Result<(), Failure> {
    let asker = Jid::new(iq.from().unwrap_or_default()).bare();
    if asker == cx.key() {
        return Ok(());
    }
    let row = ROSTER_CONTACTS.get(asker)?;
    let subscribed = row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & 2 != 0);
    if subscribed { Ok(()) } else { Err(Condition::Forbidden.into()) }
}
