//! Presence: the session's own is remembered here, because delivery depends on
//! it; telling others is a plugin's business.

use std::sync::Arc;

use xylem_hooks::{EventPoint, HookPoint, Phase, Plan};
use xylem_session::{Presence, Session};
use xylem_stanza::{BareJid, Condition, FullJid, Stanza, Type, ns};

use crate::chain::{Passage, Passed};
use crate::router::{Origin, Parts};

impl Parts {
    /// A presence of a session, with or without `to`.
    pub(crate) async fn presence_of(self: &Arc<Self>, plan: &Plan, session: &Arc<Session>, stanza: Stanza) {
        let origin = Origin::of(session);
        if stanza.to().is_some() {
            return self.presence_out(plan, session, stanza, &origin).await;
        }
        let before = session.presence();
        match stanza.type_() {
            Type::Available => match priority(&stanza) {
                Some(priority) => drop(session.set_available(stanza.clone(), priority)),
                None => return self.refuse(&stanza, Condition::BadRequest, &origin).await,
            },
            Type::Unavailable => drop(session.set_unavailable()),
            // Everything else needs an addressee (RFC 6121 §4.7.1).
            Type::Error => return,
            _ => return self.refuse(&stanza, Condition::BadRequest, &origin).await,
        }
        self.presence_out(plan, session, stanza, &origin).await;
        self.presence_changed(plan, session, before);
    }

    /// Through the sender's chain, and on if it is addressed.
    pub(crate) async fn presence_out(
        self: &Arc<Self>,
        plan: &Plan,
        session: &Arc<Session>,
        stanza: Stanza,
        origin: &Origin,
    ) {
        let account = session.jid().bare();
        let mut passage = Passage::new(plan, HookPoint::PresenceOut, account.as_str(), &stanza);
        let Some(stanza) = passage.past(Phase::Default, self, origin, stanza).await else { return };
        if stanza.to().is_some() {
            self.send_on(stanza.clone(), origin).await;
        }
        passage.through(Phase::Observe, self, origin, stanza).await;
    }

    /// Tells plugins what a change of presence means for the session.
    pub(crate) fn presence_changed(&self, plan: &Plan, session: &Session, before: Presence) {
        let now = session.presence();
        let willing = |presence: Presence| presence.available && presence.priority >= 0;
        if now.available && (!before.available || !willing(before) && willing(now)) {
            self.tell(plan, session, EventPoint::SessionAvailable, &now.priority.to_string());
        } else if before.available && !now.available {
            self.tell(plan, session, EventPoint::SessionUnavailable, "");
        }
    }

    /// A presence to an account. What the chain lets pass goes to all available resources
    /// (RFC 6121 §8.5.2.1.2), or to the one that is addressed.
    pub(crate) async fn presence_in(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        resource: Option<&FullJid>,
        stanza: Stanza,
        origin: &Origin,
    ) {
        let mut passage = Passage::new(plan, HookPoint::PresenceIn, account.as_str(), &stanza);
        // Nobody is told that a presence did not arrive (RFC 6121 §8.5).
        let Passed::On(stanza) = passage.through(Phase::Default, self, origin, stanza).await else { return };
        match (stanza.type_(), resource) {
            // Probes are for servers (RFC 6121 §4.3.2).
            (Type::Probe, _) => {}
            (Type::Available | Type::Unavailable | Type::Error, Some(resource)) => {
                if let Some(session) = self.sessions.find(resource) {
                    self.push(&session, &stanza);
                }
            }
            _ => {
                for session in self.sessions.available(account.as_str()) {
                    self.push(&session, &stanza);
                }
            }
        }
        passage.through(Phase::Observe, self, origin, stanza).await;
    }
}

/// The `<priority/>` of a presence, -128 to 127; 0 without one (RFC 6121 §4.7.2.3).
fn priority(stanza: &Stanza) -> Option<i8> {
    match stanza.child(ns::CLIENT, "priority") {
        Some(element) => element.text().trim().parse().ok(),
        None => Some(0),
    }
}
