//! Stream management of one connection (XEP-0198): what was sent is kept until the
//! client acknowledges it, and may go on over another connection.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;
use xylem_session::{Claim, End, Item, Session, Unacknowledged};
use xylem_stanza::{BareJid, Outgoing, StreamCondition};
use xylem_stream::{Action, Ending, Event, Phase, Resume, ResumeRefusal, Resumed, StreamError, Terms};

use crate::c2s::driver::{Driver, Place};
use crate::c2s::hibernation;
use crate::c2s::work::{Left, Work};
use crate::config::ManagementConfig;

/// `<r/>`, as written behind a batch.
const ASK: &[u8] = b"<r xmlns='urn:xmpp:sm:3'/>";

/// What a connection with stream management knows beside.
pub(super) struct Managed {
    pub kept: Box<Unacknowledged>,
    /// The client was asked and has not answered yet.
    asked: bool,
    /// Stanzas written since it was asked last.
    since: usize,
    /// When it is asked if it says nothing by itself.
    ask_at: Option<Instant>,
    /// Since when as much waits for its acknowledgement as may.
    full_since: Option<Instant>,
}

impl Managed {
    pub(super) fn new(kept: Box<Unacknowledged>) -> Self {
        Self { kept, asked: false, since: 0, ask_at: None, full_since: None }
    }

    /// Whether nothing may be sent until the client acknowledges.
    pub(super) fn is_full(&self) -> bool {
        self.full_since.is_some()
    }

    /// So many stanzas were written. True if the client is to be asked now: there are
    /// many, or somebody waits for them (`pressing`).
    fn sent(&mut self, stanzas: usize, pressing: bool, config: &ManagementConfig) -> bool {
        self.since += stanzas;
        let full = self.kept.is_full(config.unacknowledged);
        if full && self.full_since.is_none() {
            self.full_since = Some(Instant::now());
        }
        if self.asked || self.kept.stanzas() == 0 {
            return false;
        }
        let ask = full || pressing || self.since >= config.ask_after;
        if ask {
            self.ask();
        } else if self.ask_at.is_none() {
            self.ask_at = Some(Instant::now() + config.ask_idle);
        }
        ask
    }

    fn ask(&mut self) {
        self.asked = true;
        self.since = 0;
        self.ask_at = None;
    }

    fn acknowledged(&mut self, h: u32, config: &ManagementConfig) -> Result<(), u32> {
        self.kept.acknowledge(h)?;
        self.asked = false;
        self.ask_at = (self.kept.stanzas() > 0).then(|| Instant::now() + config.ask_idle);
        if !self.kept.is_full(config.unacknowledged) {
            self.full_since = None;
        }
        Ok(())
    }

    /// When something is due next.
    fn due(&self, patience: std::time::Duration) -> Option<Instant> {
        let full = self.full_since.map(|since| since + patience);
        [self.ask_at, full].into_iter().flatten().min()
    }
}

impl Driver {
    /// The client is granted stream management: what is written from now on counts.
    pub(super) fn manage(&mut self, terms: Terms) {
        let Some(session) = self.session() else { return };
        session.manage(terms.id, terms.resume.map(|seconds| std::time::Duration::from_secs(seconds.into())));
        self.managed = Some(Box::new(Managed::new(Box::default())));
    }

    /// Whether anybody looks at the client (XEP-0352).
    pub(super) fn client_state(&self, active: bool) {
        if let Some(session) = self.session() {
            session.queue().set_active(active);
        }
    }

    /// A stanza of the stream's own. It counts like any other.
    pub(super) fn reply(&mut self, bytes: bytes::Bytes) {
        let Some(managed) = &mut self.managed else { return self.answers.extend_from_slice(&bytes) };
        // What is to be written again comes first, and this with it.
        if !managed.kept.has_unwritten() {
            self.answers.extend_from_slice(&bytes);
        }
        managed.kept.push(Item::Stanza(Outgoing::raw(bytes)));
        if managed.sent(1, false, &self.config.management) {
            self.answers.extend_from_slice(ASK);
        }
    }

    /// Writes what is left of an earlier connection.
    pub(super) fn rewrite(&mut self, bytes: usize, plain: &mut Vec<u8>) {
        let Some(managed) = &mut self.managed else { return };
        if !managed.kept.has_unwritten() {
            return;
        }
        managed.kept.rewrite(bytes, plain);
        if !managed.kept.has_unwritten() && managed.sent(0, true, &self.config.management) {
            plain.extend_from_slice(ASK);
        }
    }

    /// Keeps what was just put into `plain`.
    pub(super) fn keep(&mut self, plain: &mut Vec<u8>) {
        let Some(managed) = &mut self.managed else { return };
        let (before, mut pressing) = (managed.kept.stanzas(), false);
        for item in std::mem::take(&mut self.in_flight) {
            // Somebody waits until the stanzas before it are received.
            pressing |= matches!(item, Item::Barrier(_));
            managed.kept.push(item);
        }
        let now = managed.kept.stanzas();
        if managed.sent(now - before, pressing, &self.config.management) {
            plain.extend_from_slice(ASK);
        }
        if let Place::Session { session, .. } = &self.place {
            session.counters().wrote((now - before) as u64, 0);
            session.note_unacknowledged(now);
        }
    }

    /// What the client has sent is not on disk and will not be: it is not told that it is.
    pub(super) fn unsettled(&mut self) {
        tracing::warn!(peer = %self.peer, "not acknowledged: what was sent is not on disk");
        if matches!(self.later.front(), Some(Action::Write(_))) {
            self.later.pop_front();
        }
    }

