//! The domains served, as streams must know them.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use xylem_hooks::{Manifest, Plan};
use xylem_sasl::{DecoyKey, Mechanism};
use xylem_stanza::Domain;
use xylem_stream::{Environment, HostConfig, HostLookup};
use xylem_xml::Limits;

use crate::config::{Config, StanzaLimits};
use crate::plugins::PluginService;

/// All domains, as streams that begin now find them.
pub struct Hosts {
    plugins: Arc<PluginService>,
    table: ArcSwap<Table>,
}

struct Table {
    config: Arc<Config>,
    decoy: DecoyKey,
    default: Arc<HostConfig>,
    hosts: HashMap<String, Host>,
}

struct Host {
    /// What `stream` was made from.
    plan: Option<Arc<Plan>>,
    stream: Arc<HostConfig>,
}

impl Hosts {
    /// None if the configuration has no domain.
    pub fn new(config: Arc<Config>, decoy: DecoyKey, plugins: Arc<PluginService>) -> Option<Self> {
        let table = ArcSwap::from_pointee(Table::build(config, decoy, &plugins)?);
        Some(Self { plugins, table })
    }

    /// After a change of the configuration.
    pub fn configure(&self, config: Arc<Config>) {
        let decoy = self.table.load().decoy.clone();
        self.rebuild(config, decoy);
    }

    fn rebuild(&self, config: Arc<Config>, decoy: DecoyKey) {
        if let Some(table) = Table::build(config, decoy, &self.plugins) {
            self.table.store(Arc::new(table));
        }
    }
}

impl Table {
    fn build(config: Arc<Config>, decoy: DecoyKey, plugins: &PluginService) -> Option<Self> {
        let manifests = plugins.manifests();
        let mut hosts = HashMap::new();
        let mut default = None;
        for domain in &config.domains {
            let plan = plugins.plan(&domain.name);
            let decoy = decoy.clone().with_iterations(config.sasl.iterations);
            let mut stream = HostConfig::new(Domain::parse(&domain.name).ok()?, decoy);
            stream.mechanisms = mechanisms(&config, domain.anonymous);
            stream.limits = limits(config.limits.stanza);
            stream.limits_before_auth = Some(limits(config.limits.before_login));
            stream.idle_seconds = u32::try_from(config.timeouts.idle.as_secs()).ok();
            stream.management = management(&config);
            stream.login_attempts = config.sasl.attempts;
            stream.tokens = !config.sasl.token_lifetime.is_zero();
            stream.early_data = config.sasl.early_data;
            if let Some(plan) = &plan {
                stream.features_before_auth = plan.contributions("stream.before-auth").concat();
                stream.features_after_auth = plan.contributions("stream.after-auth").concat();
                stream.inline_features = plan.inline_offered().to_vec();
                stream.inline_always = plan.inline_always().next().is_some();
                stream.pre_auth_namespaces = before_login(plan, &manifests);
            }
            let stream = Arc::new(stream);
            default.get_or_insert_with(|| Arc::clone(&stream));
            hosts.insert(domain.name.clone(), Host { plan, stream });
        }
        Some(Self { default: default?, config, decoy, hosts })
    }
}

impl Environment for Hosts {
    fn host(&self, domain: &Domain) -> HostLookup {
        let table = self.table.load();
        let Some(host) = table.hosts.get(domain.as_str()) else { return HostLookup::Unknown };
        // Plugins come and go, and publish stream features while they run.
        let plan = self.plugins.plan(domain.as_str());
        if plan.as_ref().map(Arc::as_ptr) == host.plan.as_ref().map(Arc::as_ptr) {
            return HostLookup::Found(Arc::clone(&host.stream));
        }
        self.rebuild(Arc::clone(&table.config), table.decoy.clone());
        let host = self.table.load().hosts.get(domain.as_str()).map(|host| Arc::clone(&host.stream));
        host.map_or(HostLookup::Unknown, HostLookup::Found)
    }

    fn default_host(&self) -> Arc<HostConfig> {
        Arc::clone(&self.table.load().default)
    }

    fn token(&self) -> String {
        token()
    }
}

fn mechanisms(config: &Config, anonymous: bool) -> Arc<[Mechanism]> {
    let configured = config.sasl.mechanisms.iter().filter_map(|name| Mechanism::parse(name));
    configured.chain(anonymous.then_some(Mechanism::Anonymous)).collect()
}

fn management(config: &Config) -> xylem_stream::Management {
    xylem_stream::Management {
        resume_seconds: u32::try_from(config.management.resume.as_secs()).unwrap_or(u32::MAX),
        location: config.management.location.clone(),
    }
}

fn limits(limits: StanzaLimits) -> Limits {
    Limits {
        stanza_bytes: limits.stanza_bytes,
        depth: limits.depth,
        attributes: limits.attributes,
        name_bytes: limits.name_bytes,
    }
}

/// Namespaces of IQs that running plugins of this domain take before login.
fn before_login(plan: &Plan, manifests: &[Arc<Manifest>]) -> Vec<String> {
    let ids: Vec<_> = plan.plugins().map(|(_, id)| Arc::clone(id)).collect();
    let of_plan = manifests.iter().filter(|m| ids.iter().any(|id| **id == *m.id()));
    let mut namespaces: Vec<_> =
        of_plan.flat_map(|m| m.iqs.iter()).filter(|iq| iq.before_auth).map(|iq| iq.ns.clone()).collect();
    namespaces.sort();
    namespaces.dedup();
    namespaces
}

/// 24 letters and digits that nobody can guess: 124 bits.
fn token() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = [0; 24];
    if let Err(error) = getrandom::fill(&mut random) {
        tracing::error!(%error, "no randomness");
        std::process::abort();
    }
    // 256 is not a multiple of 36: the first four letters come a little more often.
    random.iter().filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len())).map(|b| char::from(*b)).collect()
}
