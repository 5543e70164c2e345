use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};
use tokio::sync::oneshot;

use crate::error::Result;
use crate::locks::Mutex;
use crate::partition::Partition;
use crate::tables::TableId;
use crate::turn::TurnOp;
use crate::versions::Versions;

type Loaded = Result<Arc<Partition>>;

const SHARDS: usize = 64;

/// Kv partitions in memory: write-through, bounded in bytes, sharded by hash.
///
/// A partition leaves only when nobody holds it and all its writes are
/// committed, so there is never a second, older copy of one that is in use.
pub(crate) struct PartitionCache {
    shards: Box<[Mutex<Shard>]>,
    hasher: DefaultHashBuilder,
    shard_bytes: usize,
    partition_bytes: usize,
    committed: Arc<AtomicU64>,
    pub(crate) versions: Versions,
}

#[derive(Default)]
struct Shard {
    slots: HashTable<Slot>,
    /// The hand of the clock: partitions in the order in which they are looked at.
    clock: VecDeque<Arc<Partition>>,
    bytes: usize,
    hits: u64,
    /// Last write to partitions that were not in memory (and to archives), by hash.
    unseen: HashMap<u64, u64>,
    /// When `unseen` has so many, those that are committed are forgotten.
    prune_at: usize,
}

enum Slot {
    Ready(Arc<Partition>),
    Loading(Box<Loading>),
}

struct Loading {
    hash: u64,
    table: TableId,
    name: Box<str>,
    /// Writes that came while the backend was read; the read may or may not have seen them.
    writes: Vec<(u64, TurnOp)>,
    waiters: Vec<oneshot::Sender<Loaded>>,
}

/// What to do for a partition that is asked for.
pub(crate) enum Lookup {
    Ready(Arc<Partition>),
    /// Somebody else is reading it.
    Wait(oneshot::Receiver<Loaded>),
    /// The caller has to read it, once everything up to `after` is committed.
    Load {
        hash: u64,
        after: u64,
    },
}

impl PartitionCache {
    pub(crate) fn new(cache_bytes: usize, partition_bytes: usize, committed: Arc<AtomicU64>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let hasher = DefaultHashBuilder::default();
        Self {
            shards,
            hasher,
            shard_bytes: cache_bytes / SHARDS,
            partition_bytes,
            committed,
            versions: Versions::new(),
        }
    }

    pub(crate) fn cached(&self, table: TableId, name: &str) -> Option<Arc<Partition>> {
        self.look(table, name, Arc::clone)
    }

    /// What is seen of a partition that is in memory. The lock is held meanwhile.
    pub(crate) fn look<R>(&self, table: TableId, name: &str, see: impl FnOnce(&Arc<Partition>) -> R) -> Option<R> {
        let hash = self.hash(table, name);
        let mut shard = self.shard(hash)?;
        let shard = &mut *shard;
        match shard.slots.find(hash, |slot| slot.is(table, name))? {
            Slot::Ready(partition) => {
                shard.hits += 1;
                // Mostly it is: then the others' processors keep what they have of it.
                if !partition.used.load(Ordering::Relaxed) {
                    partition.used.store(true, Ordering::Relaxed);
                }
                Some(see(partition))
            }
            Slot::Loading(_) => None,
        }
    }

