//! One stanza after another to sessions that are connected: the many that a room sends to
//! whoever enters. What the addressee's account asks of plugins is looked at for each of them;
//! with nobody to ask, a stanza costs a look at the session table and a place in a queue.

use std::sync::Arc;

use xylem_hooks::{Cause, Effect, HookPoint, Party, Plan};
use xylem_session::{Session, bell};
use xylem_stanza::{Kind, Stanza};

use crate::bare::Filters;
use crate::destination::Destination;
use crate::fan_out::is_plain;
use crate::notes::may_be_kept;
use crate::router::{Origin, Parts};

/// Stanzas worked off before bells are rung.
const CHUNK: usize = 256;

/// Where the last stanza went.
struct Addressee {
    to: String,
    plan: Arc<Plan>,
    session: Arc<Session>,
    filters: Filters,
}

impl Parts {
    /// Sends as many of the first effects as go the short way; says how many.
    pub(crate) fn send_singly(&self, effects: &[Effect], origin: &Origin) -> usize {
        if origin.hops > Cause::MAX_HOPS {
            return 0;
        }
        let mut last: Option<Addressee> = None;
        bell::hold(|| {
            let sent = effects.iter().take(CHUNK).take_while(|effect| match effect {
                Effect::Send(stanza) => self.push_singly(stanza, &mut last),
                _ => false,
            });
            sent.count()
        })
    }

    fn push_singly(&self, stanza: &Stanza, last: &mut Option<Addressee>) -> bool {
        let Some(to) = stanza.to().filter(|to| to.is_full() && is_plain(stanza)) else { return false };
        if last.as_ref().is_none_or(|last| last.to != to.as_str()) {
            let Destination::Resource(plan, full) = Destination::of(to, &*self.directory) else { return false };
            let Some(session) = self.sessions.find(&full) else { return false };
            let filters = Filters::of(self, &plan);
            *last = Some(Addressee { to: to.as_str().to_owned(), plan, session, filters });
        }
        let Some(Addressee { plan, session, filters, .. }) = last else { return false };
        if session.is_hibernated() && may_be_kept(stanza) {
            return false;
        }
        let point = if stanza.kind() == Kind::Presence { HookPoint::PresenceIn } else { HookPoint::MessageIn };
        let walk = plan.point(point).walk(stanza);
        let party = Party { key: to.bare_str(), domain: plan.domain(), peer: stanza.from() };
        self.passes(&walk, filters.needed(&walk), filters, session, &party) && self.push(session, stanza)
    }
}
