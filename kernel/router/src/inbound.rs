//! Into an account or a claimed domain.

use std::sync::Arc;

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{HookPoint, Phase, Plan, Treat};
use xylem_session::Session;
use xylem_stanza::{BareJid, Condition, Copies, FullJid, Kind, Outgoing, Stanza, Type};

use crate::chain::{Passage, Passed};
use crate::iq::Request;
use crate::router::{Origin, Parts};
use crate::tap::Way;

impl Parts {
    /// To a bare JID.
    pub(crate) async fn to_account(self: &Arc<Self>, plan: &Plan, account: &BareJid, stanza: Stanza, origin: &Origin) {
        if !self.is_account(account).await {
            return Box::pin(self.no_such_user(&stanza, origin)).await;
        }
        match stanza.kind() {
            Kind::Message => self.message_in(plan, account, None, stanza, origin).await,
            Kind::Presence => Box::pin(self.presence_in(plan, account, None, stanza, origin)).await,
            Kind::Iq => Box::pin(self.iq_to_account(plan, account, stanza, origin)).await,
        }
    }

    /// To a full JID.
    pub(crate) async fn to_resource(
        self: &Arc<Self>,
        plan: &Plan,
        resource: &FullJid,
        stanza: Stanza,
        origin: &Origin,
    ) {
        let account = resource.bare();
        if !self.is_account(&account).await {
            return Box::pin(self.no_such_user(&stanza, origin)).await;
        }
        match stanza.kind() {
            Kind::Message => self.message_in(plan, &account, Some(resource), stanza, origin).await,
            Kind::Presence => Box::pin(self.presence_in(plan, &account, Some(resource), stanza, origin)).await,
            Kind::Iq => Box::pin(self.iq_to_resource(plan, &account, resource, stanza, origin)).await,
        }
    }

    /// To a domain that a plugin claims: its hooks and IQ claims are all there is.
    pub(crate) async fn to_claimed(self: &Arc<Self>, plan: &Plan, owner: PluginIndex, stanza: Stanza, origin: &Origin) {
        let Some(key) = stanza.to().map(|to| to.bare().as_str().to_owned()) else { return };
        let point = match stanza.kind() {
            Kind::Message => HookPoint::MessageIn,
            Kind::Presence => HookPoint::PresenceIn,
            Kind::Iq => HookPoint::IqIn,
        };
        let mut passage = Passage::claimed(plan, point, &key, &stanza, owner);
        let stanza = match passage.through(Phase::Observe, self, origin, stanza).await {
            Passed::On(stanza) => stanza,
            Passed::Stopped => return,
            Passed::Rejected(stanza, failure) => return self.bounce(&stanza, &failure, origin).await,
        };
        if stanza.kind() == Kind::Iq && !stanza.type_().is_request() {
            return self.hand_answer(&stanza);
        }
        let claim =
            Request::of(&stanza).and_then(|request| plan.domain_iq(owner, request.ns, request.name, request.kind));
        match claim {
            Some(claim) => self.ask_owner(plan, claim, &key, &stanza, origin).await,
            None if stanza.kind() == Kind::Presence => {}
            None => self.refuse(&stanza, Condition::ServiceUnavailable, origin).await,
        }
    }

    /// Who is connected exists; others are looked up.
    async fn is_account(&self, account: &BareJid) -> bool {
        self.sessions.is_bound(account.as_str()) || self.accounts.exists(account).get().await
    }

    /// RFC 6121 §8.5.1: presence vanishes, the rest is unavailable.
    async fn no_such_user(self: &Arc<Self>, stanza: &Stanza, origin: &Origin) {
        let silent = stanza.kind() == Kind::Presence || stanza.type_() == Type::Headline;
        if !silent {
            self.refuse(stanza, Condition::ServiceUnavailable, origin).await;
        }
    }

    /// Puts a stanza into a session's queue; false when the session is over.
    pub(crate) fn push(&self, session: &Session, stanza: &Stanza) -> bool {
        self.queue(session, stanza, stanza.outgoing())
    }

    /// The same, where other sessions of the account may get it as well.
    pub(crate) fn push_copy(&self, session: &Session, stanza: &Stanza, copies: Option<Copies>) -> bool {
        self.queue(session, stanza, stanza.outgoing().among(copies))
    }

    /// The same with a stanza that is kept elsewhere until it is written.
    pub(crate) fn push_kept(&self, session: &Session, stanza: &Stanza) -> bool {
        self.queue(session, stanza, stanza.outgoing().kept())
    }

    /// Nobody looks at the client: plugins say what it can wait for (XEP-0352).
    fn queue_for_later(&self, session: &Session, stanza: &Stanza, outgoing: Outgoing) -> bool {
        let plan = self.directory.plan(session.jid().domain());
        let treat = plan.map_or(Treat::Urgent, |plan| plan.client_states().treat(stanza));
        let queue = session.queue();
        let queued = match treat {
            Treat::Urgent => queue.push(outgoing),
            Treat::Hold => queue.push_held(outgoing, None),
            Treat::Last => queue.push_held(outgoing, stanza.from().map(|from| from.as_str())),
            Treat::Drop => Ok(()),
        };
        queued.is_ok()
    }

    fn queue(&self, session: &Session, stanza: &Stanza, outgoing: Outgoing) -> bool {
        let queue = session.queue();
        let pushed = if queue.is_inactive() {
            self.queue_for_later(session, stanza, outgoing)
        } else {
            queue.push(outgoing).is_ok()
        };
        if pushed {
            self.counters.went(stanza.kind());
            self.tap.pass(Way::ToClient, session, stanza);
        }
        pushed
    }
}
