//! `plugin.toml`: what a plugin is, when it is called, what it may touch and what
//! it adds without code. [`Manifest::parse`] refuses what it does not understand,
//! naming the line, the key and what would be right.

mod adds;
mod binding;
mod check;
mod config;
mod domain;
mod extension;
mod grants;
mod held;
mod limit;
mod listener;
mod matching;
mod native;
mod operation;
mod read;
mod refusal;
mod text;
mod units;
mod when;

use std::sync::Arc;
use std::time::Duration;

pub use binding::AtBinding;
pub use config::{ConfigError, ConfigKind, ConfigOption, ConfigSchema};
pub use domain::DomainClaim;
pub use extension::{Extend, Interface};
pub use grants::{AccountGrants, Needs, OutboxGrant, Recipient, Sender, SessionGrants, View};
pub use held::{ClientStateRule, Treat};
pub use limit::{LimitCount, LimitSpec};
pub use listener::{Framing, ListenerSpec};
pub use native::{ElementName, Native, Record};
pub use operation::{ArgumentKind, FieldKind, LeastRole, OperationArgument, OperationField, OperationSpec};
pub use refusal::ManifestError;
pub use text::TextSpec;
pub use units::{ByteSize, MatchName, Period, PluginId, Text};
pub use when::When;

use crate::filter::{AddressForms, Types};
use crate::point::{EntityClass, EventPoint, HookPoint, Phase};

/// A checked manifest. Entries stand in the order of the file: guests and plan
/// name them by their place.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Manifest {
    pub plugin: About,
    pub xeps: Vec<Xep>,
    pub run: Run,
    /// At most 64; the n-th is bit n of what `on-stanza` is told.
    pub matches: Vec<Match>,
    pub hooks: Vec<Hook>,
    pub iqs: Vec<IqClaim>,
    pub events: Vec<EventEntry>,
    pub client_states: Vec<ClientStateRule>,
    /// Function names for `on-answer`, `on-wake`, `on-page` and `on-operation`.
    pub replies: Replies,
    /// Function name for `start`.
    pub start: Option<String>,
    pub stores: Vec<StoreSpec>,
    pub limits: Vec<LimitSpec>,
    pub listeners: Vec<ListenerSpec>,
    pub domains: Vec<DomainClaim>,
    /// What administrators can ask of it.
    pub operations: Vec<OperationSpec>,
    /// The interface by which it asks other plugins.
    pub extension: Option<Interface>,
    /// Interfaces of others in which it takes part.
    pub extends: Vec<Extend>,
    /// Slot and values, as under `[adds]`.
    pub adds: Vec<(String, Vec<String>)>,
    pub needs: Needs,
    pub config: ConfigSchema,
}

/// `[plugin]`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Lowercase words joined by dots, such as `xylem.blocking`.
    pub id: PluginId,
    pub version: Text,
    /// The interface it was built for; [`Manifest::API`] is the one known.
    pub api: Text,
    pub summary: Text,
    pub license: Text,
}

/// `[[xep]]`: a specification the plugin follows.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xep {
    pub number: u16,
    pub version: Text,
    /// What is left out, if anything is.
    pub note: Option<Text>,
}

/// How instances are made and shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunModel {
    /// Calls for one key run one at a time, in order, on one instance.
    #[default]
    Keyed,
    /// Any free instance; calls for one key still run one at a time.
    Pooled,
    /// A new instance for each call.
    Fresh,
}

/// Whose rows a call sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// The entity that the hook point, IQ or event names.
    #[default]
    Entity,
    /// The same, but an IQ to the server runs under the account that sent it, if one did.
    Account,
    /// The hosted domain, always.
    Domain,
}

/// What a hook answers while the plugin cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFault {
    /// Reject the stanza with `internal-server-error`.
    Refuse,
    /// Go on as if the plugin were not there.
    Bypass,
}

/// `[run]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub model: RunModel,
    pub key: KeyKind,
    /// Instances for `keyed` and `pooled`; `None` means one per core.
    pub shards: Option<u16>,
    /// Bytes of linear memory per instance, 64 KiB to 256 MiB.
    pub memory: u64,
    /// CPU time per call, 1 ms to 1 s.
    pub deadline: Duration,
    /// From call to answer, waits included, 10 ms to 60 s.
    pub wall: Duration,
    pub outbox: OutboxLimit,
    /// Log lines per second.
    pub log_rate: u32,
    /// Overrides what the phase implies: `refuse` for screen, `bypass` for others.
    pub on_fault: Option<OnFault>,
}

/// What one call may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimit {
    /// Stanzas, each recipient of a fan-out counted.
    pub count: u64,
    /// Bytes of stanzas made by the plugin; a template counts once.
    pub bytes: u64,
}

