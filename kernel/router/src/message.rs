//! Messages: out of a session, into an account.

use std::sync::Arc;

use xylem_hooks::{HookPoint, Phase, Plan};
use xylem_session::{Session, Sessions};
use xylem_stanza::{BareJid, Condition, Copies, FullJid, Note, Stanza};

use crate::chain::{Passage, Passed};
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
            Delivery::To(takers) if takers.iter().any(|session| !session.is_hibernated()) => {
                let copies = (takers.len() > 1).then(|| Copies::new(takers.len()));
                // All of them ended in this very moment: as if they had never been there.
                if !self.push_to(plan, &takers, stanza, copies) {
                    let left = self.message_left(plan, account, Condition::ServiceUnavailable, stanza, origin, None);
                    Box::pin(left).await;
                }
            }
            // What is rare is boxed: it would be room in the work of every message.
            delivery => Box::pin(self.hand_out(plan, account, delivery, stanza, (origin, None))).await,
        }
    }

    /// The same with a message that is noted on disk.
    pub(crate) async fn deliver_noted(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        resource: Option<&FullJid>,
        stanza: &Stanza,
        origin: &Origin,
        note: Option<Arc<dyn Note>>,
    ) {
        let sessions = self.sessions.of(account.as_str());
        let delivery = choose(stanza, resource, &sessions);
        self.hand_out(plan, account, delivery, stanza, (origin, note)).await;
    }

    async fn hand_out(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        delivery: Delivery,
        stanza: &Stanza,
        (origin, mut note): (&Origin, Option<Arc<dyn Note>>),
    ) {
        let refused = match delivery {
            Delivery::To(takers) => {
                let copies = Copies::new(takers.len());
                let away = takers.iter().all(|session| session.is_hibernated());
                if away && note.is_none() {
                    match self.note(plan, account, stanza) {
                        Ok(noted) => note = noted,
                        Err(error) => {
                            tracing::error!(%account, %error, "a message that would wait for its client is refused");
                            return self.refuse(stanza, Condition::ResourceConstraint, origin).await;
                        }
                    }
                }
                if let Some(note) = note.as_ref().filter(|_| away) {
                    copies.note(Arc::clone(note));
                }
                if self.push_to(plan, &takers, stanza, Some(copies)) {
                    if !away {
                        strike(note);
                    }
                    return;
                }
                return self.message_left(plan, account, Condition::ServiceUnavailable, stanza, origin, note).await;
            }
            Delivery::Fallback(condition) => {
                return self.message_left(plan, account, condition, stanza, origin, note).await;
            }
            Delivery::Reject(condition) => Some(condition),
            Delivery::Ignore => None,
        };
        if let Some(condition) = refused {
            self.refuse(stanza, condition, origin).await;
        }
        strike(note);
    }

    /// Into the queues; false if nobody takes it.
    fn push_to(&self, plan: &Plan, takers: &Sessions, stanza: &Stanza, copies: Option<Copies>) -> bool {
        let (mut taken, mut alone) = (false, false);
        for session in takers {
            let away = session.is_hibernated();
            let pushed = self.push_copy(session, stanza, copies.clone());
            if !pushed && let Some(copies) = &copies {
                let _ = copies.came_back();
            }
            // It ended or lost its connection in this very moment: what others were not to note
            // because of it they are now.
            alone |= !pushed || !away && session.is_hibernated();
            taken |= pushed;
        }
        if alone {
            for session in takers.iter().filter(|session| session.is_hibernated()) {
                self.note_queued(plan, session);
            }
        }
        taken
    }

    /// Nobody took it: plugins may keep it, else the sender is told.
    async fn message_left(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        condition: Condition,
        stanza: &Stanza,
        origin: &Origin,
        note: Option<Arc<dyn Note>>,
    ) {
        let passage = Passage::new(plan, HookPoint::MessageFallback, account.as_str(), stanza);
        let mut passage = passage.noted(note.as_ref().map(|note| Arc::clone(note.key())));
        match passage.through(Phase::Observe, self, origin, stanza.clone()).await {
            // Whoever did that has struck out the note with it.
            Passed::Stopped => return,
            Passed::Rejected(stanza, failure) => self.bounce(&stanza, &failure, origin).await,
            Passed::On(stanza) => self.refuse(&stanza, condition, origin).await,
        }
        strike(note);
    }
}

fn strike(note: Option<Arc<dyn Note>>) {
    if let Some(note) = note {
        note.strike();
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
