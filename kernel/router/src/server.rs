//! What is addressed to a hosted domain itself (RFC 6120 §10.5.1).

use std::sync::Arc;

use xylem_hooks::{HookPoint, Phase, Plan};
use xylem_stanza::{Condition, Kind, Stanza};

use crate::chain::{Passage, Passed};
use crate::router::{Origin, Parts};

impl Parts {
    /// Plugins may take it; a message that none takes is refused, presence is ignored.
    pub(crate) async fn to_server(self: &Arc<Self>, plan: &Plan, stanza: Stanza, origin: &Origin) {
        if stanza.to().is_some_and(|to| self.strangers.hand(to, &stanza)) {
            return;
        }
        let point = match stanza.kind() {
            Kind::Iq => return self.iq_to_server(plan, stanza, origin).await,
            Kind::Message => HookPoint::MessageIn,
            Kind::Presence => HookPoint::PresenceIn,
        };
        let mut passage = Passage::new(plan, point, plan.domain(), &stanza);
        match passage.through(Phase::Observe, self, origin, stanza).await {
            Passed::On(stanza) if stanza.kind() == Kind::Message => {
                self.refuse(&stanza, Condition::ServiceUnavailable, origin).await;
            }
            Passed::Rejected(stanza, failure) => self.bounce(&stanza, &failure, origin).await,
            Passed::On(_) | Passed::Stopped => {}
        }
    }
}
