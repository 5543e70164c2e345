//! What the authority finds when it looks whether a name leads here. Ports are open from the first answer
//! that is put out until the order is over.

mod http;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use instant_acme::ChallengeType;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Listeners;
use crate::error::AcmeError;

/// For one question and its answer.
const QUESTION: Duration = Duration::from_secs(10);
/// Questions at once at one address: an authority looks from several places, and others may look, too.
const QUESTIONS: usize = 64;

/// Answers to the questions of one order; the ports close when it is dropped.
pub(crate) struct Answers {
    listeners: Listeners,
    http: Option<(http::Tokens, JoinSet<()>)>,
    tls: Option<(tls::Names, JoinSet<()>)>,
}

impl Answers {
    pub(crate) fn new(listeners: &Listeners) -> Self {
        Self { listeners: listeners.clone(), http: None, tls: None }
    }

    /// What can be answered, the preferred first.
    pub(crate) fn kinds(&self) -> Vec<ChallengeType> {
        let mut kinds = Vec::new();
        if !self.listeners.http.is_empty() {
            kinds.push(ChallengeType::Http01);
        }
        if !self.listeners.tls.is_empty() {
            kinds.push(ChallengeType::TlsAlpn01);
        }
        kinds
    }

    /// A file below the well-known path (RFC 8555 §8.3).
    pub(crate) async fn http(&mut self, token: &str, answer: &str) -> Result<(), AcmeError> {
        if self.http.is_none() {
            let (tokens, mut tasks) = (http::Tokens::default(), JoinSet::new());
            for address in &self.listeners.http {
                tasks.spawn(http::serve(listen(*address).await?, tokens.clone()));
            }
            self.http = Some((tokens, tasks));
        }
        if let Some((tokens, _)) = &self.http {
            tokens.put(token, answer);
        }
        Ok(())
    }

    /// A certificate that has the digest in it (RFC 8737 §3).
    pub(crate) async fn tls(&mut self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        if self.tls.is_none() {
            let (names, mut tasks) = (tls::Names::default(), JoinSet::new());
            for address in &self.listeners.tls {
                tasks.spawn(tls::serve(listen(*address).await?, names.clone()));
            }
            self.tls = Some((names, tasks));
        }
        if let Some((names, _)) = &self.tls {
            names.put(name, digest)?;
        }
        Ok(())
    }
}

/// `[::]` stands for all addresses, also where the machine has no IPv6.
async fn listen(address: SocketAddr) -> Result<TcpListener, AcmeError> {
    let source = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(source) => source,
    };
    if address.is_ipv6() && address.ip().is_unspecified() {
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        if let Ok(listener) = TcpListener::bind(v4).await {
            return Ok(listener);
        }
    }
    Err(AcmeError::Listen { address, source })
}
