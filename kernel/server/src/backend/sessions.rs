use std::sync::Arc;
use std::time::SystemTime;

use xylem_ops::backend::{Answer, Sessions};
use xylem_ops::session::{Ended, Management, SessionRow};
use xylem_ops::{Key, Page, Paging};
use xylem_session::Session;
use xylem_stanza::StreamCondition;

use super::certificates::seconds;
use crate::instance::Instance;

/// Sessions looked at per turn.
const BATCH: usize = 1024;

/// Most characters of a program's name.
const PROGRAM: usize = 64;

/// `session.*`
pub struct SessionBackend(pub Arc<Instance>);

impl Sessions for SessionBackend {
    fn list(&self, account: Option<String>, domain: Option<String>, paging: Paging) -> Answer<'_, Page<SessionRow>> {
        Box::pin(async move {
            let account = account.map(|account| self.0.accounts.address(&account)).transpose()?;
            let wanted = |s: &&Arc<Session>| domain.as_ref().is_none_or(|domain| s.jid().domain() == domain);
            let mut rows = Vec::new();
            if let Some(jid) = &account {
                rows.extend(self.0.sessions.of(jid.as_str()).iter().filter(wanted).map(row));
            } else {
                let mut after = 0;
                loop {
                    let some = self.0.sessions.all(after, BATCH);
                    let Some(last) = some.last() else { break };
                    after = last.id();
                    rows.extend(some.iter().filter(wanted).map(row));
                    tokio::task::yield_now().await;
                }
            }
            rows.retain(|row| paging.finds(&[&row.jid, row.peer.as_deref().unwrap_or_default()]));
            paging.page(rows, |row| (sorted_by(row, paging.sort.as_deref()), row.jid.clone()))
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

fn sorted_by(row: &SessionRow, sort: Option<&str>) -> Key {
    let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
    match sort {
        // The oldest first.
        Some("since") => Key::Number(-i64::try_from(row.seconds.unwrap_or_default()).unwrap_or(i64::MAX)),
        Some("queued") => number(row.queued),
        Some("traffic") => number(row.bytes_in.saturating_add(row.bytes_out)),
        Some("priority") => Key::Number(row.priority.into()),
        _ => Key::Text(row.jid.clone()),
    }
}

pub(super) fn row(session: &Arc<Session>) -> SessionRow {
    let presence = session.presence();
    let (_, queued) = session.queue().depth();
    let (endpoint, counters) = (session.endpoint(), session.counters());
    SessionRow {
        jid: session.jid().to_string(),
        available: presence.available,
        priority: presence.priority,
        peer: Some(endpoint.peer.to_string()),
        seconds: SystemTime::now().duration_since(session.connected_at()).ok().map(|d| d.as_secs()),
        queued: queued as u64,
        management: management(session),
        unacknowledged: session.management().map_or(0, |management| management.unacknowledged() as u64),
        inactive: session.queue().is_inactive(),
        client: program(session),
        tls: endpoint.tls.map(|tls| tls.protocol.to_owned()),
        cipher: endpoint.tls.map(|tls| tls.cipher.to_owned()),
        mechanism: endpoint.mechanism.to_owned(),
        anonymous: endpoint.anonymous,
        since: seconds(session.connected_at()),
        stanzas_in: counters.stanzas_in(),
        stanzas_out: counters.stanzas_out(),
        bytes_in: counters.bytes_in(),
        bytes_out: counters.bytes_out(),
    }
}

/// What the client's presence calls it: the host of the node and version that it carries (XEP-0115 §4), a
/// program's site by custom. By its form, not by its namespace: what else it means is no matter of the kernel.
fn program(session: &Session) -> Option<String> {
    let presence = session.last_presence()?;
    let mut named = presence.root().children().filter(|child| child.attr("ver").is_some());
    let node = named.find_map(|child| child.attr("node"))?;
    let host = node.split_once("://").map_or(&*node, |(_, rest)| rest).split(['/', '#', '?']).next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let name: String = host.chars().filter(|letter| !letter.is_control()).take(PROGRAM).collect();
    Some(name).filter(|name| !name.is_empty())
}

fn management(session: &Session) -> Management {
    match session.management() {
        None => Management::None,
        Some(management) if management.is_hibernated() => Management::Hibernated,
        Some(management) if management.resume().is_some() => Management::Resumable,
        Some(_) => Management::Acknowledging,
    }
}
