//! Carrying out what plugins asked for, once it is allowed to happen.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot::{self, Receiver};
use xylem_hooks::{Cause, Done, Effect, Pick, Recipients, Release};
use xylem_session::{Barrier, Delivery, Session, Sessions, bell};
use xylem_stanza::{BareJid, FullJid, Jid, Kind, Stanza};
use xylem_store::{ArchiveQuery, ArchiveRow, Purge};

use crate::router::{Origin, Parts, Router, at_once, done};
use crate::tap::Way;

impl Release for Router {
    fn release(&self, cause: Cause, effects: Vec<Effect>) -> Done<()> {
        let parts = Arc::clone(&self.0);
        done(bell::hold(|| at_once(async move { parts.turn(&cause, effects).await })))
    }

    fn release_all(&self, turns: Vec<(Cause, Vec<Effect>)>) -> Done<()> {
        let parts = Arc::clone(&self.0);
        let work = async move {
            let mut turns = turns.into_iter().peekable();
            while let Some((cause, effects)) = turns.next() {
                let Some(to) = addressed(&effects).cloned() else {
                    parts.turn(&cause, effects).await;
                    continue;
                };
                let mut together = stanzas(&cause, effects);
                let same = |effects: &[Effect]| addressed(effects).is_some_and(|others| others.are(&to));
                while let Some((cause, effects)) = turns.next_if(|(_, effects)| same(effects)) {
                    together.extend(stanzas(&cause, effects));
                }
                parts.to_addresses(together, &to).await;
            }
        };
        done(bell::hold(|| at_once(work)))
    }
}

/// Whom a turn is for that does nothing but send one stanza to many.
fn addressed(effects: &[Effect]) -> Option<&Recipients> {
    match effects {
        [Effect::ToAddresses { to, .. }] => Some(to),
        _ => None,
    }
}

fn stanzas(cause: &Cause, effects: Vec<Effect>) -> Vec<(Stanza, Origin)> {
    let stanza = |effect| if let Effect::ToAddresses { stanza, .. } = effect { Some(stanza) } else { None };
    effects.into_iter().filter_map(stanza).map(|stanza| (stanza, Origin::after(cause))).collect()
}

