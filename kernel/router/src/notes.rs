//! Messages that only sessions without a connection hold (XEP-0198 §5).
//!
//! The sender is told that his message is handled, and it is nowhere but in the memory of this
//! process, for minutes. So it is noted: written to disk with the next commit, which the
//! acknowledgement waits for, and struck out when a client has acknowledged it, or in the same
//! commit in which a plugin keeps it. What is noted when the server starts was left by a process
//! that was killed, and goes where messages go that find nobody.
//!
//! Nothing is noted that an archive of the account holds, nothing that no plugin would keep for
//! somebody who is away (no hook in phase `fallback` wants it), and nothing for sessions that
//! have a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use xylem_hooks::call::NOTES;
use xylem_hooks::{HookPoint, Phase, Plan};
use xylem_session::{Session, Unacknowledged};
use xylem_stanza::{BareJid, Kind, Note, Outgoing, Stanza, Type};
use xylem_store::{Op, Scan, Store};

use crate::router::{Origin, Parts, Router};

/// Notes taken up between two commits.
const PAGE: usize = 256;

/// One entry: the account, a zero byte and a number that rises, over a message.
struct Entry {
    store: Store,
    key: Arc<[u8]>,
}

/// What the next entry is called.
pub(crate) struct Numbers(AtomicU64);

impl Default for Numbers {
    /// Above those of an earlier process, as long as clocks go forwards: see [`Router::take_up`].
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(AtomicU64::new(u64::try_from(now.as_micros()).unwrap_or(0)))
    }
}

impl Note for Entry {
    fn key(&self) -> &Arc<[u8]> {
        &self.key
    }

    fn strike(&self) {
        let mut turn = self.store.turn();
        let op = Op { table: NOTES.into(), key: self.key.to_vec(), value: None };
        let struck = turn.raw(op).and_then(|()| self.store.submit_turn_unheard(turn));
        if let Err(error) = struck {
            tracing::error!(%error, "a note stays behind; its message may come again after a restart");
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl Router {
    /// At the start, before anybody can connect: what an earlier process had noted and not struck
    /// out goes where messages go that find nobody. Done when that is on disk.
    pub async fn take_up(&self) {
        let parts = &self.0;
        let mut scan = Scan::all().limit(PAGE);
        let mut taken = 0;
        loop {
            let rows = match parts.store.scan(NOTES, scan).await {
                Ok(rows) => rows,
                Err(error) => return tracing::error!(%error, "messages that waited for clients cannot be read"),
            };
            let Some((last, _)) = rows.last() else { break };
            scan = Scan::all().limit(PAGE).after(last.clone());
            for (key, value) in rows {
                taken += usize::from(parts.take_up_one(key, &value).await);
            }
        }
        if taken > 0 {
            tracing::info!(taken, "messages waited for clients when the server was killed; they are kept for them");
            if let Err(error) = parts.store.barrier().await {
                tracing::error!(%error, "what was kept is not on disk");
            }
        }
    }
}

impl Parts {
    /// Whether the message would be gone with this process, although somebody would keep it.
    fn is_to_be_noted(plan: &Plan, account: &BareJid, stanza: &Stanza) -> bool {
        may_be_kept(stanza)
            && plan.point(HookPoint::MessageFallback).walk(stanza).may_reach(Phase::Fallback)
            && !plan.point(HookPoint::MessageIn).has_recorded(stanza, account.as_str())
    }

    /// Notes the message, if that is called for. An error: it is, and cannot be done.
    pub(crate) fn note(
        &self,
        plan: &Plan,
        account: &BareJid,
        stanza: &Stanza,
    ) -> xylem_store::Result<Option<Arc<dyn Note>>> {
        if !Self::is_to_be_noted(plan, account, stanza) {
            return Ok(None);
        }
        let number = self.notes.0.fetch_add(1, Ordering::Relaxed);
        let key: Arc<[u8]> = [account.as_str().as_bytes(), &[0], &number.to_be_bytes()].concat().into();
        let mut turn = self.store.turn();
        let value = Some(stanza.to_xml_string().into_bytes());
        turn.raw(Op { table: NOTES.into(), key: key.to_vec(), value })?;
        self.store.submit_turn_unheard(turn)?;
        Ok(Some(Arc::new(Entry { store: self.store.clone(), key })))
    }

    /// A session has lost its connection: notes what it was sent and has not acknowledged.
    pub(crate) fn note_left(&self, plan: &Plan, session: &Session, kept: &mut Unacknowledged) {
        self.note_all(plan, session, kept.to_note());
        self.note_queued(plan, session);
    }

    /// Notes what waits in the queue of a session without connection.
    pub(crate) fn note_queued(&self, plan: &Plan, session: &Session) {
        self.note_all(plan, session, session.queue().to_note());
    }

    pub(crate) fn note_all(&self, plan: &Plan, session: &Session, messages: Vec<Outgoing>) {
        let account = session.jid().bare();
        for message in messages {
            let bytes = message.to_vec();
            let stanza = std::str::from_utf8(&bytes).ok().and_then(|xml| Stanza::parse(xml).ok());
            let (Some(stanza), Some(copies)) = (stanza, &message.copies) else { continue };
            match self.note(plan, &account, &stanza) {
                Ok(Some(note)) => copies.note(note),
                Ok(None) => {}
                // Its sender was told long ago.
                Err(error) => tracing::error!(jid = %session.jid(), %error, "a message waits in memory only"),
            }
        }
    }

    /// One message of an earlier process; false if it stays noted.
    async fn take_up_one(self: &Arc<Self>, key: Vec<u8>, message: &[u8]) -> bool {
        let zero = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
        let (name, number) = key.split_at(zero);
        if let Some(number) = number.get(1..).and_then(|number| number.try_into().ok()) {
            self.notes.0.fetch_max(u64::from_be_bytes(number).saturating_add(1), Ordering::Relaxed);
        }
        let account = std::str::from_utf8(name).ok().and_then(|name| BareJid::parse(name).ok());
        let stanza = std::str::from_utf8(message).ok().and_then(|xml| Stanza::parse(xml).ok());
        let entry: Arc<dyn Note> = Arc::new(Entry { store: self.store.clone(), key: key.into() });
        let (Some(account), Some(stanza)) = (account, stanza) else {
            tracing::error!("a message that waited for a client is damaged; left out");
            entry.strike();
            return false;
        };
        // The domain may be served again some day.
        let Some(plan) = self.directory.plan(account.domain()) else { return false };
        if !self.accounts.exists(&account).get().await {
            entry.strike();
            return false;
        }
        self.deliver_noted(&plan, &account, None, &stanza, &Origin::default(), Some(entry)).await;
        true
    }
}

/// Whether the message may be for another resource, or for later, if its own is gone
/// (RFC 6121 §8.5.3.2.1).
pub(crate) fn may_be_kept(stanza: &Stanza) -> bool {
    stanza.kind() == Kind::Message && !matches!(stanza.type_(), Type::Groupchat | Type::Headline | Type::Error)
}
