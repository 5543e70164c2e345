//! IQs: questions to the server and to accounts go to the plugin that owns them.

use std::sync::Arc;

use xylem_hooks::manifest::KeyKind;
use xylem_hooks::{Claim, EntityClass, HookPoint, IqOutcome, Phase, Plan};
use xylem_session::Session;
use xylem_stanza::{BareJid, Condition, FullJid, Stanza, Type};

use crate::chain::Passage;
use crate::router::{Origin, Parts};

impl Parts {
    /// An IQ of a session. Without `to` it is for the sender's own account (RFC 6120 §10.3.3).
    pub(crate) async fn iq_of(self: &Arc<Self>, plan: &Plan, session: &Arc<Session>, stanza: Stanza) {
        let origin = Origin::of(session);
        let account = session.jid().bare();
        let mut passage = Passage::new(plan, HookPoint::IqOut, account.as_str(), &stanza);
        let Some(stanza) = passage.past(Phase::Default, self, &origin, stanza).await else { return };
        if stanza.to().is_some() {
            self.send_on(stanza.clone(), &origin).await;
        } else {
            self.iq_to_account(plan, &account, stanza.clone(), &origin).await;
        }
        passage.through(Phase::Observe, self, &origin, stanza).await;
    }

    /// An IQ to a bare JID: the server answers on the account's behalf (RFC 6121 §8.5.2.1.3).
    pub(crate) async fn iq_to_account(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        stanza: Stanza,
        origin: &Origin,
    ) {
        let Some(stanza) = self.iq_chain(plan, account.as_str(), stanza, origin).await else { return };
        let Some(request) = Request::of(&stanza) else { return self.hand_answer(&stanza) };
        let claim = plan.iq(EntityClass::Account, request.ns, request.name, request.kind);
        let own = stanza.from().is_none_or(|from| from.bare_str() == account.as_str());
        match claim {
            Some(claim) if own || !claim.own => {
                let key = if claim.key == KeyKind::Domain { plan.domain() } else { account.as_str() };
                self.ask_owner(plan, claim, key, &stanza, origin).await;
            }
            _ => self.refuse(&stanza, Condition::ServiceUnavailable, origin).await,
        }
    }

    /// An IQ to a hosted domain.
    pub(crate) async fn iq_to_server(self: &Arc<Self>, plan: &Plan, stanza: Stanza, origin: &Origin) {
        let Some(stanza) = self.iq_chain(plan, plan.domain(), stanza, origin).await else { return };
        let Some(request) = Request::of(&stanza) else { return self.hand_answer(&stanza) };
        let Some(claim) = plan.iq(EntityClass::Server, request.ns, request.name, request.kind) else {
            return self.refuse(&stanza, Condition::ServiceUnavailable, origin).await;
        };
        let asker = stanza.from().map(|from| from.bare_str().to_owned());
        let key = match (claim.key, &asker) {
            (KeyKind::Account, Some(asker)) => asker,
            _ => plan.domain(),
        };
        self.ask_owner(plan, claim, key, &stanza, origin).await;
    }

    /// An IQ to a resource is for the client (RFC 6121 §8.5.3.1).
    pub(crate) async fn iq_to_resource(
        self: &Arc<Self>,
        plan: &Plan,
        account: &BareJid,
        resource: &FullJid,
        stanza: Stanza,
        origin: &Origin,
    ) {
        if self.inline.hand(resource, &stanza) {
            return;
        }
        let Some(stanza) = self.iq_chain(plan, account.as_str(), stanza, origin).await else { return };
        match self.sessions.find(resource) {
            Some(session) if self.push(&session, &stanza) => {}
            _ => self.refuse(&stanza, Condition::ServiceUnavailable, origin).await,
        }
    }

    /// Asks the plugin that owns the request.
    pub(crate) async fn ask_owner(
        self: &Arc<Self>,
        plan: &Plan,
        claim: &Claim,
        key: &str,
        stanza: &Stanza,
        origin: &Origin,
    ) {
        let Some(plugins) = self.plugins.get() else {
            return self.refuse(stanza, Condition::ServiceUnavailable, origin).await;
        };
        let cause = origin.cause(plan, key);
        let condition = match plugins.iq(claim.plugin, claim.entry, &cause, stanza).get().await {
            IqOutcome::Handled => return,
            IqOutcome::Unhandled | IqOutcome::Unavailable => Condition::ServiceUnavailable,
            IqOutcome::Failed => Condition::InternalServerError,
        };
        self.refuse(stanza, condition, origin).await;
    }

    /// Through the in chain of the addressee; `None` when it ends there.
    pub(crate) async fn iq_chain(
        self: &Arc<Self>,
        plan: &Plan,
        key: &str,
        stanza: Stanza,
        origin: &Origin,
    ) -> Option<Stanza> {
        Passage::new(plan, HookPoint::IqIn, key, &stanza).past(Phase::Observe, self, origin, stanza).await
    }

    /// A result or error to the server or an account: a plugin may wait for it.
    pub(crate) fn hand_answer(&self, stanza: &Stanza) {
        let known = self.plugins.get().is_some_and(|plugins| plugins.answer(stanza));
        if !known {
            tracing::debug!(from = ?stanza.from(), id = ?stanza.id(), "an answer that nobody asked for");
        }
    }
}

/// What an IQ get or set asks.
pub(crate) struct Request<'a> {
    pub(crate) ns: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kind: Type,
}

impl<'a> Request<'a> {
    /// `None` for results and errors.
    pub(crate) fn of(stanza: &'a Stanza) -> Option<Self> {
        let kind = Some(stanza.type_()).filter(|kind| kind.is_request())?;
        let payload = stanza.payload()?;
        Some(Self { ns: payload.ns(), name: payload.name(), kind })
    }
}
