//! Copies of a stanza for the other sessions of an account.

use std::sync::Arc;

use xylem_hooks::Pick;
use xylem_hooks::page::Template;
use xylem_session::{Session, Sessions};
use xylem_stanza::{BareJid, Stanza};

use crate::delivery::Delivery;
use crate::message::choose;
use crate::router::Parts;

impl Parts {
    /// Wraps the stanza for each picked session that it is not delivered to anyway. Nothing
    /// is written before it is known that somebody gets it.
    pub(crate) fn copy_to_sessions(&self, account: &BareJid, stanza: &Stanza, wrapping: &Template, pick: &Pick) {
        let sessions = self.sessions.of(account.as_str());
        let picked = self.picked(&sessions, pick);
        if picked.is_empty() {
            return;
        }
        let takers = takers(account, stanza, &sessions);
        let mut copy: Option<Stanza> = None;
        for session in picked.iter().filter(|session| !holds(&takers, session)) {
            let wrapped = match &copy {
                Some(copy) => copy,
                None => match wrapped(account, stanza, wrapping) {
                    Some(made) => copy.insert(made),
                    None => return,
                },
            };
            self.push_kept(session, &wrapped.with_to(session.jid()));
        }
    }
}

fn wrapped(account: &BareJid, stanza: &Stanza, wrapping: &Template) -> Option<Stanza> {
    let mut xml = String::new();
    wrapping.write("", "", &stanza.to_xml_string(), &mut xml);
    match Stanza::parse(&xml) {
        Ok(wrapped) => Some(wrapped.with_from(account)),
        Err(error) => {
            tracing::warn!(%account, %error, "a stanza does not fit into its wrapping");
            None
        }
    }
}

/// Who gets the stanza itself.
fn takers(account: &BareJid, stanza: &Stanza, sessions: &Sessions) -> Sessions {
    let Some(to) = stanza.to().filter(|to| to.bare_str() == account.as_str()) else { return Sessions::new() };
    match choose(stanza, to.full().as_ref(), sessions) {
        Delivery::To(takers) => takers,
        _ => Sessions::new(),
    }
}

fn holds(sessions: &Sessions, wanted: &Arc<Session>) -> bool {
    sessions.iter().any(|session| Arc::ptr_eq(session, wanted))
}
