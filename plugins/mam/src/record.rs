//! What is archived: messages that say something, once for each account (XEP-0313 §6.1.1). The
//! server does it as the manifest says; here is what it leaves to us.

use xylem_sdk::prelude::*;

use crate::matches::RETRACT;
use crate::stores::MESSAGES;
use crate::{preferences, retention, retraction, stanza_id};

pub(crate) fn sent(cx: &Cx, message: &Stanza) -> Verdict {
    let account = cx.key();
    let to = message.to().unwrap_or(&account);
    kept(archive(cx, message, &account, to, &account));
    Verdict::Pass
}

pub(crate) fn received(cx: &Cx, message: &Stanza) -> Verdict {
    let account = cx.key();
    let from = message.from().unwrap_or(&account);
    kept(archive(cx, message, &account, from, Jid::new(from).bare()));
    Verdict::Pass
}

fn archive(cx: &Cx, message: &Stanza, account: &str, peer: &str, sender: &str) -> Result<(), Fault> {
    if !preferences::want(cx, peer)? {
        return Ok(());
    }
    let before = MESSAGES.count()?;
    let id = MESSAGES.append(peer)?;
    stanza_id::add(message, account, &id)?;
    if cx.matches(RETRACT) {
        retraction::apply(cx, message, peer, sender)?;
    }
    retention::after(cx, before)
}

/// That it cannot be archived is no reason to keep a message from people.
fn kept(done: Result<(), Fault>) {
    if let Err(fault) = done {
        xylem_sdk::runtime::warn(&["not archived: ", fault.as_str()].concat());
    }
}
