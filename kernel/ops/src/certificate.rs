//! `certificate.*`: what the server shows to prove who it is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;
use crate::page::{Page, Paging};

/// The certificate of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateRow {
    /// The domain it is configured for.
    pub domain: String,
    /// The names it is for.
    pub names: Vec<String>,
    pub issuer: String,
    /// Whether nobody but itself vouches for it.
    pub self_signed: bool,
    /// In hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// Seconds since 1970 UTC.
    pub valid_from: u64,
    pub valid_until: u64,
    /// Whole days until then; negative when it is over.
    pub days_left: i64,
    /// Certificates in the chain, its own included.
    pub chain: usize,
    pub chain_file: PathBuf,
    pub key_file: PathBuf,
    /// What clients would stumble over.
    pub problems: Vec<String>,
    /// `self-signed`, `files` or `acme`: where it is meant to come from.
    pub source: String,
    /// When it will be ordered anew by ACME, in seconds since 1970 UTC.
    pub renews: Option<u64>,
    /// When an order failed last, likewise, if none has succeeded since.
    pub tried: Option<u64>,
    /// Why.
    pub error: Option<String>,
    /// Whether an order is under way.
    pub ordering: bool,
}

/// Certificates that were read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reread {
    /// Domains whose certificate is another than before.
    pub changed: Vec<String>,
    pub domains: usize,
}

/// Who has the certificates.
pub trait Certificates: Send + Sync {
    fn list(&self, paging: Paging) -> Answer<'_, Page<CertificateRow>>;
    /// Reads the files again; on an error all stay as they were.
    fn reload(&self) -> Answer<'_, Reread>;
    /// Orders a certificate by ACME at once. [`crate::OpError::Conflict`] if the domain's does not come that way,
    /// [`crate::OpError::Unavailable`] if there is none, with the reason.
    fn renew(&self, domain: String) -> Answer<'_, CertificateRow>;
}

operation! {
    #[derive(Default)]
    List { #[serde(flatten)] paging: Paging } -> Page<CertificateRow>,
    name: "certificate.list",
    help: "Lists the certificates with names, issuer and expiry.",
    route: get "/certificates",
    arguments: [],
    pages: ["domain", "expiry"],
    result: "a page of certificates",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |it, backend| backend.certificates.list(it.paging),
}

operation! {
    #[derive(Default)]
    Reload {} -> Reread,
    name: "certificate.reload",
    help: "Reads the certificate files again; connections that are open keep what they have.",
    route: post "/certificates/reload",
    arguments: [],
    result: "which domains have another certificate now",
    roles: Roles::OWN,
    about: About::Server,
    audit: |_it| "read the certificates again".to_owned(),
    run: |_it, backend| backend.certificates.reload(),
}

operation! {
    Renew { domain: String } -> CertificateRow,
    name: "certificate.renew",
    help: "Orders a certificate by ACME at once and takes it into use; takes up to some minutes.",
    route: post "/certificates/{domain}/renew",
    arguments: [Argument::required("domain", Kind::Domain, "the domain, whose certificate comes by ACME")],
    result: "the certificate that is in use then",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("Authorities count orders: some give no more than a few certificates for the same names in a week."),
    audit: |it| format!("order a certificate for {}", it.domain),
    run: |it, backend| backend.certificates.renew(it.domain),
}
