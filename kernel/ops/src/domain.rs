//! `domain.*`: the hosts that are served.

pub mod change;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;
use crate::page::{Page, Paging};
use change::{DomainChanged, DomainWish};

/// A host that the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainRow {
    pub domain: String,
    pub accounts: u64,
    pub sessions: u64,
    /// Whether strangers may log in without an account (XEP-0175).
    pub anonymous: bool,
    /// `self-signed` or `files`.
    pub certificate: String,
    /// When the certificate ends, in seconds since 1970 UTC.
    pub valid_until: Option<u64>,
    /// How many plugins run for it.
    pub plugins: u64,
    /// The addresses of services that plugins have there: rooms and so on.
    pub services: Vec<String>,
}

/// A host with what is configured for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainDetail {
    #[serde(flatten)]
    pub row: DomainRow,
    /// The files of its certificate; null where the server makes it by itself.
    pub certificate_file: Option<String>,
    pub key_file: Option<String>,
    /// Ids of the plugins that run for it; `*` stands for all.
    pub enabled: Vec<String>,
    /// Whether it can be changed here: there is a configuration file.
    pub writable: bool,
}

/// Who knows the hosts.
pub trait Domains: Send + Sync {
    fn list(&self, paging: Paging) -> Answer<'_, Page<DomainRow>>;
    fn show(&self, domain: String) -> Answer<'_, DomainDetail>;
    /// [`crate::OpError::Conflict`] if it is served already, or there is no file to write.
    fn add(&self, domain: String, wish: DomainWish, preview: bool) -> Answer<'_, DomainChanged>;
    fn set(&self, domain: String, wish: DomainWish, preview: bool) -> Answer<'_, DomainChanged>;
    /// [`crate::OpError::Conflict`] if nothing, or nobody who owns the server, would be left.
    fn remove(&self, domain: String, preview: bool) -> Answer<'_, DomainChanged>;
}

operation! {
    Show { domain: String } -> DomainDetail,
    name: "domain.show",
    help: "Shows one domain with what is configured for it.",
    route: get "/domains/{domain}",
    arguments: [Argument::required("domain", Kind::Domain, "the domain")],
    result: "the domain",
    roles: Roles::SEE,
    about: About::domain(),
    run: |it, backend| backend.domains.show(it.domain),
}

operation! {
    #[derive(Default)]
    List { #[serde(flatten)] paging: Paging } -> Page<DomainRow>,
    name: "domain.list",
    help: "Lists the domains that the server serves.",
    route: get "/domains",
    arguments: [],
    pages: ["domain", "accounts", "sessions"],
    result: "a page of domains",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |it, backend| backend.domains.list(it.paging),
}