    /// The client has received so many stanzas.
    pub(super) fn acknowledged(&mut self, h: u32) {
        let Some(managed) = &mut self.managed else { return };
        match managed.acknowledged(h, &self.config.management) {
            Ok(()) => {
                let stanzas = managed.kept.stanzas();
                if let Place::Session { session, .. } = &self.place {
                    session.note_unacknowledged(stanzas);
                }
            }
            Err(sent) => self.handle(Event::AcknowledgedTooMany { h, sent }),
        }
    }

    /// When stream management wants the clock to ring.
    pub(super) fn management_due(&self) -> Option<Instant> {
        self.managed.as_ref()?.due(self.config.timeouts.stalled)
    }

    /// The clock rang; true if it was for stream management.
    pub(super) fn management_rings(&mut self, now: Instant) -> bool {
        let Some(managed) = &mut self.managed else { return false };
        if managed.full_since.is_some_and(|since| since + self.config.timeouts.stalled <= now) {
            self.managed_end();
            return true;
        }
        let ask = managed.ask_at.is_some_and(|at| at <= now);
        if ask {
            managed.ask_at = None;
            if managed.kept.stanzas() > 0 && !managed.asked {
                managed.ask();
                self.answers.extend_from_slice(ASK);
            }
        }
        ask
    }

    fn managed_end(&mut self) {
        if let Some(managed) = &mut self.managed {
            managed.full_since = None;
        }
        self.end(End {
            condition: StreamCondition::ResourceConstraint,
            text: Some("stanzas are not acknowledged"),
            flush: false,
        });
    }

    /// Another connection wants this session. What the client sent here before is worked
    /// off first, so that its number is right. True if the session has changed hands.
    pub(super) fn hand_over(&mut self) -> bool {
        if self.work.is_some() {
            self.yielding = true;
            return false;
        }
        let Some(claim) = self.session().and_then(|session| session.queue().take_claim()) else { return false };
        let Some(managed) = self.managed.take() else { return false };
        tracing::debug!(peer = %self.peer, "the session goes on elsewhere");
        let mut kept = managed.kept;
        kept.handled = self.handled();
        self.client_state(true);
        self.place = Place::Left;
        claim.give(kept);
        self.handle(Event::End(StreamError::with_text(StreamCondition::Conflict, "resumed elsewhere")));
        true
    }

    pub(super) fn handled(&self) -> u32 {
        self.stream.as_ref().and_then(|stream| stream.handled()).unwrap_or_default()
    }

    /// Looks for the session that the client wants back, among those of its own account.
    pub(super) fn resume_session(&mut self, account: &BareJid, request: Resume) {
        let wanted = |session: &Arc<Session>| {
            let management = session.management();
            management.is_some_and(|management| management.resume().is_some() && *management.id() == *request.previd)
        };
        let (give, left) = oneshot::channel();
        let claim = Claim::new(move |left| drop(give.send(left)));
        let session = self.context.sessions.of(account.as_str()).into_iter().find(wanted);
        match session.filter(|session| session.queue().claim(claim).is_ok()) {
            Some(session) => {
                let entry = Arc::clone(&self.context.entry);
                let left = Box::pin(async move {
                    let left = left.await.ok().flatten();
                    // `<resumed/>` acknowledges as well.
                    let settled = match entry.settled() {
                        Some(settled) => settled.await,
                        None => true,
                    };
                    (left, settled)
                });
                self.work = Some(Work::Takeover { left, session, request });
            }
            None => self.not_found(account, &request.previd),
        }
    }

    fn not_found(&mut self, account: &BareJid, id: &str) {
        let handled = self.context.hibernation.handled_by(account, id);
        self.handle(Event::Resumed(Err(ResumeRefusal::NotFound(handled))));
    }

    /// The former holder has answered.
    pub(super) fn take_over(&mut self, session: Arc<Session>, (left, settled): Left, request: &Resume) {
        let Some(mut kept) = left else { return self.not_found(&session.jid().bare(), &request.previd) };
        if !settled {
            tracing::warn!(jid = %session.jid(), "not resumed: what was sent before is not on disk");
            hibernation::begin(&self.context, session, kept, None);
            return self.handle(Event::Resumed(Err(ResumeRefusal::NotFound(None))));
        }
        if let Err(sent) = kept.acknowledge(request.h) {
            hibernation::begin(&self.context, session, kept, None);
            return self.handle(Event::Resumed(Err(ResumeRefusal::HandledTooMany { h: request.h, sent })));
        }
        let resumed = Resumed { jid: session.jid().clone(), handled: kept.handled };
        kept.rewind();
        if self.context.lobby.is_closed() {
            // The word to leave went to the place given up here.
            session.queue().end(StreamCondition::SystemShutdown, None);
        }
        self.place = Place::Session { session, open: false };
        self.managed = Some(Box::new(Managed::new(kept)));
        self.handle(Event::Resumed(Ok(resumed)));
        if self.phase() != Some(Phase::Session) {
            // The stream ended meanwhile.
            self.leave(&Ending::Lost);
        }
    }

    /// The client knows that its session goes on here.
    pub(super) fn reestablished(&mut self) {
        let from = self.endpoint();
        let Place::Session { session, open } = &mut self.place else { return };
        *open = true;
        self.timing.session();
        if let Some(management) = session.management() {
            management.resumed(from);
        }
        self.context.hibernation.count_resumption();
        tracing::debug!(peer = %self.peer, jid = %session.jid(), "session resumed");
        if let Some(waiting) = self.context.entry.resumed(session) {
            self.work = Some(Work::Entry(waiting));
        }
    }
}
