//! A session's end of the wire, as the task of a connection would hold it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use xylem_router::Router;
use xylem_session::{Delivery, End, Interrupt, Item, Session, SessionTable, Taken};
use xylem_stanza::Outgoing;

/// Bytes taken from a queue at once; all of it in the end.
const BITE: usize = 1 << 20;

pub(crate) struct Line {
    pub(crate) session: Arc<Session>,
    /// Stanzas read and not yet asked for by the test.
    pub(crate) inbox: RefCell<VecDeque<String>>,
    reads: Cell<bool>,
    /// Why it is over.
    ended: RefCell<Option<String>>,
}

impl Line {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session, inbox: RefCell::default(), reads: Cell::new(true), ended: RefCell::default() }
    }

    pub(crate) fn jid(&self) -> &str {
        self.session.jid().as_str()
    }

    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// The server is gone, or the test has told why it is over.
    pub(crate) fn mark_ended(&self, why: &str) {
        self.ended.borrow_mut().get_or_insert_with(|| why.to_owned());
    }

    pub(crate) fn read_on(&self, reads: bool) {
        self.reads.set(reads);
    }

    pub(crate) fn is_held(&self) -> bool {
        self.ended.borrow().is_none() && !self.reads.get()
    }

    /// Whether nothing waits that would be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.ended.borrow().is_some() || self.is_held() || self.session.queue().depth().0 == 0
    }

    /// Reads what waits; whether there was anything.
    pub(crate) async fn read(&self, sessions: &SessionTable, router: &Router) -> bool {
        if self.ended.borrow().is_some() {
            return false;
        }
        let queue = self.session.queue();
        let mut items = VecDeque::new();
        let taken = if self.reads.get() {
            queue.poll_take(Waker::noop(), BITE, &mut items)
        } else {
            match queue.watch(Waker::noop()) {
                Some(Interrupt::End(end)) => Taken::End(end),
                Some(Interrupt::Claimed) | None => Taken::Empty,
            }
        };
        for item in items {
            match item {
                Item::Stanza(stanza) => self.inbox.borrow_mut().push_back(text(&stanza)),
                Item::Barrier(barrier) => barrier.fire(Delivery::Written),
                Item::Ping => {}
            }
        }
        match taken {
            Taken::Empty | Taken::Claimed => false,
            Taken::Items => true,
            Taken::End(End { condition, .. }) => {
                self.leave(&condition.to_string(), sessions, router).await;
                true
            }
        }
    }

    /// The connection is over: as the server's own connections take leave.
    pub(crate) async fn leave(&self, why: &str, sessions: &SessionTable, router: &Router) {
        self.mark_ended(why);
        sessions.unbind(&self.session);
        let left = self.session.queue().close();
        let stanzas = left.into_iter().filter_map(|item| match item {
            Item::Stanza(stanza) => Some(stanza),
            Item::Barrier(_) | Item::Ping => None,
        });
        let stanzas: Vec<_> = stanzas.collect();
        if self.session.retire()
            && let Some(work) = router.ended(&self.session, why)
        {
            work.await;
        }
        if !stanzas.is_empty()
            && let Some(work) = router.undelivered(&self.session, stanzas)
        {
            work.await;
        }
    }
}

fn text(stanza: &Outgoing) -> String {
    String::from_utf8_lossy(&stanza.to_vec()).into_owned()
}
