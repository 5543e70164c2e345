//! The router itself: what it holds, and the way every stanza enters.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use xylem_hooks::{Cause, Done, Plan, Plugins};
use xylem_session::{Session, SessionTable};
use xylem_stanza::{FullJid, Kind, Stanza};
use xylem_store::Store;

use crate::counters::Counters;
use crate::destination::Destination;
use crate::ports::{Accounts, Directory};
use crate::tap::{Tap, Way};

/// Work that could not be finished at once.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Routes stanzas; a cheap handle.
#[derive(Clone)]
pub struct Router(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) sessions: Arc<SessionTable>,
    pub(crate) store: Store,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) plugins: OnceLock<Arc<dyn Plugins>>,
    pub(crate) counters: Counters,
    pub(crate) deliveries: crate::release::Deliveries,
    pub(crate) strangers: crate::stranger::Strangers,
    pub(crate) inline: crate::inline::Inline,
    pub(crate) notes: crate::notes::Numbers,
    pub(crate) tap: Tap,
}

/// Where a stanza on its way comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) actor: Option<FullJid>,
    pub(crate) peer: Option<IpAddr>,
    /// See [`Cause::hops`].
    pub(crate) hops: u8,
}

impl Origin {
    pub(crate) fn of(session: &Session) -> Self {
        Self { actor: Some(session.jid().clone()), peer: Some(session.endpoint().peer.ip()), hops: 0 }
    }

    /// What follows from a turn of a plugin.
    pub(crate) fn after(cause: &Cause) -> Self {
        Self { actor: cause.actor.clone(), peer: cause.peer, hops: cause.hops.saturating_add(1) }
    }

    pub(crate) fn cause(&self, plan: &Plan, key: &str) -> Cause {
        Cause {
            domain: Arc::clone(plan.domain_name()),
            key: key.into(),
            actor: self.actor.clone(),
            peer: self.peer,
            hops: self.hops,
            note: None,
        }
    }
}

impl Router {
    /// A router without plugins; [`Router::attach`] brings them.
    #[must_use]
    pub fn new(
        sessions: Arc<SessionTable>,
        store: Store,
        accounts: Arc<dyn Accounts>,
        directory: Arc<dyn Directory>,
    ) -> Self {
        Self(Arc::new(Parts {
            sessions,
            store,
            accounts,
            directory,
            plugins: OnceLock::new(),
            counters: Counters::default(),
            deliveries: crate::release::Deliveries::default(),
            strangers: crate::stranger::Strangers::default(),
            inline: crate::inline::Inline::default(),
            notes: crate::notes::Numbers::default(),
            tap: Tap::default(),
        }))
    }

    /// Names the plugin host. Once; host and router know each other, so one comes first.
    pub fn attach(&self, plugins: Arc<dyn Plugins>) {
        if self.0.plugins.set(plugins).is_err() {
            tracing::error!("the router has a plugin host already; the second one is ignored");
        }
    }

    /// What passed so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// A stanza of a bound session, `from` stamped. `None`: all is done. Otherwise
    /// the session's next stanza has to wait for this work, so that order is kept
    /// (RFC 6120 §10.1).
    #[must_use]
    pub fn from_session(&self, session: &Arc<Session>, stanza: Stanza) -> Option<Work> {
        self.0.counters.came(stanza.kind());
        self.0.tap.pass(Way::FromClient, session, &stanza);
        let (parts, session) = (Arc::clone(&self.0), Arc::clone(session));
        at_once(async move {
            let Some(plan) = parts.directory.plan(session.jid().domain()) else { return };
            match stanza.kind() {
                // Boxed: their room would be in the work of every message.
                Kind::Presence => Box::pin(parts.presence_of(&plan, &session, stanza)).await,
                Kind::Message => parts.message_of(&plan, &session, stanza).await,
                Kind::Iq => Box::pin(parts.iq_of(&plan, &session, stanza)).await,
            }
        })
    }
}

impl Parts {
    /// Sends a stanza to whoever `to` names. Boxed, because answers are routed on the way.
    pub(crate) fn route(self: &Arc<Self>, stanza: Stanza, origin: Origin) -> Work {
        let parts = Arc::clone(self);
        Box::pin(async move { parts.send_on(stanza, &origin).await })
    }

    pub(crate) async fn send_on(self: &Arc<Self>, stanza: Stanza, origin: &Origin) {
        let Some(to) = stanza.to() else { return };
        if origin.hops > Cause::MAX_HOPS {
            tracing::warn!(%to, "plugins send this on in a circle; it ends here");
            return;
        }
        match Destination::of(to, &*self.directory) {
            Destination::Server(plan) => Box::pin(self.to_server(&plan, stanza, origin)).await,
            Destination::Account(plan, account) => self.to_account(&plan, &account, stanza, origin).await,
            Destination::Resource(plan, jid) => self.to_resource(&plan, &jid, stanza, origin).await,
            Destination::Claimed(plan, owner) => self.to_claimed(&plan, owner, stanza, origin).await,
            Destination::Remote => Box::pin(self.to_remote(stanza, origin)).await,
        }
    }
}

/// Polls once: what needs no waiting is done when this returns.
pub(crate) fn at_once(work: impl Future<Output = ()> + Send + 'static) -> Option<Work> {
    poll_once(Box::pin(work))
}

/// The same with work that is boxed already.
pub(crate) fn poll_once(mut work: Work) -> Option<Work> {
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(()) => None,
        Poll::Pending => Some(work),
    }
}

/// The same as [`Done`].
pub(crate) fn done(work: Option<Work>) -> Done<()> {
    work.map_or(Done::Ready(()), Done::Later)
}
