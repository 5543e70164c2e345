//! Subscription stanzas that arrive for the user (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3).

use xylem_sdk::outbox::{Pick, presence_to, send, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::contact::Contact;
use crate::outbound::{say, withdraw_presence};
use crate::pending;
use crate::push::{INTERESTED, push};
use crate::state::{self, Change, Flags, Step};

/// Changes the contact, hands the stanza to those resources that should see it, answers where
/// the answer is known. It is dealt with either way.
pub(crate) fn inbound(cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let (Some(change), Some(from)) = (Change::of(stanza.type_()), stanza.from()) else {
        return Ok(Verdict::Stop);
    };
    let peer = Jid::new(from).bare();
    if peer == cx.key() {
        return Ok(Verdict::Stop);
    }
    let mut contact = Contact::load(peer)?;
    let before = contact.flags;
    let step = state::inbound(before, change);
    let asks = change == Change::Subscribe && step.passes;
    if asks && pending::full()? {
        return Ok(Verdict::Stop);
    }
    contact.flags = step.flags;
    contact.request = match change {
        Change::Subscribe if asks => pending::keep(peer, stanza),
        _ if step.flags.has(Flags::PENDING) => contact.request,
        _ => None,
    };
    if step.flags != before {
        contact.save()?;
    }
    hand_over(change, step)?;
    if step.flags.without(Flags::PENDING) != before.without(Flags::PENDING) && step.flags.has(Flags::LISTED) {
        push(&contact)?;
    }
    answer(change, before, step, peer)?;
    Ok(Verdict::Stop)
}

/// Requests are for whoever is there; the rest is also for those that know the list (§3.1.6).
fn hand_over(change: Change, step: Step) -> Result<(), Fault> {
    if !step.passes {
        return Ok(());
    }
    if change == Change::Subscribe {
        return to_sessions(None, Pick::available());
    }
    for session in sessions::all()? {
        if session.available || session.tags.iter().any(|tag| tag == INTERESTED) {
            to_sessions(None, Pick::only(&session.resource))?;
        }
    }
    Ok(())
}

fn answer(change: Change, before: Flags, step: Step, peer: &str) -> Result<(), Fault> {
    match change {
        // Approved already, or in advance: the other side only has to learn it.
        Change::Subscribe if step.flags.has(Flags::FROM) => {
            send(say("subscribed", peer))?;
            presence_to(peer)
        }
        Change::Unsubscribe if before.has(Flags::FROM) => withdraw_presence(peer),
        _ => Ok(()),
    }
}
