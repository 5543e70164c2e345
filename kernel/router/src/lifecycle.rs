//! The beginning and the end of a session, and what happens to accounts.

use std::pin::Pin;
use std::sync::Arc;

use xylem_hooks::{EventPoint, HookPoint, Phase, Plan};
use xylem_session::{Session, Unacknowledged};
use xylem_stanza::{BareJid, Condition, Copies, Kind, Outgoing, Stanza, StreamCondition};

use crate::chain::Passage;
use crate::router::{Origin, Parts, Router, Work, at_once};

impl Router {
    /// An account is logging in: what plugins keep for it is read meanwhile.
    pub fn expect(&self, account: &BareJid) {
        if let Some(plugins) = self.0.plugins.get() {
            plugins.expect(account.as_str());
        }
    }

    /// A resource was bound and is in the session table.
    pub fn bound(&self, session: &Arc<Session>) {
        if let Some(plan) = self.0.directory.plan(session.jid().domain()) {
            let how = if session.is_with_login() { "with-login" } else { "" };
            self.0.tell(&plan, session, EventPoint::SessionBound, how);
        }
    }

    /// Whether everything that was routed so far is on disk. A turn does not wait for its
    /// commit, so who promises something has to. `None`: it is, and nobody has to wait.
    #[must_use]
    pub fn settled(&self) -> Option<Pin<Box<dyn Future<Output = bool> + Send>>> {
        let store = self.0.store.clone();
        match store.settled() {
            Some(true) => None,
            Some(false) => Some(Box::pin(std::future::ready(false))),
            None => Some(Box::pin(async move { store.barrier().await.is_ok() })),
        }
    }

    /// A session has lost its connection and waits for its client (XEP-0198 §5). For its
    /// contacts nothing has changed. `kept` is what it has not acknowledged.
    #[must_use]
    pub fn hibernated(&self, session: &Arc<Session>, kept: &mut Unacknowledged) -> Option<Work> {
        let plan = self.0.directory.plan(session.jid().domain())?;
        self.0.note_left(&plan, session, kept);
        let sent = session.management().map_or(0, xylem_session::Management::messages);
        let unconfirmed = sent.saturating_add(session.queue().depth().0);
        self.0.tell(&plan, session, EventPoint::SessionHibernated, &unconfirmed.to_string());
        if !plan.point(HookPoint::MessageIn).steps().iter().any(|step| step.waits) {
            return None;
        }
        let mut messages: Vec<Outgoing> = kept.each_message().cloned().collect();
        messages.extend(session.queue().messages());
        let (parts, session) = (Arc::clone(&self.0), Arc::clone(session));
        at_once(async move { parts.observed_anew(&plan, &session, messages).await })
    }

    /// It goes on over another connection.
    pub fn resumed(&self, session: &Arc<Session>) {
        if let Some(plan) = self.0.directory.plan(session.jid().domain()) {
            self.0.tell(&plan, session, EventPoint::SessionResumed, "");
        }
    }

    /// A session is over and out of the table; to be told once. Its contacts hear that it
    /// is unavailable (RFC 6121 §4.5.2).
    #[must_use]
    pub fn ended(&self, session: &Arc<Session>, reason: &str) -> Option<Work> {
        let (parts, session, reason) = (Arc::clone(&self.0), Arc::clone(session), reason.to_owned());
        at_once(async move { parts.end(&session, &reason).await })
    }

    /// What was queued for a session that is over, in order. Messages go where messages
    /// go that find nobody; who asked a question hears that there is no answer.
    #[must_use]
    pub fn undelivered(&self, session: &Arc<Session>, stanzas: Vec<Outgoing>) -> Option<Work> {
        let (parts, session) = (Arc::clone(&self.0), Arc::clone(session));
        at_once(async move { parts.take_back(&session, stanzas).await })
    }

    /// An account was made.
    pub fn account_created(&self, account: &BareJid) {
        self.0.tell_account(account, EventPoint::AccountCreated);
    }

    /// An account has another password.
    pub fn password_changed(&self, account: &BareJid) {
        self.0.tell_account(account, EventPoint::AccountPassword);
    }

    /// An account is about to be removed: plugins hear of it while its rows are there, and
    /// take their leave of others for it. To be waited for before the removal.
    pub async fn account_leaving(&self, account: &BareJid) {
        let Some(plan) = self.0.directory.plan(account.domain()) else { return };
        let Some(plugins) = self.0.plugins.get() else { return };
        let cause = Origin::default().cause(&plan, account.as_str());
        for listener in plan.listeners(EventPoint::AccountLeaving) {
            plugins.event_heard(listener.plugin, listener.entry, &cause, account.as_str(), "").get().await;
        }
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

    async fn take_back(self: &Arc<Self>, session: &Session, stanzas: Vec<Outgoing>) {
        let Some(plan) = self.directory.plan(session.jid().domain()) else { return };
        let account = session.jid().bare();
        let origin = Origin::default();
        let mut shared = Vec::new();
        for mut stanza in stanzas {
            // What an archive still holds is delivered from there again, and what another session
            // has taken is not lost.
            let lost = !stanza.kept && stanza.copies.as_ref().is_none_or(Copies::came_back);
            if !lost {
                shared.extend(stanza.to_note());
                continue;
            }
            let note = stanza.copies.as_ref().and_then(Copies::noted);
            let bytes = stanza.to_vec();
            let Some(stanza) = std::str::from_utf8(&bytes).ok().and_then(|xml| Stanza::parse(xml).ok()) else {
                continue;
            };
            match stanza.kind() {
                Kind::Message => {
                    self.deliver_noted(&plan, &account, Some(session.jid()), &stanza, &origin, note).await;
                }
                Kind::Iq => self.refuse(&stanza, Condition::ServiceUnavailable, &origin).await,
                Kind::Presence => {}
            }
        }
        // The others may be without a connection too.
        self.note_all(&plan, session, shared);
    }

    /// Who asks whether a session waits was told no when these were delivered, and is asked again.
    async fn observed_anew(self: &Arc<Self>, plan: &Plan, session: &Session, messages: Vec<Outgoing>) {
        let account = session.jid().bare_str();
        for message in messages {
            let bytes = message.to_vec();
            let stanza = std::str::from_utf8(&bytes).ok().and_then(|xml| Stanza::parse(xml).ok());
            let Some(stanza) = stanza else { continue };
            let mut passage = Passage::anew(plan, account, &stanza);
            passage.through(Phase::Observe, self, &Origin::default(), stanza).await;
        }
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
