//! The least server that can stand on this crate: logs everybody in, passes messages
//! and answers what a load generator asks. For measuring what a connection costs.
//!
//!     relay PORT PASSWORD      (loopback, STARTTLS, domain localhost; prints its pid)
#![allow(clippy::unwrap_used, reason = "a measuring tool")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xylem_net::admission::{Admission, AdmissionLimits};
use xylem_net::c2s::{Context, Entry, Waiting};
use xylem_net::tls::{self, DomainFiles, TlsSettings, TlsStore};
use xylem_net::{C2sConfig, ListenerConfig, Security, Server};
use xylem_sasl::{DecoyKey, Lookup, Secrets, Standing};
use xylem_session::{Limits, Session, SessionTable};
use xylem_stanza::{BareJid, Domain, Jid, Kind, Outgoing, Stanza};
use xylem_stream::{Ending, Environment, HostConfig, HostLookup};

struct Relay {
    sessions: Arc<SessionTable>,
    secrets: Secrets,
}

impl Entry for Relay {
    fn stanza(&self, session: &Arc<Session>, stanza: Stanza) -> Option<Waiting<()>> {
        match stanza.kind() {
            Kind::Message => {
                let to = stanza.to()?;
                for target in self.sessions.of(to.bare_str()) {
                    let _ = target.queue().push(stanza.outgoing());
                }
            }
            Kind::Presence => {
                let to = Jid::from(session.jid());
                let _ = session.queue().push(stanza.outgoing_as(stanza.from(), Some(&to)));
            }
            Kind::Iq => {
                let roster = stanza.child("jabber:iq:roster", "query").map(|_| "<query xmlns='jabber:iq:roster'/>");
                if let Some(result) = stanza.result(roster) {
                    let _ = session.queue().push(result.outgoing());
                }
            }
        }
        None
    }

    fn ended(&self, _: &Arc<Session>, _: &Ending) -> Option<Waiting<()>> {
        None
    }

    fn undelivered(&self, _: &Arc<Session>, _: Vec<Outgoing>) -> Option<Waiting<()>> {
        None
    }

    fn look_up(&self, _: &BareJid, _: SocketAddr) -> Waiting<Lookup> {
        let found = Lookup::Found { secrets: self.secrets.clone(), standing: Standing::Active };
        Box::pin(async move { found })
    }

    fn pre_auth_iq(&self, _: Stanza, _: &Arc<HostConfig>, _: SocketAddr) -> Waiting<Option<Outgoing>> {
        Box::pin(async { None })
    }
}

struct Hosts(Arc<HostConfig>, AtomicU64);

impl Environment for Hosts {
    fn host(&self, domain: &Domain) -> HostLookup {
        if *domain == self.0.domain { HostLookup::Found(self.0.clone()) } else { HostLookup::Unknown }
    }

    fn default_host(&self) -> Arc<HostConfig> {
        self.0.clone()
    }

    fn token(&self) -> String {
        format!("token{:016}", self.1.fetch_add(1, Ordering::Relaxed))
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().unwrap().parse().unwrap();
    let password = arguments.next().unwrap();
    let threads = arguments.next().map_or(2, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    runtime.block_on(async move { tokio::spawn(serve(port, password)).await.unwrap() });
}

async fn serve(port: u16, password: String) {
    let folder = std::env::temp_dir().join(format!("relay-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let files = DomainFiles { domain: "localhost".into(), chain: folder.join("crt"), key: folder.join("key") };
    tls::generate("localhost", 2026).unwrap().write(&files.chain, &files.key).unwrap();
    let tls =
        TlsStore::new(&TlsSettings { domains: vec![files], client_authorities: None, early_data: false }).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let sessions = Arc::new(SessionTable::new(Limits::default()));
    let secrets = Secrets::derive(&password, xylem_sasl::DEFAULT_ITERATIONS, |bytes| bytes.fill(7)).unwrap();
    let relay = Arc::new(Relay { sessions: sessions.clone(), secrets });
    let host = HostConfig::new(Domain::parse("localhost").unwrap(), DecoyKey::new([1; 32]));
    let hosts = Arc::new(Hosts(Arc::new(host), AtomicU64::new(0)));
    let admission = Admission::new(AdmissionLimits::default());
    let context = Context::new(relay, hosts, Arc::new(tls), sessions, admission, C2sConfig::default());
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = ListenerConfig { address, security: Security::StartTls, proxies: Vec::new() };
    let server = Server::start(Arc::new(context), vec![listener]).unwrap();
    println!("{}", std::process::id());
    std::future::pending::<()>().await;
    drop(server);
}
