use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no certificate. The server goes on with what it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcmeError {
    /// Nobody said that they were agreed to.
    #[error("the terms of service of {0} are not agreed to: read them, then set acme.terms_agreed")]
    Terms(String),
    /// The authority cannot be reached, or does not answer as it should. Later perhaps.
    #[error("{directory} cannot be asked: {problem}")]
    Unreachable {
        /// The address of its directory.
        directory: String,
        /// What is wrong.
        problem: String,
    },
    /// It said no, and why.
    #[error("the authority refuses: {0}")]
    Refused(String),
    /// It asks for a proof that this server does not give.
    #[error("{name}: the authority offers none of the challenges that are configured (acme.http, acme.tls)")]
    NoChallenge {
        /// The name that was to be proved.
        name: String,
    },
    /// Its questions cannot be answered here.
    #[error("cannot listen on {address} for the authority's question: {source}")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A file cannot be read or written.
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
    /// There is nobody to check the authority's own certificate with.
    #[error("no certificate authorities are known on this machine: install ca-certificates, or set acme.roots")]
    NoRoots,
    /// A name that no certificate can be for, or no key can be made.
    #[error("cannot ask for a certificate: {0}")]
    Request(String),
}

impl AcmeError {
    /// As the library says it.
    pub(crate) fn of(directory: &str, error: instant_acme::Error) -> Self {
        match error {
            instant_acme::Error::Api(problem) => Self::Refused(said(&problem)),
            other => Self::Unreachable { directory: directory.to_owned(), problem: other.to_string() },
        }
    }
}

/// A problem document (RFC 9457) in words.
pub(crate) fn said(problem: &instant_acme::Problem) -> String {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or_default();
    let mut text = problem.detail.clone().unwrap_or_default();
    for part in &problem.subproblems {
        text.push_str("; ");
        text.push_str(part.to_string().trim_start_matches(": "));
    }
    if kind.is_empty() { text } else { format!("{text} ({kind})") }
}
