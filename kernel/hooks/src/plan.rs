//! What all manifests of a domain amount to: who is called where, in which order,
//! who owns which IQ, what is announced. Immutable; the host swaps it whole.

mod chain;
mod extensions;
mod iq;
mod lookups;
mod order;
mod states;
mod views;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use chain::{Chain, Next, Step, Walk};
pub use extensions::Subscriber;
pub use iq::Claim;
pub use states::ClientStates;
pub use views::{Party, Views};

use xylem_stanza::Type;

use crate::call::PluginIndex;
use crate::manifest::{DomainClaim, Interface, Manifest};
use crate::point::{EntityClass, EventPoint, HookPoint, Phase};
use extensions::Extensions;
use iq::IqTable;

/// A plugin that takes part in a plan.
#[derive(Debug, Clone)]
pub struct ManifestEntry {
    /// Given by the host; another version of the same plugin has another one.
    pub plugin: PluginIndex,
    pub manifest: Arc<Manifest>,
    /// Its options in the domain, a JSON object.
    pub config: serde_json::Value,
}

impl ManifestEntry {
    /// A plugin whose options are as its manifest says.
    #[must_use]
    pub fn new(plugin: PluginIndex, manifest: Arc<Manifest>) -> Self {
        let config = manifest.config.resolve(&serde_json::Value::Null).unwrap_or_default();
        Self { plugin, manifest, config }
    }
}

/// An `[[event]]` of a plugin.
#[derive(Debug, Clone)]
pub struct Listener {
    pub plugin: PluginIndex,
    pub plugin_id: Arc<str>,
    pub entry: u32,
}

/// Why manifests do not go together. Nothing is loaded; the plan before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error("{id} is there twice; remove one of them")]
    Twice { id: String },
    #[error("{0}")]
    IqClash(Box<IqClash>),
    #[error("{first} and {second} both claim the domain {domain}; change `claim` of one of them")]
    DomainClash { first: String, second: String, domain: String },
    #[error(
        "[plugins.\"{plugin}\"] {option}: `{domain}` cannot be claimed; write a domain in lower case, other than the hosted one"
    )]
    Claim { plugin: String, option: String, domain: String },
    #[error("{point}, phase {phase}: the order runs in a circle: {circle}; take out one of these before/after")]
    Circle { point: &'static str, phase: &'static str, circle: String },
    #[error("{plugin}: needs the view {view}, but {problem}")]
    View { plugin: String, view: String, problem: String },
    #[error(
        "{plugin}: plugin.toml line {line}: [[extend]] {interface}: plugins would wait for each other in a circle: {circle}; take out this [[extend]]"
    )]
    ExtensionCircle { plugin: String, line: usize, interface: String, circle: String },
    #[error("{first} and {second} both have [extension] {interface}; disable one of them")]
    ExtensionClash { first: String, second: String, interface: String },
    #[error("{point}: {count} hooks; {most} at most, disable a plugin", most = Chain::MOST)]
    TooMany { point: &'static str, count: usize },
}

/// Two owners of one request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{first} (line {first_line}) and {second} (line {second_line}) both claim <{name} xmlns='{ns}'/> of type {kinds} to {to}; disable one of them or take the name out of its [[iq]]"
)]
pub struct IqClash {
    pub first: String,
    pub first_line: usize,
    pub second: String,
    pub second_line: usize,
    pub ns: String,
    pub name: String,
    pub kinds: &'static str,
    pub to: &'static str,
}

/// The compiled plan of one domain.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    domain: Arc<str>,
    chains: [Arc<Chain>; HookPoint::ALL.len()],
    iq: Arc<IqTable>,
    events: Arc<[Vec<Listener>; EventPoint::COUNT]>,
    client_states: Arc<ClientStates>,
    domains: Arc<HashMap<String, PluginIndex>>,
    declared: Arc<BTreeMap<String, BTreeMap<PluginIndex, Vec<String>>>>,
    contributions: Arc<BTreeMap<String, Arc<[String]>>>,
    inline_offered: Arc<[String]>,
    inline_always: Arc<[(String, String)]>,
    ids: Arc<BTreeMap<PluginIndex, Arc<str>>>,
    extensions: Arc<Extensions>,
    tables: Arc<[Arc<str>]>,
    stamp: u64,
}

/// Plans compiled so far.
static COMPILED: AtomicU64 = AtomicU64::new(0);

