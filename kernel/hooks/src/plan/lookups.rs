//! Tests of a stanza that look beyond it: at rows, sessions, the key.

use std::sync::Arc;

use super::chain::Step;
use super::views::{Party, Views};
use crate::manifest::{KeyKind, Scope};

#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) bit: u8,
    pub(super) of: LookupOf,
}

#[derive(Debug, Clone)]
pub(super) enum LookupOf {
    /// A row of the other party.
    Peer(Arc<str>, Scope),
    /// Any row at all.
    Any(Arc<str>, Scope),
    /// A session.
    Tagged(Arc<str>),
    /// A session without its connection.
    Waits,
    /// Whether the other party is the key.
    Own,
}

impl Lookup {
    /// The store, if it is about rows of the account.
    pub(super) fn table(&self, key: KeyKind) -> Option<&Arc<str>> {
        match &self.of {
            LookupOf::Peer(table, scope) | LookupOf::Any(table, scope) => {
                (*scope != Scope::Domain && key != KeyKind::Domain).then_some(table)
            }
            LookupOf::Tagged(_) | LookupOf::Waits | LookupOf::Own => None,
        }
    }
}

impl LookupOf {
    /// Whether it holds; an error names the rows that are not in memory.
    pub(super) fn found<'a, 'p>(
        &'a self,
        step: &Step,
        party: &Party<'p>,
        views: &dyn Views,
    ) -> Result<bool, (&'a Arc<str>, &'p str)> {
        let of = |scope: Scope| {
            let of_domain = scope == Scope::Domain || step.key == KeyKind::Domain;
            if of_domain { party.domain } else { party.key }
        };
        match self {
            Self::Any(table, scope) => views.any(table, of(*scope)).ok_or((table, of(*scope))),
            Self::Peer(table, scope) => match party.peer {
                Some(peer) => views.contains(table, of(*scope), peer).ok_or((table, of(*scope))),
                None => Ok(false),
            },
            Self::Tagged(tag) => Ok(views.tagged(party.key, tag)),
            Self::Waits => Ok(views.waits(party.key)),
            Self::Own => Ok(party.peer.is_some_and(|peer| peer.bare_str() == party.key)),
        }
    }
}

/// Whether an option has this value, as a manifest writes it.
pub(super) fn is_set(config: &serde_json::Value, option: &str, value: &str) -> bool {
    match config.get(option) {
        Some(serde_json::Value::String(set)) => set == value,
        Some(serde_json::Value::Bool(set)) => value.parse() == Ok(*set),
        Some(serde_json::Value::Number(set)) => set.as_i64().is_some_and(|set| value.parse() == Ok(set)),
        _ => false,
    }
}
