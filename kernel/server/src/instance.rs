//! One running server: its parts, put together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use xylem_admin::sign_in::Login;
use xylem_net::admission::{Admission, AdmissionLimits};
use xylem_net::c2s::Context;
use xylem_net::tls::TlsStore;
use xylem_net::wires::Wires;
use xylem_net::{C2sConfig, ListenerConfig, Rate, Security, Server};
use xylem_router::Router;
use xylem_sasl::{DecoyKey, ThrottleConfig};
use xylem_session::{Limits, QueueLimits, SessionTable};
use xylem_store::options::LowWater;
use xylem_store::{BackendKind, Options, Store};

use crate::accounts::Accounts;
use crate::acme::Keeper;
use crate::brake::Brake;
use crate::config::{Backend, Config};
use crate::devices::{Devices, Terms};
use crate::ending::Endings;
use crate::entry::Gate;
use crate::folder::Folder;
use crate::history::History;
use crate::hosts::Hosts;
use crate::inspector::Inspector;
use crate::metrics::Logins;
use crate::plugins::PluginService;
use crate::wires::PluginWires;

/// The parts of one server, as operations, metrics and reload need them.
pub struct Instance {
    pub config: ArcSwap<Config>,
    pub started: Instant,
    pub store: Store,
    pub sessions: Arc<SessionTable>,
    pub accounts: Accounts,
    pub devices: Devices,
    pub hosts: Arc<Hosts>,
    pub router: Router,
    pub plugins: Arc<PluginService>,
    pub tls: Arc<TlsStore>,
    /// Who gets certificates by ACME.
    pub acme: Keeper,
    pub context: Arc<Context>,
    pub front: Server,
    /// Connections that the server relays for plugins.
    pub wires: Wires,
    pub logins: Arc<Logins>,
    pub history: History,
    pub inspector: Arc<Inspector>,
    /// On guessing passwords, for all ways in.
    pub brake: Arc<Brake>,
    /// What only this server can make things up with.
    pub decoy: DecoyKey,
    /// Where the configuration is read from again.
    pub reread: Reread,
    /// The end of the server, once somebody has asked for it.
    pub endings: Endings,
    /// Who is signed in to the console; there where there is one.
    pub console: OnceLock<Login>,
}

/// How a reload gets its configuration.
#[derive(Clone, Debug)]
pub enum Reread {
    /// From this file, or the defaults; the data folder stays.
    File(Option<PathBuf>),
    /// Not at all: a throw-away server.
    Never,
}

impl Instance {
    /// Opens the store, starts the plugins, takes up what a process that was killed has left, then opens
    /// the ports.
    pub async fn start(config: Config, folder: Folder, reread: Reread) -> anyhow::Result<Arc<Self>> {
        let store = open_store(&config)?;
        let names: Vec<String> = config.domains.iter().map(|d| d.name.clone()).collect();
        let accounts = Accounts::new(store.clone(), names, config.sasl.iterations);
        let devices = Devices::new(store.clone(), folder.decoy.clone(), terms(&config));
        accounts.attach(devices.clone());
        let sessions = Arc::new(SessionTable::new(session_limits(&config)));
        let plugins = Arc::new(PluginService::load(&config, &store, &sessions, &accounts)?);
        let router = Router::new(Arc::clone(&sessions), store.clone(), Arc::new(accounts.clone()), plugins.directory());
        let inspector = Inspector::attach(&router);
        let wires = Wires::new(Admission::new(admission(&config)));
        plugins.attach(&router, Arc::new(PluginWires(wires.clone())));
        let config = Arc::new(config);
        let decoy = folder.decoy;
        let hosts = Hosts::new(Arc::clone(&config), decoy.clone(), Arc::clone(&plugins));
        let hosts = Arc::new(hosts.context("no domain is configured")?);
        let tls = Arc::new(TlsStore::new(&folder.tls)?);
        let logins = Arc::new(Logins::default());
        let brake = Arc::new(Brake::new(throttle(&config)));
        let gate =
            Gate::new(router.clone(), accounts.clone(), devices.clone(), Arc::clone(&brake), Arc::clone(&logins));
        let context = Arc::new(Context::new(
            Arc::new(gate),
            Arc::clone(&hosts) as Arc<_>,
            Arc::clone(&tls),
            Arc::clone(&sessions),
            Admission::new(admission(&config)),
            c2s(&config),
        ));
        // What comes now goes behind what was left.
        router.take_up().await;
        let front = Server::start(Arc::clone(&context), listeners(&config))?;
        let config = ArcSwap::new(config);
        let started = Instant::now();
        let instance = Self {
            config,
            started,
            store,
            sessions,
            accounts,
            devices,
            hosts,
            router,
            plugins,
            tls,
            acme: Keeper::default(),
            context,
            front,
            wires,
            logins,
            history: History::default(),
            inspector,
            brake,
            decoy,
            endings: Endings::new(matches!(reread, Reread::File(_))),
            reread,
            console: OnceLock::new(),
        };
        Ok(Arc::new(instance))
    }

