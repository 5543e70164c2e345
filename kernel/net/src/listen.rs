//! Listening sockets and the loop that accepts.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::error::NetError;
use crate::range::Range;

/// How many connections the system holds until they are accepted.
const BACKLOG: i32 = 1024;
/// How long the loop rests after an error that is not one connection's own, such as
/// having no file descriptors left.
const REST: Duration = Duration::from_millis(200);

/// One listening socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Address and port; `[::]` listens on IPv4 as well. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// Whether TLS begins at once (XEP-0368) or by STARTTLS.
    pub security: Security,
    /// Proxies that must send a PROXY header. Others connect directly.
    pub proxies: Vec<Range>,
}

/// How a connection becomes secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 5223).
    DirectTls,
    /// STARTTLS in the stream (port 5222).
    StartTls,
}

/// A socket that listens; it takes no connection before [`Listener::accept`].
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    config: Arc<ListenerConfig>,
}

impl Listener {
    /// Opens the socket. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Names the address.
    pub fn bind(config: ListenerConfig) -> Result<Self, NetError> {
        let socket = open(config.address).map_err(|source| NetError::Listen { address: config.address, source })?;
        Ok(Self { socket, config: Arc::new(config) })
    }

    /// The address with the port that the system chose.
    ///
    /// # Errors
    /// The system's own.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// How it was configured.
    #[must_use]
    pub fn config(&self) -> &Arc<ListenerConfig> {
        &self.config
    }

    /// The next connection. Errors of the system are logged, once until it recovers, and
    /// waited out.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        accept(&self.socket, self.config.address).await
    }
}

/// [`Listener::accept`] of a socket that listens at this address.
pub(crate) async fn accept(socket: &TcpListener, address: SocketAddr) -> (TcpStream, SocketAddr) {
    let mut failing = false;
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                if failing {
                    tracing::info!(%address, "accepts connections again");
                }
                if let Err(error) = stream.set_nodelay(true) {
                    // The peer has gone already.
                    tracing::debug!(%peer, %error, "connection lost while it was accepted");
                    continue;
                }
                return (stream, SocketAddr::new(peer.ip().to_canonical(), peer.port()));
            }
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%address, %error, "cannot accept connections");
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Errors that concern the connection that was being accepted and nothing else.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// A socket that listens. Inside a tokio runtime.
pub(crate) fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
