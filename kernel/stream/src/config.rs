use std::sync::Arc;

use xylem_sasl::{DecoyKey, Mechanism};
use xylem_stanza::Domain;
use xylem_xml::Limits;

/// What a stream asks of its surroundings.
pub trait Environment: Send + Sync {
    /// The host that serves a domain.
    fn host(&self, domain: &Domain) -> HostLookup;
    /// The host for clients that name none, and whose name stands in front of
    /// errors about unknown hosts.
    fn default_host(&self) -> Arc<HostConfig>;
    /// A fresh name nobody can guess (RFC 6120 §4.7.3): 16 or more characters of
    /// `a-z` and `0-9`. Used for stream ids and anonymous accounts.
    fn token(&self) -> String;
}

/// Whether a domain is served here.
#[derive(Debug, Clone)]
pub enum HostLookup {
    Found(Arc<HostConfig>),
    /// `host-unknown`.
    Unknown,
    /// It was served here once: `host-gone`.
    Gone,
}

/// Whether streams without TLS may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartTls {
    /// Nothing but STARTTLS is possible before it.
    #[default]
    Required,
    /// Offered beside the mechanisms that need no encryption.
    Optional,
    /// There is no certificate: not offered.
    Unavailable,
}

/// How one domain treats the streams of its clients.
#[derive(Debug, Clone)]
pub struct HostConfig {
    pub domain: Domain,
    pub starttls: StartTls,
    /// SASL mechanisms that policy allows, most preferred first.
    pub mechanisms: Arc<[Mechanism]>,
    /// Makes up secrets of unknown accounts; the same across restarts.
    pub decoy: DecoyKey,
    /// Bounds on what a client may send once it has logged in; the size is
    /// announced (XEP-0478).
    pub limits: Limits,
    /// The same before that, where they are not those of [`Limits::before_auth`];
    /// the size is then announced as well.
    pub limits_before_auth: Option<Limits>,
    /// Seconds without traffic after which a session is checked; announced
    /// where given (XEP-0478).
    pub idle_seconds: Option<u32>,
    /// Failed logins after which the stream is closed (RFC 6120 §6.4.5), 1–255.
    pub login_attempts: u8,
    /// Failed bindings after which the stream is closed (RFC 6120 §7.7.2), 1–255.
    pub bind_attempts: u8,
    /// Whether and for how long streams can be resumed.
    pub management: Management,
    /// Whether clients may log in with tokens (XEP-0484) and get some.
    pub tokens: bool,
    /// Whether such a login may come as early data of TLS (XEP-0484 §3.1).
    pub early_data: bool,
    /// Namespaces of what may begin together with a binding (XEP-0386 §3.1), beside what
    /// the stream knows itself.
    pub inline_features: Vec<String>,
    /// Whether somebody has something to say to every such binding, asked or not.
    pub inline_always: bool,
    /// Feature elements to announce beside the mechanisms, as XML.
    pub features_before_auth: String,
    /// Feature elements to announce beside resource binding, as XML.
    pub features_after_auth: String,
    /// Namespaces of IQ payloads that are passed on before the client logged in.
    pub pre_auth_namespaces: Vec<String>,
}

/// Stream management (XEP-0198).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Management {
    /// How long after its connection broke a stream can be resumed; 0: not at all.
    pub resume_seconds: u32,
    /// Where a client should try first to resume, as `host:port` (RFC 6120 §4.9.3.19).
    pub location: Option<String>,
}

impl Default for Management {
    fn default() -> Self {
        Self { resume_seconds: 300, location: None }
    }
}

impl HostConfig {
    /// A host with the defaults of this page: TLS required, all mechanisms but
    /// ANONYMOUS, five attempts, no additions.
    pub fn new(domain: Domain, decoy: DecoyKey) -> Self {
        Self {
            domain,
            starttls: StartTls::Required,
            mechanisms: Arc::new(Mechanism::DEFAULT),
            decoy,
            limits: Limits::default(),
            limits_before_auth: None,
            idle_seconds: None,
            login_attempts: 5,
            bind_attempts: 5,
            management: Management::default(),
            tokens: true,
            early_data: false,
            inline_features: Vec::new(),
            inline_always: false,
            features_before_auth: String::new(),
            features_after_auth: String::new(),
            pre_auth_namespaces: Vec::new(),
        }
    }
}
