//! Answers on behalf of accounts. Who may not see the account's presence learns
//! nothing, not even whether it exists (XEP-0030 §8).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::info::{ITEMS, Identity, Info};
use crate::server::node;
use crate::views;

pub(crate) fn account_info(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    if !trusted(cx, iq)? {
        return Err(Condition::ServiceUnavailable.into());
    }
    if node(iq).is_some() {
        return Err(Condition::ItemNotFound.into());
    }
    let own = Identity::new("account", "registered", "");
    Ok(Reply::with(Info::collect(own, "disco.identity.account", "disco.account")?.to_xml(None)))
}

/// Resources are not listed: those who may know them have seen their presence.
pub(crate) fn account_items(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    if node(iq).is_some() && trusted(cx, iq)? {
        return Err(Condition::ItemNotFound.into());
    }
    Ok(Reply::with(Xml::with_ns("query", ITEMS)))
}

/// The account itself, and contacts that get its presence: bit 2 of the row's first byte.
fn trusted(cx: &Cx, iq: &Stanza) -> Result<bool, Fault> {
    let sender = Jid::new(iq.from().unwrap_or_default()).bare();
    if sender == cx.key() {
        return Ok(true);
    }
    let row = views::ROSTER_CONTACTS.get(sender)?;
    Ok(row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & 2 != 0))
}