impl Plan {
    /// Compiles the plan of a domain.
    ///
    /// # Errors
    /// The first way in which the manifests do not go together, naming the plugins.
    pub fn compile(entries: &[ManifestEntry], domain: &str) -> Result<Self, PlanError> {
        let mut ids = BTreeMap::new();
        let mut names = BTreeSet::new();
        for entry in entries {
            if !names.insert(entry.manifest.id()) {
                return Err(PlanError::Twice { id: entry.manifest.id().to_owned() });
            }
            ids.insert(entry.plugin, Arc::<str>::from(entry.manifest.id()));
        }
        check_views(entries)?;
        let mut chains: [Arc<Chain>; HookPoint::ALL.len()] = Default::default();
        for (chain, point) in chains.iter_mut().zip(HookPoint::ALL) {
            *chain = Arc::new(Chain::compile(point, entries)?);
        }
        let mut plan = Self {
            domain: domain.into(),
            chains,
            iq: Arc::new(IqTable::compile(entries)?),
            events: Arc::new(listeners(entries)),
            client_states: Arc::new(ClientStates::compile(entries)),
            domains: Arc::new(claimed(entries, domain)?),
            declared: Arc::new(declared(entries)),
            contributions: Arc::default(),
            inline_offered: IqTable::offered_at_binding(entries).into(),
            inline_always: IqTable::at_every_binding(entries).into(),
            ids: Arc::new(ids),
            extensions: Arc::new(extensions::compile(entries)?),
            tables: Arc::default(),
            stamp: COMPILED.fetch_add(1, Ordering::Relaxed) + 1,
        };
        plan.tables = plan.of_accounts();
        plan.merge(&BTreeMap::new());
        Ok(plan)
    }

    /// The hosted domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Its name, to be shared.
    #[must_use]
    pub fn domain_name(&self) -> &Arc<str> {
        &self.domain
    }

    /// The plugins in it, by place.
    pub fn plugins(&self) -> impl Iterator<Item = (PluginIndex, &Arc<str>)> {
        self.ids.iter().map(|(index, id)| (*index, id))
    }

    /// Who is called at a point, in order.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one chain per point")]
    pub fn point(&self, point: HookPoint) -> &Chain {
        &self.chains[point as usize]
    }

    /// The stores whose rows of an account decide who is called for a message or a presence that
    /// comes to it.
    #[must_use]
    pub fn tables(&self) -> &[Arc<str>] {
        &self.tables
    }

    /// Differs between plans that were compiled; never 0.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    fn of_accounts(&self) -> Arc<[Arc<str>]> {
        let points = [HookPoint::MessageIn, HookPoint::PresenceIn];
        let tables: BTreeSet<&Arc<str>> = points.iter().flat_map(|point| self.point(*point).tables()).collect();
        tables.into_iter().cloned().collect()
    }

    /// Who owns this request to the server or to an account.
    #[must_use]
    pub fn iq(&self, class: EntityClass, ns: &str, name: &str, kind: Type) -> Option<&Claim> {
        self.iq.find(class, ns, name, kind, None)
    }

    /// Who owns this request at a domain claimed by the plugin.
    #[must_use]
    pub fn domain_iq(&self, plugin: PluginIndex, ns: &str, name: &str, kind: Type) -> Option<&Claim> {
        self.iq.find(EntityClass::Domain, ns, name, kind, Some(plugin))
    }

    /// Who owns this request of a stream that has not authenticated.
    #[must_use]
    pub fn before_auth(&self, ns: &str, name: &str, kind: Type) -> Option<&Claim> {
        self.iq(EntityClass::Server, ns, name, kind).filter(|claim| claim.before_auth)
    }

    /// Namespaces of what clients may ask for together with a binding (XEP-0386 §3.1).
    #[must_use]
    pub fn inline_offered(&self) -> &[String] {
        &self.inline_offered
    }

    /// Namespace and name of what is asked of plugins at every such binding.
    pub fn inline_always(&self) -> impl Iterator<Item = (&str, &str)> {
        self.inline_always.iter().map(|(ns, name)| (ns.as_str(), name.as_str()))
    }

    /// The plugin that claims this domain.
    #[must_use]
    pub fn domain_owner(&self, domain: &str) -> Option<PluginIndex> {
        self.domains.get(domain).copied()
    }

    /// All claimed domains.
    pub fn claimed_domains(&self) -> impl Iterator<Item = (&str, PluginIndex)> {
        self.domains.iter().map(|(domain, plugin)| (domain.as_str(), *plugin))
    }

    /// Who wants to know, in the order of plugin ids.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one list per event")]
    pub fn listeners(&self, event: EventPoint) -> &[Listener] {
        &self.events[event as usize]
    }

    /// What clients that nobody looks at are sent.
    #[must_use]
    pub fn client_states(&self) -> &ClientStates {
        &self.client_states
    }

    /// Who takes part in an interface between plugins, in the order of asking.
    #[must_use]
    pub fn subscribers(&self, interface: &Interface) -> &[Subscriber] {
        self.extensions.get(interface).map_or(&[], |subscribers| subscribers)
    }

    /// What all plugins add to a slot, sorted and without doubles.
    #[must_use]
    pub fn contributions(&self, slot: &str) -> &[String] {
        self.contributions.get(slot).map_or(&[], |values| values)
    }

    /// The same plan with what plugins published while running: slot, plugin, values
    /// that replace what its manifest adds there.
    #[must_use]
    pub fn with_published(&self, published: &BTreeMap<(String, PluginIndex), Vec<String>>) -> Self {
        let mut plan = self.clone();
        plan.merge(published);
        plan
    }

    fn merge(&mut self, published: &BTreeMap<(String, PluginIndex), Vec<String>>) {
        let mut slots = (*self.declared).clone();
        for ((slot, plugin), values) in published.iter().filter(|((_, plugin), _)| self.ids.contains_key(plugin)) {
            slots.entry(slot.clone()).or_default().insert(*plugin, values.clone());
        }
        let merge = |(slot, by_plugin): (String, BTreeMap<PluginIndex, Vec<String>>)| {
            let values: BTreeSet<String> = by_plugin.into_values().flatten().collect();
            (slot, values.into_iter().collect())
        };
        self.contributions = Arc::new(slots.into_iter().map(merge).collect());
    }

    /// The chain of a point for people: one line per hook, in the order of calling.
    #[must_use]
    pub fn describe(&self, point: HookPoint) -> String {
        let mut out = String::new();
        for step in self.point(point).steps() {
            out.push_str(&step.to_string());
            out.push('\n');
        }
        out
    }
}

