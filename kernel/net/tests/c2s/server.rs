//! A server of one domain that passes messages on and nothing else.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use xylem_net::admission::{Admission, AdmissionLimits};
use xylem_net::c2s::{Context, Entry, Waiting};
use xylem_net::tls::{self, DomainFiles, TlsSettings, TlsStore};
use xylem_net::{C2sConfig, ListenerConfig, Security, Server};
use xylem_sasl::{DecoyKey, Lookup, Mechanism, Secrets, Standing};
use xylem_session::{Limits, Session, SessionTable};
use xylem_stanza::{BareJid, Domain, FullJid, Outgoing, Stanza};
use xylem_stream::{Ending, Environment, HostConfig, HostLookup};

pub(crate) const DOMAIN: &str = "example.org";

/// Passes messages on to full addresses and notes what it is told.
pub(crate) struct Relay {
    pub(crate) sessions: Arc<SessionTable>,
    pub(crate) told: Mutex<Vec<String>>,
    /// When everything is on disk, and whether it ever is; nothing if nobody has to wait.
    pub(crate) disk: Mutex<Option<tokio::sync::watch::Receiver<Option<bool>>>>,
    secrets: Secrets,
}

impl Relay {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Entry for Relay {
    fn stanza(&self, session: &Arc<Session>, stanza: Stanza) -> Option<Waiting<()>> {
        let to = stanza.to().and_then(|to| FullJid::parse(to.as_str()).ok());
        if let Some(target) = to.and_then(|to| self.sessions.find(&to)) {
            let _ = target.queue().push(stanza.outgoing());
            return None;
        }
        match stanza.id().as_deref() {
            Some("slow") => {
                let session = session.clone();
                Some(Box::pin(async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let _ = session.queue().push(Outgoing::raw("<slow/>"));
                }))
            }
            Some("panic") => panic!("as asked"),
            id => {
                let _ = session.queue().push(Outgoing::raw(format!("<echo id='{}'/>", id.unwrap_or_default())));
                None
            }
        }
    }

    fn settled(&self) -> Option<Waiting<bool>> {
        let mut disk = self.disk.lock().unwrap().clone()?;
        Some(Box::pin(async move { disk.wait_for(Option::is_some).await.is_ok_and(|told| *told == Some(true)) }))
    }

    fn bound(&self, session: &Arc<Session>) -> Option<Waiting<()>> {
        self.tell(format!("bound {}", session.jid()));
        None
    }

    fn ended(&self, session: &Arc<Session>, ending: &Ending) -> Option<Waiting<()>> {
        self.tell(format!("ended {} {ending:?}", session.jid()));
        None
    }

    fn undelivered(&self, session: &Arc<Session>, stanzas: Vec<Outgoing>) -> Option<Waiting<()>> {
        self.tell(format!("undelivered {} {}", session.jid(), stanzas.len()));
        None
    }

    fn look_up(&self, account: &BareJid, _: SocketAddr) -> Waiting<Lookup> {
        let known = account.local() != Some("nobody");
        let found = Lookup::Found { secrets: self.secrets.clone(), standing: Standing::Active };
        Box::pin(async move { if known { found } else { Lookup::Unknown } })
    }

    fn pre_auth_iq(&self, _: Stanza, _: &Arc<HostConfig>, _: SocketAddr) -> Waiting<Option<Outgoing>> {
        Box::pin(async { None })
    }
}

struct Hosts {
    host: Arc<HostConfig>,
    next: AtomicU64,
}

impl Environment for Hosts {
    fn host(&self, domain: &Domain) -> HostLookup {
        if *domain == self.host.domain { HostLookup::Found(self.host.clone()) } else { HostLookup::Unknown }
    }

    fn default_host(&self) -> Arc<HostConfig> {
        self.host.clone()
    }

    fn token(&self) -> String {
        format!("token{:016}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a test may choose.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) config: C2sConfig,
    pub(crate) limits: Limits,
    pub(crate) admission: AdmissionLimits,
    pub(crate) proxied: bool,
}

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) relay: Arc<Relay>,
    pub(crate) files: DomainFiles,
    pub(crate) folder: TempDir,
}

pub(crate) fn start(options: Options) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let files = DomainFiles { domain: DOMAIN.into(), chain: folder.path().join("crt"), key: folder.path().join("key") };
    tls::generate(DOMAIN, 2026).unwrap().write(&files.chain, &files.key).unwrap();
    let settings = TlsSettings { domains: vec![files.clone()], client_authorities: None, early_data: false };
    let sessions = Arc::new(SessionTable::new(options.limits));
    let secrets = Secrets::derive("secret", xylem_sasl::DEFAULT_ITERATIONS, |bytes| bytes.fill(7)).unwrap();
    let relay = Arc::new(Relay { sessions: sessions.clone(), told: Mutex::default(), disk: Mutex::default(), secrets });
    let mut host = HostConfig::new(Domain::parse(DOMAIN).unwrap(), DecoyKey::new([1; 32]));
    host.mechanisms = [Mechanism::Plain, Mechanism::Anonymous].into();
    let environment = Arc::new(Hosts { host: Arc::new(host), next: AtomicU64::new(0) });
    let context = Context::new(
        relay.clone(),
        environment,
        Arc::new(TlsStore::new(&settings).unwrap()),
        sessions,
        Admission::new(options.admission),
        options.config,
    );
    let proxies = if options.proxied { vec!["127.0.0.0/8".parse().unwrap()] } else { Vec::new() };
    let listener =
        |security| ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), security, proxies: proxies.clone() };
    let configs = vec![listener(Security::StartTls), listener(Security::DirectTls)];
    let server = Server::start(Arc::new(context), configs).unwrap();
    Running { server, relay, files, folder }
}

impl Running {
    pub(crate) fn starttls(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    pub(crate) fn direct(&self) -> SocketAddr {
        self.server.addresses()[1]
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&self.files.chain).unwrap()
    }

    pub(crate) fn sessions(&self) -> &SessionTable {
        &self.relay.sessions
    }

    /// Waits until the server behind was told something that begins so.
    pub(crate) async fn told(&self, start: &str) -> String {
        for _ in 0..1000 {
            if let Some(told) = self.relay.told.lock().unwrap().iter().find(|told| told.starts_with(start)) {
                return told.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never told `{start}`: {:?}", self.relay.told.lock().unwrap());
    }
}
