//! TLS of the server: settings per domain, exchanged as a whole on reload.
//!
//! TLS 1.2 and 1.3 only (RFC 9325 §3.1.1). A session that is under way keeps the
//! settings it began with; ticket keys and the session cache outlive a reload, so
//! clients resume across it.

mod binding;
mod certificate;
mod client;
mod generate;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{
    ClientHello, ProducesTickets, ResolvesServerCert, ServerConfig, ServerSessionMemoryCache, StoresServerSessions,
};
use rustls::sign::CertifiedKey;

use crate::error::NetError;

pub use binding::{EXPORTER_LENGTH, exporter, server_end_point};
pub use certificate::{Certificate, Finding};
use client::Authorities;
pub use client::addresses;
pub use generate::{Generated, generate};

/// The ALPN name of client connections (XEP-0368 §2).
pub const ALPN: &[u8] = b"xmpp-client";

/// The ALPN name of HTTPS (RFC 7301 §6).
pub const WEB_ALPN: &[u8] = b"http/1.1";

/// Sessions remembered for clients that cannot use tickets.
const CACHED_SESSIONS: usize = 4096;

/// Sessions remembered where there are no tickets: each serves once, so that early data cannot be played back.
const SINGLE_USE_SESSIONS: usize = 32 * 1024;

/// Bytes of early data that are taken: a stream header and a login.
const EARLY_DATA: u32 = 8 * 1024;

/// What [`TlsStore::new`] is told.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// Certificate chain and key of each domain; the first serves whoever names none.
    pub domains: Vec<DomainFiles>,
    /// PEM bundle of the authorities whose client certificates are accepted.
    /// Without it no client is asked for one.
    pub client_authorities: Option<PathBuf>,
    /// Whether clients may send early data (RFC 8446 §2.3). Sessions are remembered then in place of tickets.
    pub early_data: bool,
}

/// Where a domain's certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainFiles {
    /// The domain, in lower case ASCII (A-labels).
    pub domain: String,
    /// PEM: the certificate, then its intermediates.
    pub chain: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// The certificates in use.
pub struct TlsStore {
    current: ArcSwap<Current>,
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<dyn StoresServerSessions>,
    /// Of its own, so that no session is taken from one protocol to the other.
    web_tickets: Arc<dyn ProducesTickets>,
}

struct Current {
    domains: HashMap<String, Served>,
    first: String,
    authorities: Option<Arc<Authorities>>,
    /// For browsers: all certificates by name, and no client is asked for one.
    web: Arc<ServerConfig>,
    web_keys: Arc<Keys>,
}

type Keys = HashMap<String, Arc<CertifiedKey>>;

struct Served {
    certificate: Arc<Certificate>,
    config: Arc<ServerConfig>,
}

impl TlsStore {
    /// Loads everything; nothing is half loaded.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn new(settings: &TlsSettings) -> Result<Self, NetError> {
        let tickets = ring::Ticketer::new()?;
        let size = if settings.early_data { SINGLE_USE_SESSIONS } else { CACHED_SESSIONS };
        let sessions = ServerSessionMemoryCache::new(size);
        let web_tickets = ring::Ticketer::new()?;
        let current = Current::load(settings, &tickets, &(sessions.clone() as _), &web_tickets, &HashMap::new())?;
        Ok(Self { current: ArcSwap::from_pointee(current), tickets, sessions, web_tickets })
    }

    /// Loads everything anew. Sessions go on with what they have.
    ///
    /// # Errors
    /// As [`TlsStore::new`]; what was in use stays in use then.
    pub fn reload(&self, settings: &TlsSettings) -> Result<(), NetError> {
        let before = self.current.load().web_keys.clone();
        let current = Current::load(settings, &self.tickets, &self.sessions, &self.web_tickets, &before)?;
        self.current.store(Arc::new(current));
        Ok(())
    }

    /// The settings for a new connection. `domain` is what the stream header named;
    /// the name in the TLS handshake goes before it.
    #[must_use]
    pub fn config(&self, domain: Option<&str>) -> Option<Arc<ServerConfig>> {
        let current = self.current.load();
        let served = domain.and_then(|domain| find(&current.domains, domain));
        let served = served.or_else(|| current.domains.get(&current.first))?;
        Some(served.config.clone())
    }

    /// The settings for a new connection of HTTPS.
    #[must_use]
    pub fn web(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().web)
    }

    /// The certificate that a handshake with this name and header domain presents.
    #[must_use]
    pub fn certificate(&self, sni: Option<&str>, domain: Option<&str>) -> Option<Arc<Certificate>> {
        let current = self.current.load();
        let served = [sni, domain].into_iter().flatten().find_map(|name| find(&current.domains, name));
        let served = served.or_else(|| current.domains.get(&current.first))?;
        Some(served.certificate.clone())
    }

    /// The XMPP addresses that a client's certificate speaks for; none if no authority
    /// vouches for it. `chain` is what the client showed, its own certificate first.
    #[must_use]
    pub fn client_addresses(&self, chain: &[CertificateDer<'_>]) -> Vec<String> {
        let current = self.current.load();
        let (Some(own), Some(authorities)) = (chain.first(), &current.authorities) else { return Vec::new() };
        match authorities.vouch(chain) {
            Ok(()) => addresses(own),
            Err(error) => {
                tracing::info!(%error, "a client's certificate counts for nothing");
                Vec::new()
            }
        }
    }

    /// Each domain with its certificate, for reports.
    #[must_use]
    pub fn certificates(&self) -> Vec<(String, Arc<Certificate>)> {
        let current = self.current.load();
        let all = current.domains.iter();
        let mut all: Vec<_> = all.map(|(domain, served)| (domain.clone(), served.certificate.clone())).collect();
        all.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// What is odd about the certificates at this moment: expired, soon to expire, wrong names.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.certificates().iter().flat_map(|(domain, certificate)| certificate.findings(domain)).collect()
    }
}

