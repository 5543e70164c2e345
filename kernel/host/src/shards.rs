//! Which sandbox takes a call, and one call at a time for each key.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use xylem_hooks::manifest::{Run, RunModel};

use crate::instance::Instance;
use crate::supervisor::Fault;

/// Locks that keep calls of one key apart where they may meet on different instances.
const KEY_LOCKS: usize = 64;

/// The instances of a plugin, made when first needed.
pub(crate) struct Shards {
    model: RunModel,
    slots: Vec<Mutex<Option<Instance>>>,
    keys: Vec<Mutex<()>>,
    hasher: RandomState,
    next: AtomicUsize,
}

impl Shards {
    pub(crate) fn new(run: &Run) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = match run.model {
            RunModel::Fresh => 0,
            _ => run.shards.map_or(cores, usize::from).clamp(1, 64),
        };
        let keys = if run.model == RunModel::Keyed { 0 } else { KEY_LOCKS };
        Self {
            model: run.model,
            slots: (0..count).map(|_| Mutex::new(None)).collect(),
            keys: (0..keys).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
            next: AtomicUsize::new(0),
        }
    }

    /// Runs a call on the right instance. An instance whose call fails is dropped.
    pub(crate) fn with<T>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Instance, Fault>,
        call: impl FnOnce(&mut Instance) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 8).unwrap_or(0);
        if self.model == RunModel::Keyed {
            let slot = self.slots.get(hash % self.slots.len().max(1));
            return slot.map_or_else(nowhere, |slot| within(lock(slot), make, call));
        }
        let _one_at_a_time = self.keys.get(hash % KEY_LOCKS).map(lock);
        if self.model == RunModel::Fresh {
            return call(&mut make()?);
        }
        self.free().map_or_else(nowhere, |slot| within(slot, make, call))
    }

    /// The first free instance, or the one whose turn it is.
    fn free(&self) -> Option<MutexGuard<'_, Option<Instance>>> {
        for slot in &self.slots {
            match slot.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        self.slots.get(turn).map(lock)
    }

    /// Instances alive, and their memory in bytes; those in a call are left out.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let alive = self.slots.iter().filter_map(|slot| {
            let slot = slot.try_lock().ok()?;
            slot.as_ref().map(Instance::memory)
        });
        alive.fold((0, 0), |(count, memory), one| (count + 1, memory + one))
    }
}

fn within<T>(
    mut slot: MutexGuard<'_, Option<Instance>>,
    make: impl FnOnce() -> Result<Instance, Fault>,
    call: impl FnOnce(&mut Instance) -> Result<T, Fault>,
) -> Result<T, Fault> {
    // Taken out while it runs: should this thread panic, nobody finds it half-way.
    let mut instance = match slot.take() {
        Some(instance) => instance,
        None => make()?,
    };
    let done = call(&mut instance)?;
    *slot = Some(instance);
    Ok(done)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nowhere<T>() -> Result<T, Fault> {
    Err(Fault::Crash("has no instance".to_owned()))
}
