//! The domains served: what a stream must know of each, and its dispatch plan.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use xylem_hooks::{Manifest, Plan};
use xylem_sasl::{DecoyKey, Mechanism};
use xylem_stanza::Domain;
use xylem_stream::{Environment, HostConfig, HostLookup};
use xylem_xml::Limits;

use crate::config::Config;

/// All domains; replaced whole when the configuration or the plugins change.
pub struct Hosts(ArcSwap<Table>);

struct Table {
    default: Arc<HostConfig>,
    streams: HashMap<String, Arc<HostConfig>>,
    plans: HashMap<String, Arc<Plan>>,
}

impl Hosts {
    /// Domains without plugins; none if the configuration has no domain.
    pub fn new(config: &Config, decoy: &DecoyKey) -> Option<Self> {
        let plans = config.domains.iter().filter_map(|d| Plan::compile(&[], &d.name).ok()).map(Arc::new).collect();
        Table::build(config, decoy, plans, &[]).map(|table| Self(ArcSwap::from_pointee(table)))
    }

    /// Puts new plans in force; `manifests` are those of all running plugins.
    pub fn replace(&self, config: &Config, decoy: &DecoyKey, plans: Vec<Arc<Plan>>, manifests: &[Arc<Manifest>]) {
        if let Some(table) = Table::build(config, decoy, plans, manifests) {
            self.0.store(Arc::new(table));
        }
    }

    /// The plans of all domains, in order of name.
    pub fn plans(&self) -> Vec<Arc<Plan>> {
        let mut plans: Vec<_> = self.0.load().plans.values().cloned().collect();
        plans.sort_by(|a, b| a.domain().cmp(b.domain()));
        plans.dedup_by(|a, b| a.domain() == b.domain());
        plans
    }
}

impl Table {
    fn build(config: &Config, decoy: &DecoyKey, plans: Vec<Arc<Plan>>, manifests: &[Arc<Manifest>]) -> Option<Self> {
        let mut by_name: HashMap<String, Arc<Plan>> = HashMap::new();
        for plan in &plans {
            for (claimed, _) in plan.claimed_domains() {
                by_name.entry(claimed.to_owned()).or_insert_with(|| Arc::clone(plan));
            }
        }
        for plan in plans {
            by_name.insert(plan.domain().to_owned(), plan);
        }
        let mut streams = HashMap::new();
        let mut default = None;
        for domain in &config.domains {
            let name = Domain::parse(&domain.name).ok()?;
            let plan = by_name.get(&domain.name).cloned().unwrap_or_default();
            let mut host = HostConfig::new(name, decoy.clone());
            host.mechanisms = mechanisms(config, domain.anonymous);
            host.limits = limits(config);
            host.idle_seconds = u32::try_from(config.timeouts.idle.as_secs()).ok();
            host.login_attempts = config.sasl.attempts;
            host.features_before_auth = plan.contributions("stream.before-auth").concat();
            host.features_after_auth = plan.contributions("stream.after-auth").concat();
            host.pre_auth_namespaces = before_login(&plan, manifests);
            let host = Arc::new(host);
            default.get_or_insert_with(|| Arc::clone(&host));
            streams.insert(domain.name.clone(), host);
        }
        Some(Self { default: default?, streams, plans: by_name })
    }
}

impl Environment for Hosts {
    fn host(&self, domain: &Domain) -> HostLookup {
        match self.0.load().streams.get(domain.as_str()) {
            Some(host) => HostLookup::Found(Arc::clone(host)),
            None => HostLookup::Unknown,
        }
    }

    fn default_host(&self) -> Arc<HostConfig> {
        Arc::clone(&self.0.load().default)
    }

    fn token(&self) -> String {
        token()
    }
}

impl xylem_router::Directory for Hosts {
    fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.0.load().plans.get(domain).cloned()
    }
}

fn mechanisms(config: &Config, anonymous: bool) -> Arc<[Mechanism]> {
    let configured = config.sasl.mechanisms.iter().filter_map(|name| Mechanism::parse(name));
    configured.chain(anonymous.then_some(Mechanism::Anonymous)).collect()
}

fn limits(config: &Config) -> Limits {
    let limits = config.limits.stanza;
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
