//! Error answers. Errors are never answered with errors (RFC 6120 §8.3.1), and
//! presence that cannot be delivered is dropped in silence (RFC 6121 §8.5).

use std::sync::Arc;

use xylem_hooks::Failure;
use xylem_stanza::{Condition, Kind, Stanza};

use crate::router::{Origin, Parts};

impl Parts {
    /// Answers with this condition, where an answer is due.
    pub(crate) async fn refuse(self: &Arc<Self>, stanza: &Stanza, condition: Condition, origin: &Origin) {
        let Some(reply) = stanza.error_reply(condition, None) else { return };
        self.counters.bounced();
        if reply.kind() == Kind::Message {
            // As the message went its way, so does what became of it: a conversation may be on several devices.
            let origin = Origin { hops: origin.hops.saturating_add(1), ..origin.clone() };
            return self.route(reply, origin).await;
        }
        self.answer(reply, origin).await;
    }

    /// Answers with what a plugin said, where an answer is due.
    pub(crate) async fn bounce(self: &Arc<Self>, stanza: &Stanza, failure: &Failure, origin: &Origin) {
        let mut reply = stanza.error(failure.condition);
        if let Some(kind) = failure.kind {
            reply = reply.type_(kind);
        }
        if let Some(text) = &failure.text {
            reply = reply.text(text);
        }
        if let Some(app) = &failure.app {
            reply = reply.application(app);
        }
        let Some(reply) = reply.build() else { return };
        self.counters.bounced();
        self.answer(reply, origin).await;
    }

    /// Sends an answer of the server: to a session of ours directly, past the chains.
    pub(crate) async fn answer(self: &Arc<Self>, reply: Stanza, origin: &Origin) {
        let local = reply.to().and_then(xylem_stanza::Jid::full).and_then(|full| self.sessions.find(&full));
        match local {
            Some(session) => drop(self.push(&session, &reply)),
            None => {
                let origin = Origin { hops: origin.hops.saturating_add(1), ..origin.clone() };
                self.route(reply, origin).await;
            }
        }
    }

    /// For domains that are not here. Presence to them is lost without a word.
    pub(crate) async fn to_remote(self: &Arc<Self>, stanza: Stanza, origin: &Origin) {
        if stanza.kind() != Kind::Presence {
            self.refuse(&stanza, Condition::RemoteServerNotFound, origin).await;
        }
    }
}