impl Parts {
    async fn turn(self: &Arc<Self>, cause: &Cause, effects: Vec<Effect>) {
        let origin = Origin::after(cause);
        let mut left = effects.into_iter();
        loop {
            let sent = self.send_singly(left.as_slice(), &origin);
            left.by_ref().take(sent).for_each(drop);
            match left.next() {
                Some(effect) => self.carry_out(effect, cause, &origin).await,
                None => break,
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, effect: Effect, cause: &Cause, origin: &Origin) {
        match effect {
            Effect::Send(stanza) => self.route(stanza, origin.clone()).await,
            Effect::ToAddresses { stanza, to } => self.to_addresses(vec![(stanza, origin.clone())], &to).await,
            Effect::ToSessions { account, stanza, pick } => self.to_sessions(&account, &stanza, &pick),
            Effect::Copies { account, stanza, wrapping, pick } => {
                self.copy_to_sessions(&account, &stanza, &wrapping, &pick);
            }
            Effect::PresenceTo { account, to } => self.presence_to(&account, &to, origin).await,
            Effect::Deliver { table, partition, to, remove } => self.deliver(table, partition, &to, remove),
            Effect::Page(order) => self.page(*order, cause, origin).await,
            Effect::EndSessions { account, resource, condition } => {
                for session in self.sessions.of(account.as_str()) {
                    if resource.as_deref().is_none_or(|resource| resource == session.jid().resource()) {
                        session.queue().end(condition, None);
                    }
                }
            }
            Effect::AccountCreated(account) => self.tell_account(&account, xylem_hooks::EventPoint::AccountCreated),
            Effect::AccountDeleted(account) => self.delete_account(&account),
            Effect::PasswordChanged(account) => self.tell_account(&account, xylem_hooks::EventPoint::AccountPassword),
        }
    }

    /// The sessions of an account that a plugin picked.
    pub(crate) fn picked(&self, sessions: &Sessions, pick: &Pick) -> Sessions {
        let tag = pick.tag.as_deref().map(|tag| self.sessions.tags().find(tag));
        let picked = |session: &&Arc<Session>| {
            let presence = session.presence();
            (!pick.available || presence.available)
                && pick.min_priority.is_none_or(|least| presence.priority >= least)
                && tag.is_none_or(|tag| tag.is_some_and(|tag| session.has(tag)))
                && pick.except.as_deref() != Some(session.jid().resource())
                && pick.only.as_deref().is_none_or(|only| only == session.jid().resource())
        };
        sessions.iter().filter(picked).cloned().collect()
    }

    fn to_sessions(&self, account: &BareJid, stanza: &Stanza, pick: &Pick) {
        for session in &self.picked(&self.sessions.of(account.as_str()), pick) {
            // What was addressed to the account stays so: a request for a subscription is for the bare address.
            let addressed = if stanza.to().is_some() { stanza.clone() } else { stanza.with_to(session.jid()) };
            if addressed.kind() == Kind::Message {
                // A copy for one session is nobody else's, should that end before it is written.
                self.push_kept(session, &addressed);
            } else {
                self.push(session, &addressed);
            }
        }
    }

    async fn presence_to(self: &Arc<Self>, account: &BareJid, to: &Jid, origin: &Origin) {
        for session in self.sessions.available(account.as_str()) {
            if let Some(presence) = session.last_presence() {
                self.route(presence.with_to(to), origin.clone()).await;
            }
        }
    }

    /// Sends what an archive holds. Rows are removed page by page, each after it was
    /// written to the socket: a crash may repeat a page, never lose one.
    fn deliver(self: &Arc<Self>, table: String, partition: String, to: &FullJid, remove: bool) {
        let Some(session) = self.sessions.find(to) else { return };
        let Some(running) = self.deliveries.begin(&table, &partition) else { return };
        let parts = Arc::clone(self);
        tokio::spawn(async move {
            parts.deliver_pages(&session, &table, &partition, remove).await;
            drop(running);
        });
    }

    async fn deliver_pages(&self, session: &Session, table: &str, partition: &str, remove: bool) {
        let archive = self.store.archive(table);
        let mut after = None;
        loop {
            let query = ArchiveQuery { after, limit: PAGE, ..ArchiveQuery::default() };
            let page = match archive.page(partition, query).await {
                Ok(page) => page,
                Err(error) => return tracing::error!(%table, %partition, %error, "kept stanzas cannot be read"),
            };
            let Some(last) = page.rows.last().map(|row| row.id) else { return };
            let read = |row: &ArchiveRow| {
                let stanza = std::str::from_utf8(&row.payload).ok().and_then(|xml| Stanza::parse(xml).ok());
                if stanza.is_none() {
                    tracing::error!(%table, %partition, id = %row.id, "a kept stanza is damaged; left out");
                }
                stanza
            };
            let mut stanzas: Vec<Stanza> = page.rows.iter().filter_map(read).collect();
            let newest = stanzas.pop();
            for stanza in stanzas {
                self.push_kept(session, &stanza);
            }
            let heard = match newest {
                Some(stanza) => self.push_and_hear(session, &stanza).await,
                None => written(session).await,
            };
            if !heard {
                return;
            }
            if remove && archive.purge(partition, Purge::UpTo(last)).wait().await.is_err() {
                return;
            }
            if page.complete {
                return;
            }
            after = Some(last);
        }
    }
}

impl Parts {
    /// Sends one that is kept until it is written, and waits for that. The barrier goes along with it: a client that
    /// has it and leaves at once must not leave in between, else it gets it again.
    async fn push_and_hear(&self, session: &Session, stanza: &Stanza) -> bool {
        let (barrier, heard) = told();
        if session.queue().push_followed(stanza.outgoing().kept(), barrier).is_err() {
            return false;
        }
        self.counters.went(stanza.kind());
        self.tap.pass(Way::ToClient, session, stanza);
        heard.await.unwrap_or(false)
    }
}

/// Rows sent before the session has to have written them.
const PAGE: usize = 100;

/// Waits until everything queued so far is written; false if the session ended first.
pub(crate) async fn written(session: &Session) -> bool {
    let (barrier, heard) = told();
    session.queue().barrier(barrier).is_ok() && heard.await.unwrap_or(false)
}

fn told() -> (Barrier, Receiver<bool>) {
    let (told, heard) = oneshot::channel();
    let barrier = Barrier::new(move |delivery| {
        // Nobody listening any more is fine.
        let _ = told.send(matches!(delivery, Delivery::Written));
    });
    (barrier, heard)
}

/// Which archives are being delivered, so that two resources that come at once do
/// not both get everything.
#[derive(Default)]
pub(crate) struct Deliveries(Arc<Mutex<HashSet<(String, String)>>>);

pub(crate) struct Running {
    all: Arc<Mutex<HashSet<(String, String)>>>,
    key: (String, String),
}

impl Deliveries {
    fn begin(&self, table: &str, partition: &str) -> Option<Running> {
        let key = (table.to_owned(), partition.to_owned());
        let new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        new.then(|| Running { all: Arc::clone(&self.0), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
