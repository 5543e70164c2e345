//! The beginning and the end of a session, and what happens to accounts.

use std::sync::Arc;

use xylem_hooks::{EventPoint, Plan};
use xylem_session::Session;
use xylem_stanza::{BareJid, Stanza, StreamCondition};

use crate::router::{Origin, Parts, Router, Work, at_once};

impl Router {
    /// A resource was bound and is in the session table.
    pub fn bound(&self, session: &Arc<Session>) {
        if let Some(plan) = self.0.directory.plan(session.jid().domain()) {
            self.0.tell(&plan, session, EventPoint::SessionBound, "");
        }
    }

    /// A session is over, for whatever reason; takes it out of the table. Its contacts hear that it
    /// is unavailable (RFC 6121 §4.5.2). May be called twice; the second call does nothing.
    #[must_use]
    pub fn ended(&self, session: &Arc<Session>, reason: &str) -> Option<Work> {
        if !session.retire() {
            return None;
        }
        self.0.sessions.unbind(session);
        let (parts, session, reason) = (Arc::clone(&self.0), Arc::clone(session), reason.to_owned());
        at_once(async move { parts.end(&session, &reason).await })
    }

    /// An account was made.
    pub fn account_created(&self, account: &BareJid) {
        self.0.tell_account(account, EventPoint::AccountCreated);
    }

    /// An account has another password.
    pub fn password_changed(&self, account: &BareJid) {
        self.0.tell_account(account, EventPoint::AccountPassword);
    }

    /// An account is gone: its sessions end, plugins are told.
    pub fn account_deleted(&self, account: &BareJid) {
        self.0.delete_account(account);
    }
}

impl Parts {
    async fn end(self: &Arc<Self>, session: &Arc<Session>, reason: &str) {
        let Some(plan) = self.directory.plan(session.jid().domain()) else { return };
        let before = session.presence();
        if before.available {
            session.set_unavailable();
        }
        // Presence that was only directed has to be taken back as well, so the chain always runs.
        if let Ok(unavailable) = Stanza::parse("<presence xmlns='jabber:client' type='unavailable'/>") {
            let unavailable = unavailable.with_from(session.jid());
            self.presence_out(&plan, session, unavailable, &Origin::of(session)).await;
        }
        self.presence_changed(&plan, session, before);
        self.tell(&plan, session, EventPoint::SessionEnded, reason);
    }

    /// Tells the plugins that want to know; they are called later, in order per account.
    pub(crate) fn tell(&self, plan: &Plan, session: &Session, event: EventPoint, detail: &str) {
        let listeners = plan.listeners(event);
        let Some(plugins) = self.plugins.get().filter(|_| !listeners.is_empty()) else { return };
        let cause = Origin::of(session).cause(plan, session.jid().bare_str());
        for listener in listeners {
            plugins.event(listener.plugin, listener.entry, &cause, session.jid().as_str(), detail);
        }
    }

    pub(crate) fn tell_account(&self, account: &BareJid, event: EventPoint) {
        let Some(plan) = self.directory.plan(account.domain()) else { return };
        let Some(plugins) = self.plugins.get() else { return };
        let cause = Origin::default().cause(&plan, account.as_str());
        for listener in plan.listeners(event) {
            plugins.event(listener.plugin, listener.entry, &cause, account.as_str(), "");
        }
    }

    pub(crate) fn delete_account(&self, account: &BareJid) {
        self.tell_account(account, EventPoint::AccountDeleted);
        for session in self.sessions.of(account.as_str()) {
            session.queue().end(StreamCondition::NotAuthorized, Some("the account was removed"));
        }
    }
}