fn check_views(entries: &[ManifestEntry]) -> Result<(), PlanError> {
    for entry in entries {
        for view in &entry.manifest.needs.views {
            let refuse = |problem: String| {
                Err(PlanError::View { plugin: entry.manifest.id().to_owned(), view: view.table.to_string(), problem })
            };
            let Some(owner) = entries.iter().find(|other| other.manifest.id() == view.plugin.as_str()) else {
                return refuse(format!(
                    "{} is not enabled here; enable it, or take the view out of `needs.views`",
                    view.plugin
                ));
            };
            let Some(store) = owner.manifest.store(&view.store) else {
                let stores: Vec<_> =
                    owner.manifest.stores.iter().filter(|store| store.view).map(|store| store.name.as_str()).collect();
                return refuse(format!("{} has no such store; its views: {}", view.plugin, stores.join(", ")));
            };
            if !store.view {
                return refuse(format!(
                    "{} does not offer it; its [[store]] on line {} lacks `view = true`",
                    view.plugin, store.line
                ));
            }
        }
    }
    Ok(())
}

fn listeners(entries: &[ManifestEntry]) -> [Vec<Listener>; EventPoint::COUNT] {
    let mut lists: [Vec<Listener>; EventPoint::COUNT] = Default::default();
    for entry in entries {
        let plugin_id: Arc<str> = entry.manifest.id().into();
        for (n, event) in (0..).zip(&entry.manifest.events) {
            if let Some(list) = lists.get_mut(event.on as usize) {
                list.push(Listener { plugin: entry.plugin, plugin_id: Arc::clone(&plugin_id), entry: n });
            }
        }
    }
    for list in &mut lists {
        list.sort_by(|a, b| (&a.plugin_id, a.entry).cmp(&(&b.plugin_id, b.entry)));
    }
    lists
}

fn claimed<'a>(entries: &'a [ManifestEntry], domain: &str) -> Result<HashMap<String, PluginIndex>, PlanError> {
    let mut domains: HashMap<String, &'a ManifestEntry> = HashMap::new();
    for entry in entries {
        let claims = |claim: &'a DomainClaim| claim.under(&entry.config).into_iter().map(move |text| (claim, text));
        for (claim, text) in entry.manifest.domains.iter().flat_map(claims) {
            let at = text.replace("{domain}", domain);
            if at == domain || !DomainClaim::is_formed(text) {
                let option = claim.option.clone().unwrap_or_default();
                return Err(PlanError::Claim {
                    plugin: entry.manifest.id().to_owned(),
                    option,
                    domain: text.to_owned(),
                });
            }
            if let Some(first) = domains.insert(at.clone(), entry) {
                let (first, second) = (first.manifest.id().to_owned(), entry.manifest.id().to_owned());
                return Err(PlanError::DomainClash { first, second, domain: at });
            }
        }
    }
    Ok(domains.into_iter().map(|(domain, entry)| (domain, entry.plugin)).collect())
}

fn declared(entries: &[ManifestEntry]) -> BTreeMap<String, BTreeMap<PluginIndex, Vec<String>>> {
    let mut slots: BTreeMap<String, BTreeMap<PluginIndex, Vec<String>>> = BTreeMap::new();
    for entry in entries {
        for (slot, values) in &entry.manifest.adds {
            slots.entry(slot.clone()).or_default().insert(entry.plugin, values.clone());
        }
    }
    slots
}

/// What a phase stands for when a plan is read by people.
impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
