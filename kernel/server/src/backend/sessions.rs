use std::sync::Arc;
use std::time::SystemTime;

use xylem_ops::backend::{Answer, Sessions};
use xylem_ops::session::{Ended, Management, SessionRow};
use xylem_session::Session;
use xylem_stanza::StreamCondition;

use crate::instance::Instance;

/// Sessions looked at per turn.
const BATCH: usize = 1024;

/// `session.*`
pub struct SessionBackend(pub Arc<Instance>);

impl Sessions for SessionBackend {
    fn list(&self, account: Option<String>, domain: Option<String>, limit: usize) -> Answer<'_, Vec<SessionRow>> {
        Box::pin(async move {
            if let Some(account) = account {
                let jid = self.0.accounts.address(&account)?;
                return Ok(self.0.sessions.of(jid.as_str()).iter().take(limit).map(row).collect());
            }
            let mut rows = Vec::new();
            let mut after = 0;
            loop {
                let some = self.0.sessions.all(after, BATCH);
                let Some(last) = some.last() else { return Ok(rows) };
                after = last.id();
                let wanted = some.iter().filter(|s| domain.as_ref().is_none_or(|domain| s.jid().domain() == domain));
                rows.extend(wanted.take(limit - rows.len()).map(row));
                if rows.len() >= limit {
                    return Ok(rows);
                }
                tokio::task::yield_now().await;
            }
        })
    }

    fn end(&self, account: String, resource: Option<String>) -> Answer<'_, Ended> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let mut ended = 0;
            for session in &self.0.sessions.of(jid.as_str()) {
                if resource.as_ref().is_none_or(|resource| session.jid().resource() == resource) {
                    session.queue().end(StreamCondition::NotAuthorized, Some("ended by an administrator"));
                    ended += 1;
                }
            }
            Ok(Ended { sessions: ended })
        })
    }
}

fn row(session: &Arc<Session>) -> SessionRow {
    let presence = session.presence();
    let (_, queued) = session.queue().depth();
    SessionRow {
        jid: session.jid().to_string(),
        available: presence.available,
        priority: presence.priority,
        peer: Some(session.endpoint().peer.to_string()),
        seconds: SystemTime::now().duration_since(session.connected_at()).ok().map(|d| d.as_secs()),
        queued: queued as u64,
        management: management(session),
        unacknowledged: session.management().map_or(0, |management| management.unacknowledged() as u64),
        inactive: session.queue().is_inactive(),
    }
}

fn management(session: &Session) -> Management {
    match session.management() {
        None => Management::None,
        Some(management) if management.is_hibernated() => Management::Hibernated,
        Some(management) if management.resume().is_some() => Management::Resumable,
        Some(_) => Management::Acknowledging,
    }
}
