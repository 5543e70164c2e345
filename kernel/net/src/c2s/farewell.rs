//! Taking leave: out of the table, and whoever has to know is told.

use std::sync::Arc;

use xylem_session::{Item, Session};
use xylem_stanza::Outgoing;
use xylem_stream::Ending;

use crate::c2s::Context;
use crate::c2s::driver::{Driver, Place};
use crate::c2s::entry::Waiting;
use crate::c2s::hibernation;
use crate::c2s::work::Work;

impl Driver {
    /// Ends the session, if there is one, once. What was not written comes back to the
    /// server behind; barriers fire as lost. A stanza that is being worked off is worked
    /// off to its end.
    ///
    /// Where the client may come back, the session stays without its connection.
    pub(super) fn leave(&mut self, ending: &Ending) {
        self.send_away();
        let Place::Session { session, .. } = std::mem::replace(&mut self.place, Place::Left) else { return };
        let unfinished = match self.work.take() {
            Some(Work::Entry(waiting) | Work::Succession { ended: waiting, .. }) => Some(waiting),
            Some(Work::Answered(waiting)) => {
                let unheard: Waiting<()> = Box::pin(async { drop(waiting.await) });
                Some(unheard)
            }
            _ => None,
        };
        let managed = self.managed.take();
        let resumable = session.management().is_some_and(|management| management.resume().is_some());
        let mut stanzas = match managed {
            Some(managed) if *ending == Ending::Lost && resumable => {
                let mut kept = managed.kept;
                kept.handled = self.handled();
                return hibernation::begin(&self.context, session, kept, unfinished);
            }
            managed => managed.map(|managed| managed.kept.into_stanzas()).unwrap_or_default(),
        };
        self.context.sessions.unbind(&session);
        let never_taken = session.queue().close();
        for item in std::mem::take(&mut self.in_flight).into_iter().chain(never_taken) {
            if let Item::Stanza(stanza) = item {
                stanzas.push(stanza);
            }
        }
        tracing::debug!(jid = %session.jid(), ?ending, undelivered = stanzas.len(), "session ends");
        let telling = tell(self.context.clone(), session, ending.clone(), stanzas);
        self.farewell = Some(Box::pin(async move {
            if let Some(unfinished) = unfinished {
                unfinished.await;
            }
            telling.await;
        }));
    }

    /// A session that was asked for and has not come yet would come to nobody.
    fn send_away(&mut self) {
        match self.work.take() {
            Some(Work::Takeover { left, session, .. }) => {
                let context = self.context.clone();
                let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
                runtime.spawn(async move {
                    if let (Some(kept), _) = left.await {
                        hibernation::begin(&context, session, kept, None);
                    }
                });
            }
            other => self.work = other,
        }
    }
}

pub(super) async fn tell(context: Arc<Context>, session: Arc<Session>, ending: Ending, stanzas: Vec<Outgoing>) {
    if session.retire()
        && let Some(waiting) = context.entry.ended(&session, &ending)
    {
        waiting.await;
    }
    if !stanzas.is_empty()
        && let Some(waiting) = context.entry.undelivered(&session, stanzas)
    {
        waiting.await;
    }
}
