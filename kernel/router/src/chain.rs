//! Walking the chain of a hook point.

use std::sync::Arc;

use smallvec::SmallVec;
use xylem_hooks::call::PluginIndex;
use xylem_hooks::manifest::{ElementName, Native};
use xylem_hooks::{
    Cause, Failure, HookPoint, Next, Parties, Party, Phase, Plan, Recorded, Stamp, Step, Verdict, Views, Walk,
};
use xylem_stanza::{Jid, Stanza};
use xylem_store::Store;

use crate::router::{Origin, Parts};

/// How a stanza left a chain.
pub(crate) enum Passed {
    /// It goes on, edited or not.
    On(Stanza),
    /// A plugin dealt with it.
    Stopped,
    /// A plugin wants its sender to get an error.
    Rejected(Stanza, Failure),
}

/// A chain, and between whom the stanza passes.
pub(crate) struct Passage<'a> {
    plan: &'a Plan,
    walk: Walk<'a>,
    key: &'a str,
    incoming: bool,
    /// See [`xylem_hooks::Cause::note`].
    note: Option<Arc<[u8]>>,
    /// Written into the stanza when somebody looks at it.
    stamps: SmallVec<[Stamp; 1]>,
}

impl<'a> Passage<'a> {
    pub(crate) fn new(plan: &'a Plan, point: HookPoint, key: &'a str, stanza: &Stanza) -> Self {
        let incoming = !point.is_outgoing();
        Self { plan, walk: plan.point(point).walk(stanza), key, incoming, note: None, stamps: SmallVec::new() }
    }

    /// For a message that a session was sent before it lost its connection, see [`xylem_hooks::Chain::walk_anew`].
    pub(crate) fn anew(plan: &'a Plan, key: &'a str, stanza: &Stanza) -> Self {
        let walk = plan.point(HookPoint::MessageIn).walk_anew(stanza);
        Self { plan, walk, key, incoming: true, note: None, stamps: SmallVec::new() }
    }

    /// The part of a chain that is for a domain claimed by this plugin.
    pub(crate) fn claimed(plan: &'a Plan, point: HookPoint, key: &'a str, stanza: &Stanza, owner: PluginIndex) -> Self {
        let walk = plan.point(point).walk_claimed(stanza, owner);
        Self { plan, walk, key, incoming: true, note: None, stamps: SmallVec::new() }
    }

    /// The stanza is noted on disk: who stops it strikes that out.
    pub(crate) fn noted(self, note: Option<Arc<[u8]>>) -> Self {
        Self { note, ..self }
    }

    /// As [`Passage::through`], and the sender hears of it when a plugin rejects the stanza.
    /// `None` if it ends here.
    pub(crate) async fn past(
        &mut self,
        last: Phase,
        parts: &Arc<Parts>,
        origin: &Origin,
        stanza: Stanza,
    ) -> Option<Stanza> {
        match self.through(last, parts, origin, stanza).await {
            Passed::On(stanza) => Some(stanza),
            Passed::Stopped => None,
            Passed::Rejected(stanza, failure) => {
                Box::pin(parts.bounce(&stanza, &failure, origin)).await;
                None
            }
        }
    }

    /// Walks up to and including this phase.
    pub(crate) async fn through(&mut self, last: Phase, parts: &Parts, origin: &Origin, mut stanza: Stanza) -> Passed {
        loop {
            let peer: Option<Jid> = if self.incoming { stanza.from() } else { stanza.to() }.cloned();
            let party = Party { key: self.key, domain: self.plan.domain(), peer: peer.as_ref() };
            match self.walk.next(last, &party, &Rows(parts)) {
                Next::Done => return Passed::On(self.stamped(stanza)),
                Next::Load { table, partition } => {
                    if !Box::pin(load(&parts.store, table, &partition)).await {
                        return Passed::Rejected(stanza, storage_failed());
                    }
                }
                Next::Call { step, bits } => {
                    if self.natively(step, bits, parts, peer.as_ref(), &mut stanza) {
                        continue;
                    }
                    stanza = self.stamped(stanza);
                    let Some(plugins) = parts.plugins.get() else { return Passed::On(stanza) };
                    let cause = Cause { note: self.note.clone(), ..origin.cause(self.plan, self.key) };
                    let outcome = plugins.hook(step.plugin, step.entry, bits, &cause, &stanza).get().await;
                    if let Some(edited) = outcome.edited {
                        stanza = edited;
                        self.walk.reexamine(&stanza);
                    }
                    match outcome.verdict {
                        Verdict::Pass => {}
                        Verdict::Stop => return Passed::Stopped,
                        Verdict::Reject(failure) => return Passed::Rejected(stanza, failure),
                    }
                }
            }
        }
    }
}

