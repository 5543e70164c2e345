//! `federation.show`: other servers, and components.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::backend::Answer;
use crate::operation::operation;

/// Whether the server can do something at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// This version cannot.
    NotImplemented,
    /// It can, and the configuration says no.
    Disabled,
    Enabled,
}

/// How the server reaches beyond itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FederationReport {
    /// Streams to and from other servers (RFC 6120 §4).
    pub servers: Links,
    /// External components (XEP-0114).
    pub components: Links,
    /// Services within the server's own domains, which plugins are.
    pub services: Vec<Service>,
}

/// One way of reaching out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    pub ability: Ability,
    /// One sentence for people.
    pub says: String,
    pub links: Vec<Link>,
}

/// A connection to somebody else's software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    pub domain: String,
    /// The domain here that it is for.
    pub local: String,
    /// Since when, in seconds since 1970 UTC.
    pub since: u64,
}

/// A plugin that answers at an address of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    pub address: String,
    /// The domain it belongs to.
    pub domain: String,
    pub plugin: String,
}

/// Who knows.
pub trait Federation: Send + Sync {
    fn show(&self) -> Answer<'_, FederationReport>;
}

operation! {
    #[derive(Default)]
    Show {} -> FederationReport,
    name: "federation.show",
    help: "Shows connections to other servers and to components, whether there can be any, and the services within.",
    route: get "/federation",
    arguments: [],
    result: "what there is",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |_it, backend| backend.federation.show(),
}
