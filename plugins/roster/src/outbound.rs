//! Subscription stanzas of the user (RFC 6121 §3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2).

use xylem_sdk::outbox::{forward, presence_to, send};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::contact::Contact;
use crate::push::push;
use crate::state::{self, Change, Flags};

/// Changes the contact and sends the stanza on, from bare address to bare address.
pub(crate) fn outbound(cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let (Some(change), Some(to)) = (Change::of(stanza.type_()), stanza.to()) else {
        return Err(Condition::BadRequest.into());
    };
    let (own, peer) = (cx.key(), Jid::new(to).bare());
    if peer == own {
        return Ok(Verdict::Stop);
    }
    let mut contact = Contact::load(peer)?;
    let before = contact.flags;
    let step = state::outbound(before, change);
    contact.flags = step.flags;
    if !step.flags.has(Flags::PENDING) {
        contact.request = None;
    }
    if step.flags != before {
        contact.save()?;
    }
    if before.has(Flags::FROM) && !step.flags.has(Flags::FROM) {
        withdraw_presence(peer)?;
    }
    if step.passes {
        forward(Some(&own), Some(peer))?;
    }
    if step.flags.without(Flags::PENDING) != before.without(Flags::PENDING) {
        push(&contact)?;
    }
    if !before.has(Flags::FROM) && step.flags.has(Flags::FROM) {
        presence_to(peer)?;
    }
    Ok(Verdict::Stop)
}

/// A presence of this type from the account itself.
pub(crate) fn say(kind: &str, to: &str) -> Xml {
    Xml::presence(Some(kind)).attr("to", to)
}

/// The contact sees every available resource go (§3.2.2, §3.3.3).
pub(crate) fn withdraw_presence(peer: &str) -> Result<(), Fault> {
    let own = xylem_sdk::runtime::key();
    for session in sessions::all()?.into_iter().filter(|session| session.available) {
        let mut from = own.clone();
        from.push('/');
        from.push_str(&session.resource);
        send(say("unavailable", peer).attr("from", &from))?;
    }
    Ok(())
}
