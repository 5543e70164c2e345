//! XEP-0160: messages that nobody was there to take.

mod operations;

use xylem_sdk::prelude::*;
use xylem_sdk::time::utc;

use crate::operations::{purge, show};
use crate::stores::MESSAGES;

xylem_sdk::plugin!();

/// Keeps the message with the time it came (XEP-0203 §4). A full store is no store (XEP-0160 §2).
fn keep(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let most = Config::load().max_messages.unsigned_abs();
    if MESSAGES.count()? >= most {
        return Err(Condition::ServiceUnavailable.into());
    }
    let delay = Xml::with_ns("delay", "urn:xmpp:delay").attr("from", &cx.domain()).attr("stamp", &utc(cx.now()));
    message.insert(delay)?;
    let sender = Jid::new(message.from().unwrap_or_default()).bare();
    match MESSAGES.append(sender) {
        Ok(_) => Ok(Verdict::Stop),
        Err(Fault::Quota) => Err(Condition::ServiceUnavailable.into()),
        Err(fault) => Err(fault.into()),
    }
}

/// Everything goes to the first resource that takes messages (XEP-0160 §2 step 5).
fn hand_over(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    if event.detail.starts_with('-') {
        return Ok(());
    }
    Ok(MESSAGES.deliver(event.subject, true)?)
}
