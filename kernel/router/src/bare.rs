//! Accounts that plugins have no rows for.
//!
//! Most accounts block nobody and have no device to be woken. That is found once for a
//! session and holds until somebody writes to one of the stores that filters look at.

use smallvec::SmallVec;
use xylem_hooks::Next;
use xylem_hooks::{Party, Phase, Plan, Walk};
use xylem_session::Session;
use xylem_store::Kv;

use crate::chain::Rows;
use crate::router::Parts;

/// What filters of a domain look at, and its present version.
pub(crate) struct Filters {
    tables: SmallVec<[Kv; 4]>,
    version: u64,
}

impl Filters {
    pub(crate) fn of(parts: &Parts, plan: &Plan) -> Self {
        let tables: SmallVec<[Kv; 4]> = plan.tables().iter().map(|table| parts.store.kv(table)).collect();
        // Before any row is looked at.
        let writes = tables.iter().fold(0u64, |sum, table| sum.wrapping_add(table.version()));
        Self { tables, version: plan.stamp() << 48 | writes & (u64::MAX >> 16) }
    }

    /// Whether the session's account was or is found to have no rows.
    fn spare(&self, session: &Session) -> bool {
        if session.is_bare(self.version) {
            return true;
        }
        let account = session.jid().bare_str();
        let empty = |table: &Kv| table.cached(account).is_some_and(|rows| rows.is_empty().unwrap_or(false));
        let bare = self.tables.iter().all(empty);
        if bare {
            session.found_bare(self.version);
        }
        bare
    }
}

impl Parts {
    /// Whether a stanza on this walk reaches the session without a call to any plugin. `by_rows` is
    /// what [`Walk::is_over_without_rows`] says.
    pub(crate) fn passes(
        &self,
        walk: &Walk<'_>,
        by_rows: bool,
        filters: &Filters,
        session: &Session,
        party: &Party<'_>,
    ) -> bool {
        walk.is_over()
            || by_rows && filters.spare(session)
            || matches!(walk.clone().next(Phase::Observe, party, &Rows(self)), Next::Done)
    }
}
