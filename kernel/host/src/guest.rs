//! What a running instance knows: its plugin, its limits, the call it is in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use arc_swap::ArcSwap;
use smallvec::SmallVec;
use xylem_hooks::call::{Cause, PluginIndex};
use xylem_hooks::manifest::{Class, Scope, Shape, TextSpec, When};
use xylem_hooks::{Effect, Manifest};
use xylem_stanza::Stanza;
use xylem_store::{Partition, Store, TableId, Turn};

use crate::capability::Fault;
use crate::configured::Configured;
use crate::groups::GroupEdits;
use crate::limits::{Limiter, Rate, Watch};
use crate::operations::TableCall;
use crate::services::Services;
use crate::wires::WireWork;

/// What all instances of a plugin share.
pub(crate) struct Core {
    pub(crate) index: PluginIndex,
    pub(crate) id: Arc<str>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) services: Arc<Services>,
    /// The plugin's own stores, then the views it may read.
    pub(crate) stores: Vec<StoreSlot>,
    /// Configuration by domain.
    pub(crate) configs: ArcSwap<BTreeMap<Arc<str>, Arc<Configured>>>,
    pub(crate) default_config: Arc<Configured>,
    pub(crate) log_rate: Rate,
    pub(crate) status: Mutex<Option<(Level, String)>>,
    pub(crate) counters: Counters,
    /// Per entry point: a bit for each store that a call of it has touched, so
    /// that the next call finds the rows loaded.
    pub(crate) touched: Vec<AtomicU64>,
}

/// A store as a plugin numbers it.
pub(crate) struct StoreSlot {
    pub(crate) table: TableId,
    pub(crate) name: Arc<str>,
    pub(crate) shape: Shape,
    pub(crate) scope: Scope,
    pub(crate) class: Class,
    pub(crate) quota_rows: u64,
    pub(crate) quota_bytes: u64,
    /// What is noted of each row.
    pub(crate) marks: Vec<When>,
    /// What rows are found by.
    pub(crate) text: Option<TextSpec>,
    /// Views are read only.
    pub(crate) own: bool,
}

/// How bad, in the plugin's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Since the plugin was loaded.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) nanos: AtomicU64,
    pub(crate) slowest: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) sends: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl Counters {
    pub(crate) fn call(&self, nanos: u64) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        if nanos > self.slowest.load(Ordering::Relaxed) {
            self.slowest.fetch_max(nanos, Ordering::Relaxed);
        }
    }
}

/// The data of an instance's store.
pub(crate) struct Guest {
    pub(crate) core: Arc<Core>,
    pub(crate) limiter: Limiter,
    pub(crate) watch: Watch,
    pub(crate) call: Option<Call>,
}

impl Guest {
    /// The call under way; nothing outside of one.
    pub(crate) fn call(&mut self) -> Result<&mut Call, Fault> {
        self.call.as_mut().ok_or(Fault::Denied)
    }
}

/// One call into a plugin, and what it has asked for so far.
pub(crate) struct Call {
    pub(crate) cause: Cause,
    /// Which of [`Core::touched`].
    pub(crate) site: usize,
    pub(crate) stanza: Option<Stanza>,
    pub(crate) edited: Option<Stanza>,
    /// A hook of phase observe.
    pub(crate) observes: bool,
    /// A session's own stanza on its way out: its next one waits for what this causes.
    pub(crate) leads: bool,
    pub(crate) turn: Turn,
    /// Writes to stores that are in memory only.
    pub(crate) volatile: crate::volatile::Writes,
    pub(crate) class: Class,
    pub(crate) parts: Parts,
    pub(crate) effects: Vec<Effect>,
    pub(crate) after: After,
    /// Asked of other plugins so far.
    pub(crate) questions: u32,
    pub(crate) sent: u64,
    pub(crate) sent_bytes: u64,
    /// Archive rows added so far.
    pub(crate) appended: u64,
    pub(crate) now: u64,
}

/// The rows of the call's key, by number of the store.
pub(crate) type Parts = SmallVec<[OnceLock<Arc<Partition>>; 4]>;

/// What follows a turn beside its effects.
#[derive(Default)]
pub(crate) struct After {
    pub(crate) wakes: Vec<Wake>,
    pub(crate) asks: Vec<Ask>,
    pub(crate) tags: Vec<(String, String, bool)>,
    pub(crate) groups: GroupEdits,
    pub(crate) published: Vec<(String, Vec<String>)>,
    pub(crate) forgotten: Vec<Arc<str>>,
    pub(crate) wires: WireWork,
    pub(crate) operations: Vec<TableCall>,
}