    /// What the ports are, in the order STARTTLS, direct TLS.
    pub fn addresses(&self) -> impl Iterator<Item = (Security, SocketAddr)> {
        let configured = listeners(&self.config.load()).into_iter().map(|l| l.security);
        configured.zip(self.front.addresses().iter().copied())
    }

    /// Why the server is unwell; empty when all is well.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let health = self.store.health();
        if let Some(reason) = &health.read_only {
            problems.push(format!("the store takes no writes until a restart: {reason}"));
        }
        if health.disk_full {
            problems.push("the disk is nearly full: nothing more is stored".to_owned());
        }
        problems.extend(self.plugins.problems());
        problems.extend(self.wires.problems());
        problems
    }

    /// Ends all sessions, lets what is queued go out, and closes the store.
    pub async fn stop(&self) {
        let drain = self.config.load().server.drain;
        let begun = Instant::now();
        // At most half of the time, so that what is queued has the other half.
        if tokio::time::timeout(drain / 2, self.plugins.stopping()).await.is_err() {
            tracing::warn!("not every plugin had said its last words in time");
        }
        self.wires.shut_down();
        let left = self.front.shut_down(drain.saturating_sub(begun.elapsed())).await;
        if left > 0 {
            tracing::warn!(connections = left, "not everything could be delivered in time");
        }
        let store = self.store.clone();
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store did not close");
        }
    }
}

pub fn session_limits(config: &Config) -> Limits {
    let queue = QueueLimits { stanzas: config.limits.queue_stanzas, bytes: config.limits.queue_bytes };
    Limits { sessions_per_account: config.limits.resources_per_account, queue }
}

pub fn terms(config: &Config) -> Terms {
    Terms { lifetime: config.sasl.token_lifetime.as_secs(), rotation: config.sasl.token_rotation.as_secs() }
}

pub fn admission(config: &Config) -> AdmissionLimits {
    AdmissionLimits {
        total: config.listen.connections,
        per_address: config.listen.connections_per_address,
        per_second: config.listen.new_per_second as f64,
        burst: config.listen.new_at_once as f64,
        ..AdmissionLimits::default()
    }
}

pub fn c2s(config: &Config) -> C2sConfig {
    let timeouts = &config.timeouts;
    let per_second = config.limits.bytes_per_second as f64;
    let stanza = config.limits.stanza.stanza_bytes as f64;
    C2sConfig {
        timeouts: xylem_net::Timeouts {
            handshake: timeouts.handshake,
            login: timeouts.login,
            idle: timeouts.idle,
            stalled: timeouts.stalled,
            close: timeouts.close,
        },
        conflict: config.limits.resource_conflict,
        management: xylem_net::ManagementConfig {
            ask_after: config.management.ask_after,
            ask_idle: config.management.ask_idle,
            unacknowledged: QueueLimits {
                stanzas: config.management.unacknowledged_stanzas,
                bytes: config.management.unacknowledged_bytes,
            },
            hibernated_per_account: config.management.hibernated_per_account,
        },
        rate: (per_second > 0.0).then_some(Rate { per_second, burst: per_second.max(stanza) }),
    }
}

fn listeners(config: &Config) -> Vec<ListenerConfig> {
    let proxies = &config.listen.proxy_from;
    let of = |addresses: &[SocketAddr], security| {
        let listener = |address: &SocketAddr| ListenerConfig { address: *address, security, proxies: proxies.clone() };
        addresses.iter().map(listener).collect::<Vec<_>>()
    };
    let mut all = of(&config.listen.starttls, Security::StartTls);
    all.extend(of(&config.listen.direct_tls, Security::DirectTls));
    all
}

fn throttle(config: &Config) -> ThrottleConfig {
    let rate = |burst| xylem_sasl::Rate { burst, forgive: config.sasl.forgive };
    ThrottleConfig {
        address: rate(config.sasl.failures_per_address),
        account: rate(config.sasl.failures_per_account),
        ..ThrottleConfig::default()
    }
}

fn open_store(config: &Config) -> anyhow::Result<Store> {
    let kind = match config.store.backend {
        Backend::Memory => return Store::memory().context("cannot make a store in memory"),
        Backend::Sled => BackendKind::Sled,
        Backend::Fjall => BackendKind::Fjall,
    };
    let low_water = if config.store.low_water == 0 { LowWater::Auto } else { LowWater::Bytes(config.store.low_water) };
    let options = Options {
        window: config.store.commit_window,
        low_water,
        cache_bytes: usize::try_from(config.store.cache).unwrap_or(usize::MAX),
        ..Options::default()
    };
    let path = config.in_data(&config.store.path);
    Store::open(kind, &path, options).with_context(|| format!("cannot open the store in {}", path.display()))
}

/// Tells findings about certificates, now and every day.
pub async fn watch_certificates(tls: Arc<TlsStore>) {
    loop {
        for finding in tls.findings() {
            tracing::warn!("{finding}");
        }
        tokio::time::sleep(Duration::from_secs(86_400)).await;
    }
}
