//! Rows of kv stores of class `volatile`: in memory only, by table and partition.
//!
//! They belong to the server, not to an instance: a trap, an upgrade and a plugin
//! that is switched off leave them alone; a restart does not. A turn collects its
//! writes in [`Writes`] and applies them once it has succeeded.

mod rows;
mod writes;

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::{Equivalent, HashMap};

pub(crate) use rows::{Row, Rows};
pub(crate) use writes::{Draft, Writes};

const SHARDS: usize = 32;

/// All of them.
pub(crate) struct Volatile {
    shards: Vec<RwLock<Shard>>,
    hasher: RandomState,
}

/// Never with an empty partition.
type Shard = HashMap<Place, Arc<Rows>>;

#[derive(PartialEq, Eq, Hash)]
struct Place {
    table: Arc<str>,
    partition: Arc<str>,
}

/// [`Place`] to ask with.
#[derive(Hash)]
struct At<'a> {
    table: &'a str,
    partition: &'a str,
}

impl Equivalent<Place> for At<'_> {
    fn equivalent(&self, place: &Place) -> bool {
        *self.table == *place.table && *self.partition == *place.partition
    }
}

impl Default for Volatile {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), hasher: RandomState::new() }
    }
}

impl Volatile {
    /// The rows of a partition, if it has any.
    pub(crate) fn rows(&self, table: &str, partition: &str) -> Option<Arc<Rows>> {
        let shard = self.shard(partition)?.read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&At { table, partition }).map(Arc::clone)
    }

    /// Carries out the writes of a turn to one partition.
    pub(crate) fn apply(&self, table: &Arc<str>, partition: &Arc<str>, draft: Draft) {
        let Some(shard) = self.shard(partition) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let place = Place { table: Arc::clone(table), partition: Arc::clone(partition) };
        let rows = shard.entry(place).or_default();
        if rows.apply(draft) == 0 {
            shard.remove(&At { table, partition });
        }
    }

    /// Drops partitions by table and name.
    pub(crate) fn forget(&self, matches: impl Fn(&str, &str) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|place, _| !matches(&place.table, &place.partition));
        }
    }

    fn shard(&self, partition: &str) -> Option<&RwLock<Shard>> {
        let hash = usize::try_from(self.hasher.hash_one(partition) >> 8).unwrap_or(0);
        self.shards.get(hash % SHARDS)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    struct Turn<'a> {
        all: &'a Volatile,
        table: Arc<str>,
        key: Arc<str>,
        writes: Writes,
    }

    impl<'a> Turn<'a> {
        fn begin(all: &'a Volatile) -> Self {
            Self { all, table: "p/t".into(), key: "k".into(), writes: Writes::default() }
        }

        fn base(&self) -> Option<Arc<Rows>> {
            self.all.rows(&self.table, &self.key)
        }

        fn put(&mut self, key: &str, value: &str, indexed: &[(&str, &str)]) -> bool {
            let indexed = indexed.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let row = Row { value: value.to_owned().into_bytes().into(), indexed };
            let base = self.base();
            self.writes.put(0, base.as_deref(), key, row, (3, 10_000))
        }

        fn delete(&mut self, key: &str) -> bool {
            let base = self.base();
            self.writes.delete(0, base.as_deref(), key)
        }

        fn keys(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
            let hits = self.writes.scan(0, self.base().as_deref(), prefix, after, limit);
            hits.into_iter().map(|(key, _)| key.to_string()).collect()
        }

        fn indexed(&self, value: &str) -> Vec<String> {
            let hits = self.writes.by_index(0, self.base().as_deref(), "i", value, 10);
            hits.into_iter().map(|(key, _)| key.to_string()).collect()
        }

        fn end(mut self) {
            for (_, draft) in self.writes.take() {
                self.all.apply(&self.table, &self.key, draft);
            }
        }
    }

    #[test]
    fn a_turn_sees_its_writes_and_others_see_them_when_it_is_done() {
        let all = Volatile::default();
        let mut turn = Turn::begin(&all);
        assert!(turn.put("a", "1", &[("i", "x")]) && turn.put("b", "2", &[("i", "y")]));
        assert_eq!(turn.keys("", None, 10), ["a", "b"]);
        assert!(Turn::begin(&all).keys("", None, 10).is_empty());
        turn.end();
        let mut turn = Turn::begin(&all);
        assert!(turn.put("a", "3", &[("i", "y")]) && turn.delete("b") && !turn.delete("b"));
        assert_eq!((turn.indexed("x"), turn.indexed("y")), (vec![], vec!["a".to_owned()]));
        drop(turn);
        let turn = Turn::begin(&all);
        assert_eq!((turn.indexed("x"), turn.indexed("y")), (vec!["a".to_owned()], vec!["b".to_owned()]));
    }

    #[test]
    fn scans_merge_and_stop() {
        let all = Volatile::default();
        let mut turn = Turn::begin(&all);
        for key in ["n/a", "n/c", "o/a"] {
            assert!(turn.put(key, "1", &[]));
        }
        assert!(!turn.put("n/d", "1", &[]), "three rows are the quota");
        turn.end();
        let mut turn = Turn::begin(&all);
        assert!(turn.delete("n/c") && turn.put("n/b", "1", &[]));
        assert_eq!(turn.keys("n/", None, 10), ["n/a", "n/b"]);
        assert_eq!(turn.keys("n/", Some("n/a"), 10), ["n/b"]);
        assert_eq!(turn.keys("", None, 2), ["n/a", "n/b"]);
        assert_eq!(turn.keys("o/", Some("a"), 2), ["o/a"]);
    }

    #[test]
    fn counts_are_kept_and_empty_partitions_are_not() {
        let all = Volatile::default();
        let mut turn = Turn::begin(&all);
        assert!(!turn.put("big", &"x".repeat(10_000), &[]));
        assert!(turn.put("a", &"x".repeat(9_000), &[]) && !turn.put("b", &"x".repeat(900), &[]));
        assert!(turn.put("a", "x", &[]) && turn.put("b", &"x".repeat(900), &[]));
        turn.end();
        let mut turn = Turn::begin(&all);
        assert!(!turn.put("c", &"x".repeat(9_000), &[]));
        assert!(turn.delete("b") && turn.put("c", &"x".repeat(9_000), &[]) && turn.delete("a") && turn.delete("c"));
        turn.end();
        assert!(all.rows("p/t", "k").is_none());
        assert!(all.shards.iter().all(|shard| shard.read().unwrap().is_empty()));
    }
}
