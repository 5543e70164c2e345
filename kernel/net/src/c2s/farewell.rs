//! Taking leave: out of the table, and whoever has to know is told.

use std::sync::Arc;

use xylem_session::{Item, Session};
use xylem_stanza::Outgoing;
use xylem_stream::Ending;

use crate::c2s::Context;
use crate::c2s::driver::{Driver, Place};
use crate::c2s::work::Work;

impl Driver {
    /// Ends the session, if there is one, once. What was not written comes back to the
    /// server behind; barriers fire as lost. A stanza that is being worked off is worked
    /// off to its end.
    pub(super) fn leave(&mut self, ending: &Ending) {
        let Place::Session { session, .. } = std::mem::replace(&mut self.place, Place::Left) else { return };
        self.context.sessions.unbind(&session);
        let never_taken = session.queue().close();
        let mut stanzas = Vec::new();
        for item in std::mem::take(&mut self.in_flight).into_iter().chain(never_taken) {
            if let Item::Stanza(stanza) = item {
                stanzas.push(stanza);
            }
        }
        tracing::debug!(jid = %session.jid(), ?ending, undelivered = stanzas.len(), "session ends");
        let unfinished = match self.work.take() {
            Some(Work::Entry(waiting) | Work::Succession { ended: waiting, .. }) => Some(waiting),
            _ => None,
        };
        let telling = tell(self.context.clone(), session, ending.clone(), stanzas);
        self.farewell = Some(Box::pin(async move {
            if let Some(unfinished) = unfinished {
                unfinished.await;
            }
            telling.await;
        }));
    }
}

async fn tell(context: Arc<Context>, session: Arc<Session>, ending: Ending, stanzas: Vec<Outgoing>) {
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
