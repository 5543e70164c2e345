//! A connection to the server, in the clear or inside TLS, with deadlines.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Bytes(usize),
    /// The server closed the connection.
    End,
    /// Nothing came before the deadline.
    Nothing,
}

enum Layer {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Gone,
}

/// One TCP connection.
pub struct Wire {
    layer: Layer,
}

impl Wire {
    /// Connects over TCP.
    ///
    /// # Errors
    /// When the server does not accept the connection in `timeout`.
    pub fn connect(address: SocketAddr, timeout: Duration) -> Result<Self> {
        let tcp = TcpStream::connect_timeout(&address, timeout).with_context(|| format!("connecting to {address}"))?;
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(timeout))?;
        Ok(Self { layer: Layer::Clear(tcp) })
    }

    /// Whether the connection is inside TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.layer, Layer::Tls(_))
    }

    /// Starts TLS and verifies the certificate for `domain`.
    ///
    /// # Errors
    /// When the handshake fails or takes longer than `timeout`.
    pub fn start_tls(&mut self, config: &Arc<ClientConfig>, domain: &str, timeout: Duration) -> Result<()> {
        let Layer::Clear(mut tcp) = std::mem::replace(&mut self.layer, Layer::Gone) else {
            bail!("TLS inside TLS, or the connection is closed");
        };
        let name = ServerName::try_from(domain.to_owned()).context("domain")?;
        let mut tls = ClientConnection::new(Arc::clone(config), name).context("TLS set-up")?;
        tcp.set_read_timeout(Some(timeout))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).context("TLS handshake")?;
        }
        self.layer = Layer::Tls(Box::new(StreamOwned::new(tls, tcp)));
        Ok(())
    }

    /// Keying material for `tls-exporter` (RFC 9266).
    ///
    /// # Errors
    /// When the connection is not inside TLS.
    pub fn tls_exporter(&self) -> Result<Vec<u8>> {
        let Layer::Tls(tls) = &self.layer else { bail!("no TLS to bind to") };
        let data = tls
            .conn
            .export_keying_material([0_u8; 32], b"EXPORTER-Channel-Binding", Some(b""))
            .context("keying material")?;
        Ok(data.to_vec())
    }

    /// The hash of the server's certificate (RFC 5929 §4.1), where its signature is of SHA-256.
    ///
    /// # Errors
    /// When the connection is not inside TLS.
    pub fn tls_server_end_point(&self) -> Result<Vec<u8>> {
        let Layer::Tls(tls) = &self.layer else { bail!("no TLS to bind to") };
        let certificate = tls.conn.peer_certificates().and_then(<[_]>::first).context("no certificate")?;
        Ok(Sha256::digest(certificate).to_vec())
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// When the connection is closed or the server reads nothing for too long.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.layer {
            Layer::Clear(tcp) => tcp.write_all(bytes)?,
            Layer::Tls(tls) => {
                tls.write_all(bytes)?;
                tls.flush()?;
            }
            Layer::Gone => bail!("the connection is closed"),
        }
        Ok(())
    }

    /// Reads what there is, waiting until `deadline` at most.
    ///
    /// # Errors
    /// When TLS breaks. A connection reset counts as its end.
    pub fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<Arrival> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Arrival::Nothing);
            }
            let got = match &mut self.layer {
                Layer::Clear(tcp) => {
                    tcp.set_read_timeout(Some(left))?;
                    tcp.read(buffer)
                }
                Layer::Tls(tls) => {
                    tls.sock.set_read_timeout(Some(left))?;
                    tls.read(buffer)
                }
                Layer::Gone => return Ok(Arrival::End),
            };
            match got {
                Ok(0) => return Ok(Arrival::End),
                Ok(n) => return Ok(Arrival::Bytes(n)),
                Err(e) => match e.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                        return Ok(Arrival::End);
                    }
                    _ => return Err(e).context("reading"),
                },
            }
        }
    }

    /// Cuts the connection without a word.
    pub fn cut(&mut self) {
        match std::mem::replace(&mut self.layer, Layer::Gone) {
            Layer::Clear(tcp) => drop(tcp.shutdown(Shutdown::Both)),
            Layer::Tls(tls) => drop(tls.sock.shutdown(Shutdown::Both)),
            Layer::Gone => {}
        }
    }
}
