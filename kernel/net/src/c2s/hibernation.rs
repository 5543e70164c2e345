//! Sessions without a connection, whose clients may come back (XEP-0198 §5).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Cx, Poll};

use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};
use xylem_session::{Interrupt, Item, Session, Unacknowledged, bell};
use xylem_stanza::{BareJid, StreamCondition};
use xylem_stream::{Ending, StreamError};

use crate::c2s::Context;
use crate::c2s::entry::Waiting;
use crate::c2s::farewell::tell;

/// How many sessions wait, and what became of some of them.
#[derive(Debug, Default)]
pub struct Hibernation {
    waiting: AtomicUsize,
    resumptions: AtomicU64,
    gone: Notify,
    former: Mutex<VecDeque<Former>>,
}

/// A session whose client came too late; it is told how far it had got (§5).
#[derive(Debug)]
struct Former {
    account: BareJid,
    id: String,
    handled: u32,
}

/// How many of those are remembered, over all accounts.
const REMEMBERED: usize = 1024;

impl Hibernation {
    /// Sessions that wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Sessions that went on over another connection, since the start.
    #[must_use]
    pub fn resumptions(&self) -> u64 {
        self.resumptions.load(Ordering::Relaxed)
    }

    pub(crate) fn count_resumption(&self) {
        self.resumptions.fetch_add(1, Ordering::Relaxed);
    }

    /// Until none waits any more.
    pub(crate) async fn all_gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.waiting() == 0 {
                return;
            }
            gone.await;
        }
    }

    /// What a session that is over had handled, if that is remembered.
    pub(crate) fn handled_by(&self, account: &BareJid, id: &str) -> Option<u32> {
        let former = self.former();
        former.iter().find(|former| former.id == id && former.account == *account).map(|former| former.handled)
    }

    fn remember(&self, session: &Session, handled: u32) {
        let Some(management) = session.management() else { return };
        let mut former = self.former();
        if former.len() >= REMEMBERED {
            former.pop_front();
        }
        former.push_back(Former { account: session.jid().bare(), id: management.id().to_owned(), handled });
    }

    fn former(&self) -> MutexGuard<'_, VecDeque<Former>> {
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session waits for its client. `unfinished` is what its connection was working
/// off; it has to be done before anybody may have the session.
///
/// Without a runtime, so when the process ends, there is nothing left to do.
pub(super) fn begin(
    context: &Arc<Context>,
    session: Arc<Session>,
    mut kept: Box<Unacknowledged>,
    unfinished: Option<Waiting<()>>,
) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let management = session.management();
    let patience = management.and_then(xylem_session::Management::resume).unwrap_or_default();
    // Counted before anybody can see that it waits: who sees it finds it in the number.
    let counted = Counted::one_more(context);
    if let Some(management) = management {
        management.hibernate(kept.messages());
    }
    kept.shrink();
    // XEP-0352 §5.2: not restored.
    session.queue().set_active(true);
    make_room(context, &session);
    tracing::debug!(jid = %session.jid(), unacknowledged = kept.stanzas(), "session waits for its client");
    let telling = context.entry.hibernated(&session, &mut kept);
    let unfinished = match (unfinished, telling) {
        (Some(first), Some(then)) => {
            let both: Waiting<()> = Box::pin(async move {
                first.await;
                then.await;
            });
            Some(both)
        }
        (first, then) => first.or(then),
    };
    runtime.spawn(Sleeper {
        context: counted,
        session,
        kept: Some(kept),
        timer: Box::pin(sleep(patience)),
        unfinished,
        farewell: None,
    });
}

/// Where an account has more sessions waiting than it may, the oldest ends.
fn make_room(context: &Context, newest: &Session) {
    let most = context.config.load().management.hibernated_per_account;
    let sessions = context.sessions.of(newest.jid().bare_str());
    let waiting: Vec<_> = sessions.iter().filter(|session| session.is_hibernated()).collect();
    for session in waiting.iter().take(waiting.len().saturating_sub(most)) {
        session.queue().end(StreamCondition::ResourceConstraint, Some("too many sessions wait for their clients"));
    }
}

/// The task of one such session.
struct Sleeper {
    context: Counted,
    session: Arc<Session>,
    kept: Option<Box<Unacknowledged>>,
    timer: Pin<Box<Sleep>>,
    unfinished: Option<Waiting<()>>,
    farewell: Option<Waiting<()>>,
}

/// Keeps the number right, whatever ends the task.
struct Counted(Arc<Context>);

impl Counted {
    fn one_more(context: &Arc<Context>) -> Self {
        context.hibernation.waiting.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(context))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.hibernation.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.hibernation.gone.notify_waiters();
        }
    }
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<()> {
        let sleeper = self.get_mut();
        bell::hold(|| sleeper.turn(cx))
    }
}

impl Sleeper {
    fn turn(&mut self, cx: &mut Cx<'_>) -> Poll<()> {
        if let Some(unfinished) = &mut self.unfinished {
            std::task::ready!(unfinished.as_mut().poll(cx));
            self.unfinished = None;
        }
        if self.farewell.is_none() {
            match self.session.queue().rest(cx.waker()) {
                Some(Interrupt::Claimed) => return self.give(),
                Some(Interrupt::End(end)) => {
                    let error = StreamError { text: end.text, ..StreamError::new(end.condition) };
                    self.end(Ending::Failed(error));
                }
                None => {
                    std::task::ready!(self.timer.as_mut().poll(cx));
                    if let Some(kept) = &self.kept {
                        self.context.0.hibernation.remember(&self.session, kept.handled);
                    }
                    self.end(Ending::Lost);
                }
            }
        }
        match &mut self.farewell {
            Some(farewell) => farewell.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }

    fn give(&mut self) -> Poll<()> {
        if let (Some(claim), Some(kept)) = (self.session.queue().take_claim(), self.kept.take()) {
            claim.give(kept);
        }
        Poll::Ready(())
    }

    fn end(&mut self, ending: Ending) {
        let context = &self.context.0;
        context.sessions.unbind(&self.session);
        let never_sent = self.session.queue().close();
        let mut stanzas = self.kept.take().map(|kept| kept.into_stanzas()).unwrap_or_default();
        for item in never_sent {
            if let Item::Stanza(stanza) = item {
                stanzas.push(stanza);
            }
        }
        tracing::debug!(jid = %self.session.jid(), ?ending, undelivered = stanzas.len(), "session ends");
        self.farewell = Some(Box::pin(tell(Arc::clone(context), Arc::clone(&self.session), ending, stanzas)));
    }
}
