//! XEP-0054: vcard-temp. The store `card` has one row, `vcard`, with the element as it was sent.

mod operations;

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::operations::{clear, show};
use crate::stores::CARD;

xylem_sdk::plugin!();

const ROW: &str = "vcard";

/// Everybody may see a card (§3.3); that there is none looks to others like no account at all.
fn get(cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    match CARD.text(ROW)? {
        Some(card) => Ok(Xml::from_text(card)),
        None if own(cx, iq) => Err(Condition::ItemNotFound.into()),
        None => Err(Condition::ServiceUnavailable.into()),
    }
}

/// Replaces the whole card (§3.2).
fn set(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    if !own(cx, iq) {
        return Err(Condition::Forbidden.into());
    }
    let card = iq.payload().and_then(|card| card.xml()).ok_or(Condition::BadRequest)?;
    if card.len() as u64 > Config::load().max_size {
        return Err(Failure::new(Condition::PolicyViolation).text("the card is too big"));
    }
    CARD.put(ROW, card.as_bytes(), &[])?;
    Ok(Reply::empty())
}

fn own(cx: &Cx, iq: &Stanza) -> bool {
    Jid::new(iq.from().unwrap_or_default()).bare() == cx.key()
}
