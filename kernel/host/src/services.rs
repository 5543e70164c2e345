//! What all plugins share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use arc_swap::ArcSwap;
use xylem_hooks::call::{Cause, PluginIndex};
use xylem_hooks::manifest::{Scope, Shape};
use xylem_hooks::{Effect, Plan, Release};
use xylem_session::SessionTable;
use xylem_store::{Purge, Store, TableId, Turn};

use crate::accounts::AccountService;
use crate::asks::Asks;
use crate::buckets::Buckets;
use crate::capability::Sizes;
use crate::clock::Clock;
use crate::groups::Groups;
use crate::guest::{After, Call, Core};
use crate::host::ServerInfo;
use crate::lanes::Lanes;
use crate::marks::Wrappings;
use crate::operations::TablePort;
use crate::pages::Pages;
use crate::plugin::Plugin;
use crate::timers::Timers;
use crate::volatile::Volatile;
use crate::wires::WirePort;

/// Plugins by index; versions that were replaced stay for a while, for plans still in use.
pub(crate) type Registry = ArcSwap<Vec<Option<Arc<Plugin>>>>;
/// Plans by hosted and by claimed domain.
pub(crate) type Plans = HashMap<Arc<str>, Arc<Plan>>;
/// What plugins publish while running, by domain.
pub(crate) type Published = HashMap<Arc<str>, BTreeMap<(String, PluginIndex), Vec<String>>>;

/// The kernel's parts, as capabilities use them.
pub(crate) struct Services {
    /// All plugins, which know the services in turn.
    pub(crate) registry: Weak<Registry>,
    pub(crate) store: Store,
    pub(crate) sessions: Arc<SessionTable>,
    pub(crate) accounts: Arc<dyn AccountService>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started: u64,
    pub(crate) server: ServerInfo,
    pub(crate) groups: Groups,
    pub(crate) sizes: Sizes,
    pub(crate) volatile: Volatile,
    pub(crate) buckets: Buckets,
    pub(crate) asks: Asks,
    pub(crate) timers: Timers,
    pub(crate) lanes: Lanes,
    pub(crate) pages: Pages,
    pub(crate) wrappings: Wrappings,
    pub(crate) release: OnceLock<Arc<dyn Release>>,
    pub(crate) wires: OnceLock<WirePort>,
    pub(crate) table: OnceLock<TablePort>,
    /// As compiled from manifests.
    pub(crate) compiled: ArcSwap<Plans>,
    /// The same with what was published.
    pub(crate) plans: ArcSwap<Plans>,
    pub(crate) published: Mutex<Published>,
    /// Stores of all plugins ever loaded here whose rows belong to keys.
    pub(crate) tables: Mutex<Vec<(TableId, Shape)>>,
    /// Those of them that are read when somebody logs in.
    pub(crate) early: ArcSwap<Vec<TableId>>,
}

impl Services {
    /// A version of a plugin, as long as plans may name it.
    pub(crate) fn plugin(&self, index: PluginIndex) -> Option<Arc<Plugin>> {
        let registry = self.registry.upgrade()?;
        registry.load().get(usize::try_from(index.0).ok()?)?.clone()
    }

    pub(crate) fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.plans.load().get(domain).cloned()
    }

    /// Swaps in compiled plans.
    pub(crate) fn swap(&self, plans: Plans) {
        self.compiled.store(Arc::new(plans));
        self.republish();
    }

    fn republish(&self) {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = self.compiled.load_full();
        let plans = compiled.iter().map(|(domain, plan)| {
            let plan = match published.get(plan.domain()) {
                Some(values) => Arc::new(plan.with_published(values)),
                None => Arc::clone(plan),
            };
            (Arc::clone(domain), plan)
        });
        self.plans.store(Arc::new(plans.collect()));
    }

    /// Remembers a store, so that its rows go with their account.
    pub(crate) fn know(&self, table: TableId, shape: Shape, scope: Scope) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if scope == Scope::Key && !tables.contains(&(table, shape)) {
            tables.push((table, shape));
        }
    }

    /// Remembers a store whose rows are needed at every login.
    pub(crate) fn know_early(&self, table: TableId) {
        self.early.rcu(|known| {
            let mut tables = known.to_vec();
            if !tables.contains(&table) {
                tables.push(table);
            }
            tables
        });
    }

    /// Adds to the turn the removal of everything plugins keep for this key.
    pub(crate) fn forget_rows(&self, turn: &mut Turn, key: &str) {
        self.timers.forget_rows(&self.store, turn, key);
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (table, shape) in tables.iter() {
            match shape {
                Shape::Kv => turn.delete_partition(*table, key),
                Shape::Archive => turn.purge(*table, key, Purge::All),
            }
        }
    }

    /// What a good turn changes in memory: like its rows, the next call sees it.
    pub(crate) fn show(&self, core: &Core, call: &mut Call) {
        let Call { cause, after, volatile, .. } = call;
        for (slot, draft) in volatile.take().filter_map(|(at, draft)| Some((core.stores.get(at)?, draft))) {
            let partition = if slot.scope == Scope::Domain { &cause.domain } else { &cause.key };
            self.volatile.apply(&slot.name, partition, draft);
        }
        for (resource, tag, on) in after.tags.drain(..) {
            let session = self.sessions.find_resource(&cause.key, &resource);
            if let (Some(session), Some(tag)) = (session, self.sessions.tags().intern(&tag)) {
                session.mark(tag, on);
            }
        }
        if !after.groups.is_empty() {
            self.groups.apply(&core.id, &cause.key, std::mem::take(&mut after.groups));
        }
    }

    /// Carries out what follows a committed turn beside its effects.
    pub(crate) fn settle(&self, core: &Core, cause: &Cause, after: After) {
        for ask in after.asks {
            let until = self.clock.now_ms() + u64::from(ask.timeout);
            self.timers.ask_until(&ask.id, until);
            self.asks.register(&core.id, cause, ask);
        }
        for wake in after.wakes {
            self.timers.set(&core.id, cause, wake);
        }
        if let Some(wires) = self.wires.get() {
            wires.carry_out(core, cause, after.wires);
        }
        if let Some(plugin) = self.plugin(core.index).filter(|_| !after.operations.is_empty()) {
            self.call_table(&plugin, cause, after.operations);
        }
        for account in after.forgotten {
            self.groups.forget(|_, key| *key == *account);
            self.volatile.forget(|_, partition| *partition == *account);
            self.timers.forget(|_, key| *key == *account);
        }
        if !after.published.is_empty() {
            let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
            let of_domain = published.entry(Arc::clone(&cause.domain)).or_default();
            for (slot, values) in after.published {
                of_domain.insert((slot, core.index), values);
            }
            drop(published);
            self.republish();
        }
    }

    /// The effects of several turns, in order.
    pub(crate) fn release_all(&self, mut turns: Vec<(Cause, Vec<Effect>)>) -> xylem_hooks::Done<()> {
        turns.retain(|(_, effects)| !effects.is_empty());
        match (turns.pop(), self.release.get()) {
            (Some((cause, effects)), Some(_)) if turns.is_empty() => self.release(cause, effects),
            (Some(last), Some(release)) => {
                turns.push(last);
                release.release_all(turns)
            }
            _ => xylem_hooks::Done::Ready(()),
        }
    }

    pub(crate) fn release(&self, cause: Cause, effects: Vec<Effect>) -> xylem_hooks::Done<()> {
        match self.release.get() {
            Some(release) if !effects.is_empty() => release.release(cause, effects),
            _ => xylem_hooks::Done::Ready(()),
        }
    }
}
