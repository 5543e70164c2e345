//! Directed presence (RFC 6121 §4.6).

use xylem_sdk::groups;
use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::to_group;
use xylem_sdk::prelude::*;

use crate::broadcast::ONLINE;
use crate::views::ROSTER_CONTACTS;

/// Remembers who was told, so that they hear of the end as well. The server delivers the stanza.
pub(crate) fn directed(cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Ok(Verdict::Pass) };
    if Jid::new(to).bare() == cx.key() {
        return Ok(Verdict::Pass);
    }
    let group = group(from);
    if stanza.is("unavailable") {
        groups::remove(&group, to)?;
    } else if !hears_anyway(from, to)? {
        groups::put(&group, to)?;
    }
    Ok(Verdict::Pass)
}

/// Takes all of it back: the current stanza goes to everybody who was told.
pub(crate) fn withdraw(from: &str) -> Result<(), Fault> {
    let group = group(from);
    to_group(None, None, &group, &[])?;
    groups::clear(&group)
}

/// Whoever saw the broadcast of an available resource sees its end too.
fn hears_anyway(from: &str, to: &str) -> Result<bool, Fault> {
    Ok(subscribed(Jid::new(to).bare())? && groups::has(ONLINE, from)?)
}

/// Whether the contact gets the account's presence: bit 2 of the row's first byte.
pub(crate) fn subscribed(contact: &str) -> Result<bool, Fault> {
    let row = ROSTER_CONTACTS.get(contact)?;
    Ok(row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & 2 != 0))
}

fn group(from: &str) -> String {
    let mut name = String::from("directed/");
    name.push_str(Jid::new(from).resource().unwrap_or_default());
    name
}
