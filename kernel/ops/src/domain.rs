//! `domain.list`: the hosts that are served.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::backend::Answer;
use crate::operation::operation;
use crate::page::{Page, Paging};

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

/// Who knows the hosts.
pub trait Domains: Send + Sync {
    fn list(&self, paging: Paging) -> Answer<'_, Page<DomainRow>>;
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