    /// How often something was found by [`Self::look`].
    pub(crate) fn hits(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).hits).sum()
    }

    /// Finds the partition, or reserves the loading of it.
    pub(crate) fn lookup(&self, table: TableId, name: &str) -> Option<Lookup> {
        let hash = self.hash(table, name);
        let mut shard = self.shard(hash)?;
        match shard.slots.find_mut(hash, |slot| slot.is(table, name)) {
            Some(Slot::Ready(partition)) => {
                partition.used.store(true, Ordering::Relaxed);
                return Some(Lookup::Ready(Arc::clone(partition)));
            }
            Some(Slot::Loading(loading)) => {
                let (sender, receiver) = oneshot::channel();
                loading.waiters.push(sender);
                return Some(Lookup::Wait(receiver));
            }
            None => {}
        }
        Some(shard.begin(hash, table, name))
    }

    /// As [`Self::lookup`], but waits for nobody: `None` also where somebody else is reading.
    pub(crate) fn lookup_cold(&self, table: TableId, name: &str) -> Option<Lookup> {
        let hash = self.hash(table, name);
        let mut shard = self.shard(hash)?;
        if shard.slots.find(hash, |slot| slot.is(table, name)).is_some() {
            return None;
        }
        Some(shard.begin(hash, table, name))
    }

    /// Ends what [`Lookup::Load`] began.
    pub(crate) fn loaded(&self, hash: u64, table: TableId, name: &str, result: Result<Partition>) -> Loaded {
        let result = result.map(Arc::new);
        let Some(mut shard) = self.shard(hash) else { return result };
        let Ok(entry) = shard.slots.find_entry(hash, |slot| slot.is(table, name)) else { return result };
        let (slot, _) = entry.remove();
        let Slot::Loading(loading) = slot else { return result };
        match &result {
            Ok(partition) => {
                for (seq, op) in &loading.writes {
                    partition.apply(op, *seq);
                }
                shard.insert(hash, Arc::clone(partition));
                self.evict(&mut shard);
            }
            Err(_) => {
                if let Some((seq, _)) = loading.writes.last() {
                    shard.unseen.insert(hash, *seq);
                }
            }
        }
        drop(shard);
        for waiter in loading.waiters {
            let _ = waiter.send(result.clone());
        }
        result
    }

    /// Shows a submitted write to the partition it belongs to.
    pub(crate) fn apply(&self, op: &TurnOp, seq: u64) {
        let (Some(table), Some(name)) = (op.table(), op.partition()) else { return };
        self.show(op, seq, table, name);
        self.versions.rise(table);
    }

    fn show(&self, op: &TurnOp, seq: u64, table: TableId, name: &str) {
        let hash = self.hash(table, name);
        let Some(mut shard) = self.shard(hash) else { return };
        let shard = &mut *shard;
        match shard.slots.find_mut(hash, |slot| slot.is(table, name)) {
            Some(Slot::Ready(partition)) => {
                let change = partition.apply(op, seq);
                shard.bytes = shard.bytes.saturating_add_signed(change);
                self.evict(shard);
            }
            Some(Slot::Loading(loading)) => loading.writes.push((seq, op.clone())),
            None => {
                if shard.unseen.len() >= shard.prune_at.max(256) {
                    let committed = self.committed.load(Ordering::Acquire);
                    shard.unseen.retain(|_, seq| *seq > committed);
                    shard.prune_at = shard.unseen.len() * 2;
                }
                shard.unseen.insert(hash, seq);
            }
        }
    }

    /// The submission after which a read from the backend sees all writes to this name.
    pub(crate) fn last_unseen(&self, table: TableId, name: &str) -> u64 {
        let hash = self.hash(table, name);
        self.shard(hash).and_then(|shard| shard.unseen.get(&hash).copied()).unwrap_or(0)
    }

    /// After a commit that failed: drops what shows writes that did not happen.
    pub(crate) fn forget_uncommitted(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let shard = &mut *shard;
            shard.slots.retain(|slot| match slot {
                Slot::Ready(partition) => partition.last_write() == 0,
                Slot::Loading(loading) => {
                    loading.writes.clear();
                    true
                }
            });
            shard.clock.retain(|partition| partition.last_write() == 0);
            shard.bytes = shard.clock.iter().map(|partition| partition.bytes()).sum();
        }
        self.versions.rise_all();
    }

    /// Forgets everything that is not in use; after an import.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.slots.retain(|slot| matches!(slot, Slot::Loading(_)));
            shard.clock.clear();
            shard.bytes = 0;
        }
        self.versions.rise_all();
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).bytes).sum()
    }

    fn evict(&self, shard: &mut Shard) {
        // So many per write: what is over the bound now is gone a few writes later.
        let mut looks = 64.min(shard.clock.len() * 2);
        while shard.bytes > self.shard_bytes && looks > 0 {
            looks -= 1;
            let Some(partition) = shard.clock.pop_front() else { break };
            // One that has grown far beyond the bound goes whether it is used or not.
            let overgrown = partition.bytes() > self.partition_bytes * 4;
            let used = partition.used.swap(false, Ordering::Relaxed) && !overgrown;
            // Two: the slot's and ours.
            let held = Arc::strong_count(&partition) > 2;
            if used || held || partition.last_write() > self.committed.load(Ordering::Acquire) {
                shard.clock.push_back(partition);
                continue;
            }
            let same = |slot: &Slot| matches!(slot, Slot::Ready(ready) if Arc::ptr_eq(ready, &partition));
            if let Ok(entry) = shard.slots.find_entry(partition.hash, same) {
                entry.remove();
            }
            shard.bytes = shard.bytes.saturating_sub(partition.bytes());
        }
    }

    fn shard(&self, hash: u64) -> Option<MutexGuard<'_, Shard>> {
        // The table inside a shard uses the low and the top bits.
        let shard = self.shards.get((hash >> 40) as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hash(&self, table: TableId, name: &str) -> u64 {
        self.hasher.hash_one((table.0, name))
    }
}

impl Shard {
    /// Reserves the loading of a partition that is not here.
    fn begin(&mut self, hash: u64, table: TableId, name: &str) -> Lookup {
        let loading = Loading { hash, table, name: name.into(), writes: Vec::new(), waiters: Vec::new() };
        self.slots.insert_unique(hash, Slot::Loading(Box::new(loading)), Slot::hash);
        Lookup::Load { hash, after: self.unseen.get(&hash).copied().unwrap_or(0) }
    }

    fn insert(&mut self, hash: u64, partition: Arc<Partition>) {
        self.bytes += partition.bytes();
        self.clock.push_back(Arc::clone(&partition));
        self.slots.insert_unique(hash, Slot::Ready(partition), Slot::hash);
    }
}

impl Slot {
    fn is(&self, table: TableId, name: &str) -> bool {
        match self {
            Self::Ready(partition) => partition.table() == table && partition.name() == name,
            Self::Loading(loading) => loading.table == table && *loading.name == *name,
        }
    }

    fn hash(&self) -> u64 {
        match self {
            Self::Ready(partition) => partition.hash,
            Self::Loading(loading) => loading.hash,
        }
    }
}
