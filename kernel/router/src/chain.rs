//! Walking the chain of a hook point.

use std::sync::Arc;

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{Failure, HookPoint, Next, Party, Phase, Plan, Verdict, Views, Walk};
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
}

impl<'a> Passage<'a> {
    pub(crate) fn new(plan: &'a Plan, point: HookPoint, key: &'a str, stanza: &Stanza) -> Self {
        let incoming = !point.is_outgoing();
        Self { plan, walk: plan.point(point).walk(stanza), key, incoming }
    }

    /// The part of a chain that is for a domain claimed by this plugin.
    pub(crate) fn claimed(plan: &'a Plan, point: HookPoint, key: &'a str, stanza: &Stanza, owner: PluginIndex) -> Self {
        Self { plan, walk: plan.point(point).walk_claimed(stanza, owner), key, incoming: true }
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
                parts.bounce(&stanza, &failure, origin).await;
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
                Next::Done => return Passed::On(stanza),
                Next::Load { table, partition } => {
                    if !load(&parts.store, table, &partition).await {
                        return Passed::Rejected(stanza, storage_failed());
                    }
                }
                Next::Call { step, bits } => {
                    let Some(plugins) = parts.plugins.get() else { return Passed::On(stanza) };
                    let cause = origin.cause(self.plan, self.key);
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

/// Store rows and sessions as the native filters see them.
pub(crate) struct Rows<'a>(pub(crate) &'a Parts);

impl Views for Rows<'_> {
    fn contains(&self, table: &str, partition: &str, peer: &Jid) -> Option<bool> {
        let rows = self.0.store.kv(table).cached(partition)?;
        if rows.is_empty().unwrap_or(false) {
            return Some(false);
        }
        let known = |address: &str| rows.get(address.as_bytes()).is_ok_and(|row| row.is_some());
        let domain = peer.domain();
        let found = known(peer.as_str())
            || known(peer.bare_str())
            || peer.resource().is_some_and(|resource| known(&format!("{domain}/{resource}")))
            || known(domain);
        Some(found)
    }

    fn any(&self, table: &str, partition: &str) -> Option<bool> {
        Some(!self.0.store.kv(table).cached(partition)?.is_empty().unwrap_or(false))
    }

    fn tagged(&self, account: &str, tag: &str) -> bool {
        let sessions = &self.0.sessions;
        sessions.tags().find(tag).is_some_and(|tag| sessions.of(account).iter().any(|session| session.has(tag)))
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