/// One line of `[match]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub name: String,
    pub test: Test,
}

/// What a match asks of a stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A direct child of this namespace, and of this name if one is given.
    Child { ns: String, name: Option<String> },
    /// The other party has a row in this table: its full JID, its bare JID, its
    /// domain with the resource, or its domain.
    Peer { table: Arc<str>, scope: Scope },
    /// The key has any row in this table, whoever the other party is.
    Any { table: Arc<str>, scope: Scope },
    /// The account has a session that carries this tag.
    Tagged { tag: Arc<str> },
    /// A session of the key has lost its connection and waits for its client (XEP-0198 §5).
    Waits,
    /// The other party is the key itself, or a resource of it.
    Own,
    /// An option of the plugin has this value in the domain.
    Config { option: String, value: String },
}

/// `[[hook]]`.
#[derive(Debug, Clone)]
pub struct Hook {
    pub line: usize,
    pub on: HookPoint,
    pub phase: Phase,
    /// Empty where the server does it all.
    pub handler: String,
    /// What is done without a call.
    pub native: Option<Native>,
    pub types: Types,
    pub to: AddressForms,
    pub when: When,
    /// The expression as written, empty for none.
    pub when_text: String,
    /// For what comes to the plugin's claimed domains, and that alone. Other hooks never see it.
    pub claimed: bool,
    pub before: Vec<PluginId>,
    pub after: Vec<PluginId>,
}

/// `[[iq]]`.
#[derive(Debug, Clone)]
pub struct IqClaim {
    pub line: usize,
    pub ns: String,
    pub names: Vec<String>,
    /// `get`, `set` or both.
    pub types: Types,
    pub to: EntityClass,
    /// Only from the account's own sessions.
    pub own: bool,
    /// Also before authentication; only for the server.
    pub before_auth: bool,
    /// Whether it may be asked for together with a binding, or is asked at each (XEP-0386).
    pub bind: Option<AtBinding>,
    pub handler: String,
}

/// `[[event]]`.
#[derive(Debug, Clone)]
pub struct EventEntry {
    pub line: usize,
    pub on: EventPoint,
    pub handler: String,
}

/// `[replies]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replies {
    pub answer: Option<String>,
    pub wake: Option<String>,
    pub page: Option<String>,
    /// Function name for `on-operation`.
    pub operation: Option<String>,
}

/// Rows or stanzas in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    Kv,
    Archive,
}

/// When a write counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// On disk before anything that follows from it is sent.
    #[default]
    Durable,
    /// A crash may lose the last moments.
    Relaxed,
    /// In memory only: outlives the plugin's instances, not the server.
    Volatile,
}

/// Whose rows a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One partition for each key of a call.
    #[default]
    Key,
    /// One partition for the whole domain, whatever the key.
    Domain,
}

/// `[[store]]`.
#[derive(Debug, Clone)]
pub struct StoreSpec {
    pub line: usize,
    pub name: String,
    /// `plugin-id/name`, as the kernel's store calls it.
    pub table: Arc<str>,
    pub shape: Shape,
    pub class: Class,
    /// Other plugins may be granted to read it.
    pub view: bool,
    /// Its rows are read together with those of other such stores when somebody logs in.
    pub early: bool,
    pub scope: Scope,
    /// What is noted of each row of an archive, at most seven: bit n of its marks.
    pub marks: Vec<When>,
    /// Rows per partition.
    pub quota_rows: u64,
    /// Bytes per partition.
    pub quota_bytes: u64,
    /// What rows of an archive are found by.
    pub text: Option<TextSpec>,
}

impl Manifest {
    /// The interface this kernel offers.
    pub const API: &'static str = "xylem:plugin@0.1";
    /// Longest manifest in bytes.
    pub const MAX_BYTES: usize = 256 << 10;

    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// The first thing that is wrong, with line, key and what would be right.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::parse(text)
    }

    /// The plugin's name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.plugin.id.as_str()
    }

    /// Whose rows its calls see.
    #[must_use]
    pub fn key(&self) -> KeyKind {
        self.run.key
    }

    /// What a hook of this phase answers while the plugin cannot.
    #[must_use]
    pub fn on_fault(&self, phase: Phase) -> OnFault {
        let implied = if phase == Phase::Screen { OnFault::Refuse } else { OnFault::Bypass };
        self.run.on_fault.unwrap_or(implied)
    }

    /// The store of this name.
    #[must_use]
    pub fn store(&self, name: &str) -> Option<&StoreSpec> {
        self.stores.iter().find(|store| store.name == name)
    }
}

#[cfg(test)]
mod tests;
