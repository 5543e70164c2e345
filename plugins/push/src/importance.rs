//! What a device is woken for.

use xylem_sdk::prelude::*;

use crate::matches;
use crate::waiting::hash;

/// A message that matters.
pub(crate) struct Important<'a> {
    /// Tells it from the others of its sender.
    pub(crate) hash: u64,
    pub(crate) sender: &'a str,
    /// What may be shown of it.
    pub(crate) text: Option<&'a str>,
    /// Something is kept of it for later.
    pub(crate) kept: bool,
}

/// OMEMO of either version.
const ENCRYPTED: [&str; 2] = ["eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2"];

impl<'a> Important<'a> {
    /// None when nobody has to be woken for it: the account's own messages, and keys without a message.
    pub(crate) fn of(cx: &Cx, message: &Stanza<'a>) -> Option<Self> {
        let sender = message.from()?;
        if Jid::new(sender).bare() == cx.key() {
            return None;
        }
        let omemo = || ENCRYPTED.iter().find_map(|ns| message.child(ns, "encrypted"));
        let body = message.child("jabber:client", "body");
        let encrypted = cx.matches(matches::OPENPGP) || cx.matches(matches::OMEMO) || cx.matches(matches::OMEMO_2);
        if let Some(omemo) = omemo()
            && !omemo.children().any(|child| child.name() == "payload")
        {
            return None;
        }
        let text = body.map(|body| body.text()).filter(|text| !encrypted && !text.is_empty());
        let kept = !cx.matches(matches::NO_STORE) && !cx.matches(matches::NO_PERMANENT_STORE);
        let hash = match message.id() {
            Some(id) => hash(&[sender, id]),
            None => hash(&[sender, "", text.unwrap_or_default()]),
        };
        Some(Self { hash, sender, text, kept })
    }
}
