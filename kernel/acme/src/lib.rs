//! Certificates from an authority, by ACME (RFC 8555).
//!
//! [`order`] gets one certificate: it opens the account, proves that the names lead here, and gives back chain and
//! key. The proof is a file below `/.well-known/acme-challenge/` on port 80 (`http-01`, RFC 8555 §8.3) or a
//! certificate of a certain kind on port 443 (`tls-alpn-01`, RFC 8737); both are answered only while an order is
//! under way. [`renewal`] says when the next one is due. Where the certificate lies, how often it is
//! tried and who is told is the caller's.

mod account;
mod challenge;
mod error;
mod https;
mod order;
mod renewal;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use error::AcmeError;
pub use order::{Issued, order};
pub use renewal::{renewal, two_thirds};

/// Who vouches, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The address of its directory (RFC 8555 §7.1.1), by HTTPS.
    pub directory: String,
    /// PEM file with further authorities that its own certificate may come from.
    pub roots: Option<PathBuf>,
    /// Whether whoever runs this server has agreed to its terms of service. Without that nothing is asked of it.
    pub terms_agreed: bool,
    /// An e-mail address that it may write to.
    pub contact: Option<String>,
    /// How it knows its customer.
    pub external: Option<ExternalAccount>,
    /// Folder for the key of the account.
    pub folder: PathBuf,
}

/// An account that somebody has with the authority already (RFC 8555 §7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    /// The identifier of the key.
    pub id: String,
    /// File with the key, base64url.
    pub key: PathBuf,
}

/// Where questions of the authority are answered. The first kind that has addresses, and that it offers, is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// For `http-01`: it asks at port 80.
    pub http: Vec<SocketAddr>,
    /// For `tls-alpn-01`: it asks at port 443.
    pub tls: Vec<SocketAddr>,
}
