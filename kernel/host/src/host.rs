//! All plugins of the server: the router calls them here, administrators change them here.

mod calls;
mod catalogue;
mod operating;
mod stopping;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{Plan, Release};
use xylem_session::SessionTable;
use xylem_store::{Store, Turn};

use crate::accounts::AccountService;
use crate::clock::{Clock, SystemClock};
use crate::engine::{CodeCache, PluginEngine};
use crate::error::HostError;
use crate::lanes::Lanes;
use crate::marks::Wrappings;
use crate::pages::Pages;
use crate::plugin::Plugin;
use crate::services::{Registry, Services};
use crate::status::{self, PluginInfo};
use crate::timers::Due;
use crate::wires::{WirePort, WireService};
use catalogue::Catalogue;
pub use catalogue::{Settings, overlaid};

/// What plugins are told about the server.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    pub name: String,
    pub version: String,
}

/// How the host runs.
#[derive(Clone)]
pub struct HostConfig {
    /// The hosted domains.
    pub domains: Vec<Arc<str>>,
    /// Where compiled plugins are kept; `None` compiles at each start. The folder is
    /// made with mode 0700 and not used if others can enter it.
    pub code: Option<PathBuf>,
    pub server: ServerInfo,
    /// The machine's, but for tests.
    pub clock: Arc<dyn Clock>,
}

impl HostConfig {
    /// For these domains, without a code folder.
    #[must_use]
    pub fn new(domains: &[&str]) -> Self {
        Self {
            domains: domains.iter().map(|domain| (*domain).into()).collect(),
            code: None,
            server: ServerInfo { name: "Xylem".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            clock: Arc::new(SystemClock),
        }
    }
}

/// The plugin host.
pub struct Host {
    services: Arc<Services>,
    engine: Arc<PluginEngine>,
    registry: Arc<Registry>,
    catalogue: Mutex<Catalogue>,
    /// Counts changes of which plugins there are and where they run.
    generation: AtomicU64,
    running: AtomicBool,
    agenda: OnceLock<tokio::task::JoinHandle<()>>,
}

impl Host {
    /// A host without plugins. To be made inside a tokio runtime.
    ///
    /// # Errors
    /// [`HostError::Engine`] if this machine cannot run WebAssembly.
    pub fn new(
        config: HostConfig,
        store: Store,
        sessions: Arc<SessionTable>,
        accounts: Arc<dyn AccountService>,
    ) -> Result<Arc<Self>, HostError> {
        let cache = config.code.as_deref().and_then(CodeCache::open);
        let engine = Arc::new(PluginEngine::new(cache)?);
        let (lanes, ends) = Lanes::new();
        let registry: Arc<Registry> = Arc::default();
        let services = Arc::new(Services {
            registry: Arc::downgrade(&registry),
            store,
            sessions,
            accounts,
            started: config.clock.now_ms(),
            clock: config.clock,
            server: config.server,
            groups: Default::default(),
            sizes: Default::default(),
            volatile: Default::default(),
            buckets: Default::default(),
            asks: Default::default(),
            timers: Default::default(),
            lanes,
            pages: Pages::default(),
            wrappings: Wrappings::default(),
            release: OnceLock::new(),
            wires: OnceLock::new(),
            table: OnceLock::new(),
            compiled: Default::default(),
            plans: Default::default(),
            published: Default::default(),
            tables: Default::default(),
            early: Default::default(),
        });
        Lanes::run(ends, &services);
        let host = Self {
            services,
            engine,
            registry,
            catalogue: Mutex::new(Catalogue::new(config.domains)),
            generation: AtomicU64::new(0),
            running: AtomicBool::new(false),
            agenda: OnceLock::new(),
        };
        host.replan(&host.lock())?;
        Ok(Arc::new(host))
    }

    /// Connects the router. Effects before that are lost.
    pub fn attach(&self, release: Arc<dyn Release>) {
        let _ = self.services.release.set(release);
    }

