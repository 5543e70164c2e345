//! Connections of clients: one task each, which reads, writes and keeps time.
//!
//! The task owns a socket, a framer and a stream's state machine and moves bytes and
//! events between them and its session's queue. At rest it holds no buffer. One turn
//! reads what there is, works it off, and writes everything that waits in one go;
//! recipients are woken at the turn's end, each once.

mod actions;
mod driver;
mod entry;
mod farewell;
mod hibernation;
mod managing;
mod pace;
mod reading;
mod timing;
mod work;
mod writing;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use xylem_session::SessionTable;
use xylem_stream::Environment;

use crate::admission::Admission;
use crate::config::C2sConfig;
use crate::listen::ListenerConfig;
use crate::lobby::Lobby;
use crate::proxy;
use crate::tls::TlsStore;

pub use entry::{Entry, Waiting};
pub use hibernation::Hibernation;

use driver::Driver;

/// What all client connections share.
pub struct Context {
    /// The server behind them.
    pub entry: Arc<dyn Entry>,
    /// Hosts and randomness for their streams.
    pub environment: Arc<dyn Environment>,
    /// Certificates.
    pub tls: Arc<TlsStore>,
    /// Bound resources.
    pub sessions: Arc<SessionTable>,
    /// Who may connect.
    pub admission: Admission,
    /// Settings for connections that begin from now on.
    pub config: ArcSwap<C2sConfig>,
    /// Sessions that wait for their clients.
    pub hibernation: Hibernation,
    pub(crate) lobby: Arc<Lobby>,
    /// Logins that compute for milliseconds, at a time.
    pub(crate) costly: Arc<Semaphore>,
}

impl Context {
    /// Puts it together.
    #[must_use]
    pub fn new(
        entry: Arc<dyn Entry>,
        environment: Arc<dyn Environment>,
        tls: Arc<TlsStore>,
        sessions: Arc<SessionTable>,
        admission: Admission,
        config: C2sConfig,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            entry,
            environment,
            tls,
            sessions,
            admission,
            config: ArcSwap::from_pointee(config),
            hibernation: Hibernation::default(),
            lobby: Arc::default(),
            costly: Arc::new(Semaphore::new(cores)),
        }
    }
}

/// Serves one connection in a task of its own, to its end.
pub(crate) fn spawn(tcp: TcpStream, peer: SocketAddr, listener: &Arc<ListenerConfig>, context: &Arc<Context>) {
    if listener.proxies.iter().any(|range| range.contains(peer.ip())) {
        tokio::spawn(behind_proxy(tcp, peer, listener.clone(), context.clone()));
    } else if let Some(driver) = admit(tcp, peer, listener, context) {
        tokio::spawn(driver);
    }
}

async fn behind_proxy(mut tcp: TcpStream, proxy: SocketAddr, listener: Arc<ListenerConfig>, context: Arc<Context>) {
    let patience = context.config.load().timeouts.handshake;
    let peer = match tokio::time::timeout(patience, proxy::read_header(&mut tcp)).await {
        Ok(Ok(peer)) => peer.unwrap_or(proxy),
        Ok(Err(error)) => {
            tracing::warn!(%proxy, %error, "connection of a proxy refused");
            return;
        }
        Err(_) => {
            tracing::warn!(%proxy, "a proxy sent no PROXY header in time");
            return;
        }
    };
    if let Some(driver) = admit(tcp, peer, &listener, &context) {
        // Not nested: the task that stays should hold nothing of this one.
        tokio::spawn(driver);
    }
}

fn admit(tcp: TcpStream, peer: SocketAddr, listener: &ListenerConfig, context: &Arc<Context>) -> Option<Driver> {
    match context.admission.admit(peer.ip()) {
        Ok(permit) => Some(Driver::new(tcp, peer, listener.security, context.clone(), permit)),
        Err(denied) => {
            tracing::debug!(%peer, %denied, "connection refused");
            None
        }
    }
}