impl Passage<'_> {
    /// What the manifest lets the server do by itself; false if the plugin is to be called.
    fn natively(&mut self, step: &Step, bits: u64, parts: &Parts, peer: Option<&Jid>, stanza: &mut Stanza) -> bool {
        match &step.native {
            None => false,
            Some(Native::Strip(child)) => {
                self.strip(child, stanza);
                true
            }
            Some(Native::Record(record)) => {
                let (Some(plugins), Some(peer)) = (parts.plugins.get(), peer) else { return false };
                if !record.when.holds(bits) {
                    return false;
                }
                let parties = Parties { domain: self.plan.domain_name(), key: self.key, peer: peer.as_str() };
                match plugins.record(step.plugin, step.entry, bits, parties, stanza) {
                    Recorded::Ask => return false,
                    Recorded::Kept(None) => {}
                    Recorded::Kept(Some(stamp)) => {
                        self.walk.added(&stamp.child);
                        self.stamps.push(stamp);
                    }
                }
                true
            }
        }
    }

    /// Takes out what claims to be made by the key: stamps that nobody has seen yet, and children.
    fn strip(&mut self, child: &ElementName, stanza: &mut Stanza) {
        self.stamps.retain(|stamp| *stamp.child != *child || *stamp.by != *self.key);
        let claims = |node: xylem_xml::Node<'_>| {
            let by = if node.is(&child.ns, &child.name) { node.attr("by") } else { None };
            by.is_some_and(|by| *by == *self.key || Jid::parse(&by).is_ok_and(|by| by.as_str() == self.key))
        };
        if stanza.root().children().any(claims) {
            match stanza.edit().remove_where(claims).apply() {
                Ok(edited) => *stanza = edited,
                Err(error) => tracing::error!(%error, "a stanza cannot be edited; it goes on as it was"),
            }
        }
        let left = |node: xylem_xml::Node<'_>| node.is(&child.ns, &child.name);
        if !stanza.root().children().any(left) && !self.stamps.iter().any(|stamp| *stamp.child == *child) {
            self.walk.removed(child, stanza);
        }
    }

    /// With the stamps in it.
    fn stamped(&mut self, stanza: Stanza) -> Stanza {
        if self.stamps.is_empty() {
            return stanza;
        }
        let mut xml = String::with_capacity(192);
        for stamp in self.stamps.drain(..) {
            stamp.write_to(&mut xml);
        }
        stanza.append_children(&xml).unwrap_or_else(|error| {
            tracing::error!(%error, "a stamp cannot be put into a stanza; it goes on without");
            stanza
        })
    }
}

/// Store rows and sessions as the native filters see them.
pub(crate) struct Rows<'a>(pub(crate) &'a Parts);

impl Views for Rows<'_> {
    fn contains(&self, table: &str, partition: &str, peer: &Jid) -> Option<bool> {
        let Some(rows) = self.0.store.rows_of(table, partition)? else { return Some(false) };
        let known = |address: &str| rows.get(address.as_bytes()).is_ok_and(|row| row.is_some());
        let domain = peer.domain();
        let found = known(peer.as_str())
            || known(peer.bare_str())
            || peer.resource().is_some_and(|resource| known(&format!("{domain}/{resource}")))
            || known(domain);
        Some(found)
    }

    fn any(&self, table: &str, partition: &str) -> Option<bool> {
        let rows = self.0.store.rows_of(table, partition)?;
        Some(rows.is_some_and(|rows| !rows.is_empty().unwrap_or(false)))
    }

    fn tagged(&self, account: &str, tag: &str) -> bool {
        let sessions = &self.0.sessions;
        sessions.tags().find(tag).is_some_and(|tag| sessions.of(account).iter().any(|session| session.has(tag)))
    }

    fn waits(&self, account: &str) -> bool {
        self.0.sessions.of(account).iter().any(|session| session.is_hibernated())
    }
}

async fn load(store: &Store, table: &Arc<str>, partition: &str) -> bool {
    match store.kv(table).partition(partition).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(%table, partition, %error, "rows that a filter needs cannot be read");
            false
        }
    }
}

/// A filter that cannot be asked is a filter that says no: screens fail closed.
fn storage_failed() -> Failure {
    Failure {
        condition: xylem_stanza::Condition::InternalServerError,
        kind: Some(xylem_stanza::ErrorType::Wait),
        text: None,
        app: None,
    }
}