impl After {
    pub(crate) fn is_empty(&self) -> bool {
        self.wakes.is_empty()
            && self.asks.is_empty()
            && self.tags.is_empty()
            && self.groups.is_empty()
            && self.published.is_empty()
            && self.forgotten.is_empty()
            && self.wires.is_empty()
            && self.operations.is_empty()
    }
}

/// A timer set, or (without time) cancelled.
pub(crate) struct Wake {
    pub(crate) name: String,
    pub(crate) set: Option<(u64, String)>,
}

/// A request whose answer the plugin waits for.
pub(crate) struct Ask {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) timeout: u32,
    pub(crate) token: String,
}

impl Core {
    /// Whose rows a store shows in a call.
    pub(crate) fn partition_name<'a>(slot: &StoreSlot, cause: &'a Cause) -> &'a str {
        if slot.scope == Scope::Domain { &cause.domain } else { &cause.key }
    }

    /// Rows that are in memory already, of the stores this entry point is known to
    /// touch; `None` if some are not.
    pub(crate) fn gather(&self, site: usize, cause: &Cause) -> Option<Parts> {
        let wanted = self.touched.get(site).map_or(0, |touched| touched.load(Ordering::Relaxed));
        let mut parts = Parts::new();
        parts.resize_with(self.stores.len(), OnceLock::new);
        if wanted == 0 {
            return Some(parts);
        }
        for (n, (slot, part)) in self.stores.iter().zip(&parts).enumerate() {
            if wanted >> n.min(63) & 1 == 1 && slot.shape == Shape::Kv {
                let found = self.services.store.cached(slot.table, Self::partition_name(slot, cause))?;
                let _ = part.set(found);
            }
        }
        Some(parts)
    }

    /// As [`Core::gather`], reading what is missing.
    pub(crate) async fn load(&self, site: usize, cause: &Cause) -> xylem_store::Result<Parts> {
        let wanted = self.touched.get(site).map_or(0, |touched| touched.load(Ordering::Relaxed));
        let mut parts = Parts::new();
        parts.resize_with(self.stores.len(), OnceLock::new);
        for (n, (slot, part)) in self.stores.iter().zip(&parts).enumerate() {
            if wanted >> n.min(63) & 1 == 1 && slot.shape == Shape::Kv {
                let found = self.services.store.partition(slot.table, Self::partition_name(slot, cause)).await?;
                let _ = part.set(found);
            }
        }
        Ok(parts)
    }

    /// The plugin's configuration for a domain.
    pub(crate) fn config(&self, domain: &str) -> Arc<Configured> {
        self.configs.load().get(domain).map_or_else(|| Arc::clone(&self.default_config), Arc::clone)
    }
}

impl Call {
    pub(crate) fn new(store: &Store, cause: Cause, site: usize, parts: Parts, now: u64) -> Self {
        Self {
            cause,
            site,
            stanza: None,
            edited: None,
            observes: false,
            leads: false,
            turn: store.turn(),
            volatile: Default::default(),
            class: Class::Relaxed,
            parts,
            effects: Vec::new(),
            after: After::default(),
            questions: 0,
            sent: 0,
            sent_bytes: 0,
            appended: 0,
            now,
        }
    }

    /// The stanza as edited so far.
    pub(crate) fn current(&self) -> Option<&Stanza> {
        self.edited.as_ref().or(self.stanza.as_ref())
    }

    /// The rows of a kv store, read now if nobody expected it to be asked.
    pub(crate) fn rows<'a>(&'a self, core: &Core, number: u32) -> Result<(&'a Arc<Partition>, usize), Fault> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let (Some(slot), Some(part)) = (core.stores.get(at), self.parts.get(at)) else { return Err(Fault::Missing) };
        if slot.shape != Shape::Kv || self.cause.key.is_empty() {
            return Err(Fault::Missing);
        }
        if let Some(part) = part.get() {
            return Ok((part, at));
        }
        if let Some(touched) = core.touched.get(self.site) {
            touched.fetch_or(1 << at.min(63), Ordering::Relaxed);
        }
        let found =
            crate::wait::block_on(core.services.store.partition(slot.table, Core::partition_name(slot, &self.cause)));
        let found = found.map_err(|error| Fault::storage(&core.id, &error))?;
        Ok((part.get_or_init(|| found), at))
    }
}