    /// Connects what listens for plugins; without it their listeners are as if none could
    /// be had. Once, before [`Host::start`].
    pub fn attach_wires(self: &Arc<Self>, service: Arc<dyn WireService>) {
        let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
        if self.services.wires.set(WirePort { service: Arc::clone(&service), ended }).is_err() {
            return;
        }
        let host = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(end) = ends.recv().await {
                let Some(host) = host.upgrade() else { return };
                tokio::spawn(async move { host.wire_ended(end).await });
            }
        });
        match self.lock().listeners() {
            Ok(listeners) => service.arrange(listeners),
            Err(error) => tracing::error!(%error, "no plugin can listen"),
        }
    }

    /// After loading plugins and attaching the router: timers run, and plugins hear
    /// `domain.started`.
    pub fn start(self: &Arc<Self>) {
        if self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let host = Arc::downgrade(self);
        let _ = self.agenda.set(tokio::spawn(Self::keep_time(host, Arc::clone(&self.services))));
        let plugins: Vec<_> = self.lock().plugins().collect();
        for (plugin, domains) in plugins {
            self.begin(&plugin, &domains);
        }
    }

    /// The plan of a hosted domain, or of the one that a claimed domain belongs to.
    #[must_use]
    pub fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.services.plan(domain)
    }

    /// All installed plugins, by id.
    #[must_use]
    pub fn info(&self) -> Vec<PluginInfo> {
        let plugins: Vec<_> = self.lock().plugins().collect();
        let text = |domains: Vec<Arc<str>>| domains.iter().map(ToString::to_string).collect();
        plugins.into_iter().map(|(plugin, domains)| status::info(&plugin, text(domains))).collect()
    }

    /// Adds to a turn the removal of all rows that plugins keep for a key: for the
    /// server, when it deletes an account itself.
    pub fn forget_rows(&self, turn: &mut Turn, key: &str) {
        self.services.forget_rows(turn, key);
        self.services.volatile.forget(|_, partition| partition == key);
    }

    /// Names of the tables in which a plugin, installed or not, has stored something.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn stored_by(&self, id: &str) -> xylem_store::Result<Vec<String>> {
        self.services.store.tables(&format!("{id}/")).await
    }

    /// Removes everything that a removed plugin has stored, timers included; how many
    /// accounts and other keys had something. After an error it can be called again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn erase(&self, id: &str) -> xylem_store::Result<u64> {
        let store = &self.services.store;
        let mut erased = 0;
        for table in self.stored_by(id).await? {
            erased += store.erase(&table).await?;
        }
        store.kv(crate::timers::TABLE).delete_partition(id).wait().await?;
        Ok(erased)
    }

    /// Whether no turn waits for its commit or has anything left to release; for tests
    /// that want to see all that follows from something.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.services.lanes.are_idle()
    }

    /// Runs what is due by the clock; for tests whose clock does not move by itself.
    pub async fn run_due(self: &Arc<Self>) {
        let now = self.services.clock.now_ms();
        for due in self.services.timers.due(now) {
            self.carry_out(due).await;
        }
    }

    async fn keep_time(host: Weak<Self>, services: Arc<Services>) {
        loop {
            services.timers.wait(&*services.clock).await;
            let now = services.clock.now_ms();
            for due in services.timers.due(now) {
                let Some(host) = host.upgrade() else { return };
                tokio::spawn(async move { host.carry_out(due).await });
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, due: Due) {
        match due {
            Due::Ask(id) => {
                if let Some(open) = self.services.asks.timed_out(&id) {
                    self.answered(open, Err(crate::capability::Fault::TimedOut)).await;
                }
            }
            Due::Wake(wake) => self.wake(wake).await,
        }
    }

    fn plugin(&self, index: PluginIndex) -> Option<Arc<Plugin>> {
        let registry = self.registry.load();
        registry.get(usize::try_from(index.0).ok()?)?.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(agenda) = self.agenda.get() {
            agenda.abort();
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
