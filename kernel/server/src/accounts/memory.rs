//! What is known of accounts without asking the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use xylem_stanza::BareJid;

use super::Record;

/// Accounts (and addresses known not to be one) held in memory.
const REMEMBERED: usize = 65_536;
/// After this time the turn in which a plugin changed an account is over, committed or not.
const SETTLED: Duration = Duration::from_secs(15);

/// The newest accounts. What a plugin changes comes into force with its turn, which
/// nobody tells of here; until that is surely over the store is asked.
#[derive(Default)]
pub(super) struct Memory {
    entries: HashMap<BareJid, Option<Arc<Record>>>,
    unsettled: HashMap<BareJid, (Instant, Change)>,
    /// Counts changes: what was read before one is not remembered after it.
    changes: u64,
}

/// What a plugin does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Created,
    Other,
}

impl Memory {
    /// The outer none: ask the store.
    pub(super) fn get(&self, account: &BareJid) -> Option<Option<Arc<Record>>> {
        self.entries.get(account).cloned()
    }

    /// What to hand to [`Memory::learn`] with what the store then says.
    pub(super) fn mark(&self) -> u64 {
        self.changes
    }

    /// Takes in what the store said, if nothing has changed since the mark.
    pub(super) fn learn(&mut self, mark: u64, account: &BareJid, record: Option<Arc<Record>>) {
        if self.changes == mark && self.unsettled(account).is_none() {
            self.insert(account, record);
        }
    }

    /// Takes in what has just been committed.
    pub(super) fn changed(&mut self, account: &BareJid, record: Option<Arc<Record>>) {
        self.changes += 1;
        if self.unsettled(account).is_none() {
            self.insert(account, record);
        } else {
            self.entries.remove(account);
        }
    }

    /// A plugin's turn that is not over yet changes the account.
    pub(super) fn unsettle(&mut self, account: &BareJid, change: Change) {
        self.changes += 1;
        self.entries.remove(account);
        self.unsettled.retain(|_, (since, _)| since.elapsed() < SETTLED);
        self.unsettled.insert(account.clone(), (Instant::now(), change));
    }

    /// Whether a plugin is about to create it, or has just done so.
    pub(super) fn is_reserved(&self, account: &BareJid) -> bool {
        self.unsettled(account) == Some(Change::Created)
    }

    /// Everything may have changed.
    pub(super) fn clear(&mut self) {
        self.changes += 1;
        self.entries.clear();
    }

    fn unsettled(&self, account: &BareJid) -> Option<Change> {
        self.unsettled.get(account).filter(|(since, _)| since.elapsed() < SETTLED).map(|(_, change)| *change)
    }

    fn insert(&mut self, account: &BareJid, record: Option<Arc<Record>>) {
        if self.entries.len() >= REMEMBERED && !self.entries.contains_key(account) {
            // Any will do: what is in use comes back with the next question.
            if let Some(victim) = self.entries.keys().next().cloned() {
                self.entries.remove(&victim);
            }
        }
        self.entries.insert(account.clone(), record);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_old_or_unsettled_is_not_remembered() {
        let jid = BareJid::parse("a@b.example").unwrap();
        let mut memory = Memory::default();
        let mark = memory.mark();
        memory.learn(mark, &jid, None);
        assert_eq!(memory.get(&jid), Some(None));
        let mark = memory.mark();
        memory.changed(&jid, None);
        memory.clear();
        memory.learn(mark, &jid, None);
        assert_eq!(memory.get(&jid), None, "read before the change");
        memory.unsettle(&jid, Change::Created);
        assert!(memory.is_reserved(&jid));
        memory.learn(memory.mark(), &jid, None);
        assert_eq!(memory.get(&jid), None, "a turn may be under way");
    }
}
