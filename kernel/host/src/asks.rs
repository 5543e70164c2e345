//! Requests of plugins that wait for an answer.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use xylem_hooks::call::Cause;
use xylem_stanza::{Stanza, Type};

use crate::guest::Ask;

/// Most open requests of one plugin.
const MOST: usize = 10_000;

/// A request under way.
pub(crate) struct Open {
    pub(crate) plugin: Arc<str>,
    pub(crate) cause: Cause,
    pub(crate) token: String,
    to: String,
}

/// All open requests, by id.
#[derive(Default)]
pub(crate) struct Asks {
    open: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<String, Open>,
    counts: HashMap<Arc<str>, usize>,
}

impl Asks {
    pub(crate) fn has_room(&self, plugin: &Arc<str>) -> bool {
        let table = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        table.counts.get(plugin).is_none_or(|count| *count < MOST)
    }

    pub(crate) fn register(&self, plugin: &Arc<str>, cause: &Cause, ask: Ask) {
        let mut table = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *table.counts.entry(Arc::clone(plugin)).or_default() += 1;
        // The answer begins a new story; whoever caused the question is not behind it.
        let cause = Cause { actor: None, peer: None, hops: 0, ..cause.clone() };
        table.by_id.insert(ask.id, Open { plugin: Arc::clone(plugin), cause, token: ask.token, to: ask.to });
    }

    /// The request that this stanza answers: by id, and from whom it was sent to.
    pub(crate) fn answered(&self, stanza: &Stanza) -> Option<Open> {
        if !matches!(stanza.type_(), Type::Result | Type::Error) {
            return None;
        }
        let id = stanza.id()?;
        let mut table = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = table.by_id.get(id.as_ref())?;
        if stanza.from().is_some_and(|from| from.as_str() != asked.to) {
            return None;
        }
        table.take(&id)
    }

    pub(crate) fn timed_out(&self, id: &str) -> Option<Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take(id)
    }
}

impl Table {
    fn take(&mut self, id: &str) -> Option<Open> {
        let open = self.by_id.remove(id)?;
        if let Some(count) = self.counts.get_mut(&open.plugin) {
            *count = count.saturating_sub(1);
        }
        Some(open)
    }
}
