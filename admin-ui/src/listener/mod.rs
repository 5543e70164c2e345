//! HTTPS: connections with an end to every wait and a bound to every size.

mod body;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::caller::Peer;
use body::Paced;

/// The protocol's name in the handshake (RFC 7301 §6). Not HTTP/2: a console has few requests under way
/// at once, and what is not there needs no bounds.
pub const ALPN: &[u8] = b"http/1.1";

/// For the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For the head of a request, and between requests.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes of a request's head, and of all that HTTP/1 buffers: room for the longest arguments in a query, which are
/// addresses and cursors, percent-encoded.
const HEAD_BYTES: usize = 128 << 10;
/// For whoever is answered to take some of it.
const TAKING: Duration = Duration::from_secs(30);
/// Header fields of a request.
const FIELDS: usize = 64;
/// Rest after the system could not accept.
const REST: Duration = Duration::from_millis(200);

/// The TLS settings of the moment, so that certificates can be exchanged.
pub type TlsSource = Arc<dyn Fn() -> Option<Arc<ServerConfig>> + Send + Sync>;
/// Says whether one more connection is taken from an address; what it gives is dropped with the connection.
pub type Admit = Arc<dyn Fn(IpAddr) -> Option<Box<dyn Send>> + Send + Sync>;

/// What answers on the sockets of the console.
#[derive(Clone)]
pub struct Front {
    pub tls: TlsSource,
    pub admit: Admit,
    pub pages: Router,
}

impl Front {
    /// Answers until it is dropped; all its connections end then.
    pub async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::debug!(%error, "console: a connection was not accepted");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            while connections.try_join_next().is_some() {}
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            let Some(place) = (self.admit)(peer.ip()) else { continue };
            let front = self.clone();
            connections.spawn(async move {
                if let Err(error) = front.converse(stream, peer).await {
                    tracing::debug!(%peer, %error, "console: connection ended");
                }
                drop(place);
            });
        }
    }

    async fn converse(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        let Some(tls) = (self.tls)() else { return Ok(()) };
        let handshake = async {
            let mut first = [0; 1];
            stream.peek(&mut first).await?;
            // A handshake record begins with 22; whoever sends letters speaks HTTP.
            if first.first().is_some_and(u8::is_ascii_alphabetic) {
                return point_to_https(stream).await.map(|()| None);
            }
            TlsAcceptor::from(tls).accept(stream).await.map(Some)
        };
        match timeout(HANDSHAKE, handshake).await?? {
            Some(stream) => self.answer(stream, peer).await,
            None => Ok(()),
        }
    }

    async fn answer(
        &self,
        stream: TlsStream<TcpStream>,
        peer: SocketAddr,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let pages = self.pages.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (head, body) = request.into_parts();
            let (body, unread) = Paced::new(body);
            let mut request = Request::from_parts(head, Body::new(body));
            request.extensions_mut().insert(ConnectInfo(Peer(peer)));
            let answer = pages.clone().oneshot(request);
            async move {
                let answer = answer.await;
                unread.take().await;
                answer
            }
        });
        let stream = TokioIo::new(impatient(stream));
        let mut builder = hyper::server::conn::http1::Builder::new();
        let builder = builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
        builder.max_buf_size(HEAD_BYTES).max_headers(FIELDS).serve_connection(stream, service).await?;
        Ok(())
    }
}

/// Ends a connection whose other side takes nothing of what is written to it. One to which there is nothing
/// to write, such as quiet events, may last.
fn impatient<S: AsyncRead + AsyncWrite>(stream: S) -> Pin<Box<TimeoutStream<S>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKING));
    Box::pin(stream)
}

/// Somebody typed the address without `https://`.
async fn point_to_https(mut stream: TcpStream) -> io::Result<()> {
    const TEXT: &str = "This port speaks HTTPS: put https:// before the address.\n";
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{TEXT}", TEXT.len()).as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_left() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut ours = impatient(ours);
        let began = tokio::time::Instant::now();
        let error = ours.write_all(&[0; 100]).await.map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::TimedOut));
        assert!(began.elapsed() >= TAKING);
        // Who takes it slowly is not: each piece has its own time.
        let slowly = tokio::spawn(async move {
            let mut piece = [0; 32];
            while let Ok(1..) = theirs.read(&mut piece).await {
                tokio::time::sleep(TAKING / 2).await;
            }
        });
        assert!(ours.write_all(&[0; 500]).await.is_ok());
        drop(ours);
        assert!(slowly.await.is_ok());
    }
}
