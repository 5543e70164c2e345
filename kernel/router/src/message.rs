//! Messages: out of a session, into an account.

use std::sync::Arc;

use xylem_hooks::{HookPoint, Phase, Plan};
use xylem_session::{Session, Sessions};
use xylem_stanza::{BareJid, Condition, Copies, FullJid, Stanza};

use crate::chain::Passage;
use crate::delivery::{self, Delivery};
use crate::router::{Origin, Parts};

impl Parts {
    /// A message of a session. Without `to` it is for the sender's own account (RFC 6120 §10.3.1).
    pub(crate) async fn message_of(self: &Arc<Self>, plan: &Plan, session: &Arc<Session>, stanza: Stanza) {
        let origin = Origin::of(session);
        let account = session.jid().bare();
        let stanza = if stanza.to().is_none() { stanza.with_to(&account) } else { stanza };
        let mut passage = Passage::new(plan, HookPoint::MessageOut, account.as_str(), &stanza);
        let Some(stanza) = passage.past(Phase::Default, self, &origin, stanza).await else { return };
        self.send_on(stanza.clone(), &origin).await;
        passage.through(Phase::Observe, self, &origin, stanza).await;
    }

    /// A message to a bare JID or to a resource of an account that exists.
    pub(crate) async fn message_in(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        resource: Option<&FullJid>,
        stanza: Stanza,
        origin: &Origin,
    ) {
        let mut passage = Passage::new(plan, HookPoint::MessageIn, account.as_str(), &stanza);
        let Some(stanza) = passage.past(Phase::Default, self, origin, stanza).await else { return };
        self.deliver_message(plan, account, resource, &stanza, origin).await;
        passage.through(Phase::Observe, self, origin, stanza).await;
    }

    pub(crate) async fn deliver_message(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        resource: Option<&FullJid>,
        stanza: &Stanza,
        origin: &Origin,
    ) {
        let sessions = self.sessions.of(account.as_str());
        match choose(stanza, resource, &sessions) {
            Delivery::To(takers) => {
                let copies = (takers.len() > 1).then(|| Copies::new(takers.len()));
                let mut taken = false;
                for session in &takers {
                    let pushed = self.push_copy(session, stanza, copies.clone());
                    if !pushed && let Some(copies) = &copies {
                        let _ = copies.came_back();
                    }
                    taken |= pushed;
                }
                // All of them ended in this very moment: as if they had never been there.
                if !taken {
                    let left = self.message_left(plan, account, Condition::ServiceUnavailable, stanza, origin);
                    Box::pin(left).await;
                }
            }
            // What is rare is boxed: it would be room in the work of every message.
            Delivery::Fallback(condition) => {
                Box::pin(self.message_left(plan, account, condition, stanza, origin)).await;
            }
            Delivery::Reject(condition) => Box::pin(self.refuse(stanza, condition, origin)).await,
            Delivery::Ignore => {}
        }
    }

    /// Nobody took it: plugins may keep it, else the sender is told.
    async fn message_left(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        condition: Condition,
        stanza: &Stanza,
        origin: &Origin,
    ) {
        let mut passage = Passage::new(plan, HookPoint::MessageFallback, account.as_str(), stanza);
        let Some(stanza) = passage.past(Phase::Observe, self, origin, stanza.clone()).await else { return };
        self.refuse(&stanza, condition, origin).await;
    }
}

pub(crate) fn choose(stanza: &Stanza, resource: Option<&FullJid>, sessions: &Sessions) -> Delivery {
    let kind = stanza.type_();
    let Some(wanted) = resource else { return delivery::to_bare(kind, sessions) };
    match sessions.iter().find(|session| session.jid() == wanted) {
        Some(session) => Delivery::To(std::iter::once(Arc::clone(session)).collect()),
        None => delivery::to_missing_resource(kind, sessions),
    }
}