impl Current {
    fn load(
        settings: &TlsSettings,
        tickets: &Arc<dyn ProducesTickets>,
        sessions: &Arc<dyn StoresServerSessions>,
        web_tickets: &Arc<dyn ProducesTickets>,
        before: &Keys,
    ) -> Result<Self, NetError> {
        let Some(first) = settings.domains.first() else {
            return Err(NetError::NoCertificate("any domain".to_owned()));
        };
        let mut certificates = HashMap::new();
        for files in &settings.domains {
            let certificate = Certificate::load(&files.chain, &files.key)?;
            certificates.insert(files.domain.clone(), Arc::new(certificate));
        }
        let authorities = settings.client_authorities.as_ref().map(authorities).transpose()?;
        let keys: Arc<HashMap<String, Arc<CertifiedKey>>> =
            Arc::new(certificates.iter().map(|(domain, it)| (domain.clone(), it.key())).collect());
        // Who has just taken a domain away in a browser that came by its name can go on there.
        let mut web_keys = before.clone();
        web_keys.extend(keys.iter().map(|(domain, key)| (domain.clone(), key.clone())));
        let web_keys = Arc::new(web_keys);
        let web = web(&web_keys, &first.domain, web_tickets)?;
        let domains = certificates.into_iter().map(|(domain, certificate)| {
            let resolver = Resolver { keys: keys.clone(), fallback: certificate.key() };
            let mut config = config(resolver, authorities.clone())?;
            config.session_storage = sessions.clone();
            if settings.early_data {
                config.max_early_data_size = EARLY_DATA;
                config.send_half_rtt_data = true;
            } else {
                config.ticketer = tickets.clone();
            }
            Ok((domain, Served { certificate, config: Arc::new(config) }))
        });
        let domains = domains.collect::<Result<_, NetError>>()?;
        Ok(Self { domains, first: first.domain.clone(), authorities, web, web_keys })
    }
}

fn config(resolver: Resolver, authorities: Option<Arc<Authorities>>) -> Result<ServerConfig, NetError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(authorities),
    };
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Each ticket is a record, a key derivation and bytes for the client to keep.
    config.send_tls13_tickets = 1;
    Ok(config)
}

fn web(keys: &Arc<Keys>, first: &str, tickets: &Arc<dyn ProducesTickets>) -> Result<Arc<ServerConfig>, NetError> {
    let fallback = keys.get(first).cloned().ok_or_else(|| NetError::NoCertificate(first.to_owned()))?;
    let mut config = config(Resolver { keys: keys.clone(), fallback }, None)?;
    config.alpn_protocols = vec![WEB_ALPN.to_vec()];
    config.ticketer = tickets.clone();
    Ok(Arc::new(config))
}

fn authorities(path: &PathBuf) -> Result<Arc<Authorities>, NetError> {
    let content = |problem: String| NetError::Content { path: path.clone(), problem };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| content(error.to_string()))? {
        let certificate = certificate.map_err(|error| content(error.to_string()))?;
        roots.add(certificate).map_err(|error| content(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(content("no certificate in it (expected `BEGIN CERTIFICATE`)".to_owned()));
    }
    Ok(Arc::new(Authorities::new(Arc::new(roots), Arc::new(ring::default_provider()))?))
}

/// The certificate by the name in the handshake, or else the stream header's.
#[derive(Debug)]
struct Resolver {
    keys: Arc<HashMap<String, Arc<CertifiedKey>>>,
    fallback: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| find(&self.keys, name));
        Some(named.unwrap_or(&self.fallback).clone())
    }
}

/// The entry of the domain, or of the nearest domain above it: services live in subdomains.
fn find<'a, V>(domains: &'a HashMap<String, V>, name: &str) -> Option<&'a V> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let mut name = name.as_str();
    loop {
        if let Some(found) = domains.get(name) {
            return Some(found);
        }
        name = name.split_once('.')?.1;
    }
}

impl fmt::Debug for TlsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current.load();
        f.debug_struct("TlsStore").field("domains", &current.domains.len()).finish_non_exhaustive()
    }
}
