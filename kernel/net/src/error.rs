//! What can go wrong before a connection exists. All of it is the administrator's
//! to mend; what goes wrong on a connection ends that connection and is logged.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Errors of listeners and certificates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A certificate or key file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// rustls refuses the settings.
    #[error("TLS settings: {0}")]
    Tls(#[from] rustls::Error),
    /// There is no domain, or one has no certificate.
    #[error("no certificate for {0}")]
    NoCertificate(String),
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Generate(String),
    /// Not an address range such as `192.0.2.0/24` or `2001:db8::/32`.
    #[error("`{0}` is not an address range such as 192.0.2.0/24")]
    Range(String),
}
