//! Accounts that plugins have no rows for.
//!
//! Most accounts block nobody and have no device to be woken. That is found once for a
//! session and holds until somebody writes to one of the stores that filters look at.

use std::sync::Arc;

use smallvec::SmallVec;
use xylem_hooks::Next;
use xylem_hooks::{Party, Phase, Plan, Walk};
use xylem_session::Session;
use xylem_store::Kv;

use crate::chain::Rows;
use crate::router::Parts;

/// What filters of a domain look at, and its present version.
pub(crate) struct Filters {
    tables: SmallVec<[(Arc<str>, Kv); 4]>,
    version: u64,
}

/// The stores in which an account must have no rows, a bit for each.
#[derive(Clone, Copy)]
pub(crate) struct Needed(u8);

impl Filters {
    pub(crate) fn of(parts: &Parts, plan: &Plan) -> Self {
        let tables: SmallVec<[(Arc<str>, Kv); 4]> =
            plan.tables().iter().map(|table| (Arc::clone(table), parts.store.kv(table))).collect();
        // Before any row is looked at.
        let writes = tables.iter().fold(0u64, |sum, (_, table)| sum.wrapping_add(table.version()));
        Self { tables, version: plan.stamp() << 40 | writes & (u64::MAX >> 24) }
    }

    /// What an account must not have so that nobody is called for it; `None` if that does not decide it.
    pub(crate) fn needed(&self, walk: &Walk<'_>) -> Option<Needed> {
        if !walk.is_over_without_rows() {
            return None;
        }
        let mut needed = 0;
        for table in walk.tables() {
            let at = self.tables.iter().position(|(name, _)| *name == *table)?;
            needed |= u8::try_from(1u32.checked_shl(u32::try_from(at).ok()?)?).ok()?;
        }
        Some(Needed(needed))
    }

    /// Whether the session's account was or is found to have no rows.
    fn spare(&self, session: &Session, needed: Needed) -> bool {
        if session.lacks(self.version, needed.0) {
            return true;
        }
        let account = session.jid().bare_str();
        let mut tables = self.tables.iter().enumerate().filter(|(at, _)| needed.0 >> at & 1 == 1);
        let lacking =
            tables.all(|(_, (_, table))| table.cached(account).is_some_and(|rows| rows.is_empty().unwrap_or(false)));
        if lacking {
            session.found_lacking(self.version, needed.0);
        }
        lacking
    }
}

impl Parts {
    /// Whether a stanza on this walk reaches the session without a call to any plugin. `needed` is
    /// what [`Filters::needed`] says of it.
    pub(crate) fn passes(
        &self,
        walk: &Walk<'_>,
        needed: Option<Needed>,
        filters: &Filters,
        session: &Session,
        party: &Party<'_>,
    ) -> bool {
        walk.is_over()
            || needed.is_some_and(|needed| filters.spare(session, needed))
            || matches!(walk.clone().next(Phase::Observe, party, &Rows(self)), Next::Done)
    }
}
