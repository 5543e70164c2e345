//! `domain.add`, `domain.set` and `domain.remove`: through the configuration file, so that its history has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DomainDetail;
use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Backend;
use crate::config::{Change, Saved};
use crate::error::OpError;
use crate::operation::operation;

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The server makes one, which clients have to be told to trust.
    SelfSigned,
    /// From files on the server's machine.
    Files,
    /// From an authority by ACME, as `[acme]` of the configuration says.
    Acme,
}

/// What a domain is to be like; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainWish {
    pub source: Option<Source>,
    /// Paths of PEM files.
    pub certificate: Option<String>,
    pub key: Option<String>,
    pub anonymous: Option<bool>,
    pub plugins: Option<Vec<String>>,
}

/// What a change of a domain does, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainChanged {
    pub domain: String,
    /// The keys of the configuration that are different.
    pub changes: Vec<Change>,
    /// Null for a preview: nothing was done.
    pub saved: Option<Saved>,
}

const DOMAIN: Argument = Argument::required("domain", Kind::Domain, "the domain");
const SOURCE: Argument = Argument::optional(
    "source",
    Kind::choice(&["self-signed", "files", "acme"]),
    "where its certificate comes from; files need `certificate` and `key`, acme needs acme.terms_agreed",
);
const CERTIFICATE: Argument =
    Argument::optional("certificate", Kind::Text { max: 4096 }, "path of the certificate chain, PEM, leaf first");
const KEY: Argument = Argument::optional("key", Kind::Text { max: 4096 }, "path of its key, PEM");
const ANONYMOUS: Argument =
    Argument::optional("anonymous", Kind::Flag, "whether strangers may log in without an account (XEP-0175)");
const PLUGINS: Argument =
    Argument::optional("plugins", Kind::List { items: 200, max: 256 }, "ids of the plugins that run for it; * for all");
const PREVIEW: Argument = Argument::optional("preview", Kind::Flag, "whether only to show what would change");

operation! {
    Add {
        domain: String, source: Option<Source>, certificate: Option<String>, key: Option<String>,
        anonymous: Option<bool>, plugins: Option<Vec<String>>, #[serde(default)] preview: bool,
    } -> DomainChanged,
    name: "domain.add",
    help: "Serves one more domain; written into the configuration file.",
    route: post "/domains",
    arguments: [DOMAIN, SOURCE, CERTIFICATE, KEY, ANONYMOUS, PLUGINS, PREVIEW],
    result: "what changes in the configuration, and what became of it",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("{} the domain {}", if it.preview { "see what it would be to add" } else { "add" }, it.domain),
    state: |it, backend| seen(backend, it.domain.clone()),
    run: |it, backend| {
        let Add { domain, source, certificate, key, anonymous, plugins, preview } = it;
        backend.domains.add(domain, DomainWish { source, certificate, key, anonymous, plugins }, preview)
    },
}

operation! {
    Set {
        domain: String, source: Option<Source>, certificate: Option<String>, key: Option<String>,
        anonymous: Option<bool>, plugins: Option<Vec<String>>, #[serde(default)] preview: bool,
    } -> DomainChanged,
    name: "domain.set",
    help: "Changes what is configured for a domain; what is left out stays.",
    route: patch "/domains/{domain}",
    arguments: [DOMAIN, SOURCE, CERTIFICATE, KEY, ANONYMOUS, PLUGINS, PREVIEW],
    result: "what changes in the configuration, and what became of it",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("{} the domain {}", if it.preview { "see what it would be to change" } else { "change" }, it.domain),
    state: |it, backend| seen(backend, it.domain.clone()),
    run: |it, backend| {
        let Set { domain, source, certificate, key, anonymous, plugins, preview } = it;
        backend.domains.set(domain, DomainWish { source, certificate, key, anonymous, plugins }, preview)
    },
}

operation! {
    Remove { domain: String, #[serde(default)] preview: bool } -> DomainChanged,
    name: "domain.remove",
    help: "Serves a domain no longer; its accounts and what they have stay stored, for when it comes back.",
    route: delete "/domains/{domain}",
    arguments: [DOMAIN, PREVIEW],
    result: "what changes in the configuration, and what became of it",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::typed("domain", "All sessions of the domain end at once, and nobody can log in to it until it is added again. Nothing stored is deleted."),
    audit: |it| format!("{} the domain {}", if it.preview { "see what it would be to remove" } else { "remove" }, it.domain),
    state: |it, backend| seen(backend, it.domain.clone()),
    run: |it, backend| backend.domains.remove(it.domain, it.preview),
}

/// The domain as it is; none if it is not served.
fn seen(backend: &Backend, domain: String) -> crate::backend::Answer<'_, Option<DomainDetail>> {
    Box::pin(async move {
        match backend.domains.show(domain).await {
            Ok(detail) => Ok(Some(detail)),
            Err(OpError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    })
}
