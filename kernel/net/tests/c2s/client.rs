//! A client of a few lines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::{DOMAIN, Running};

/// A plain or a TLS stream and what was read of it.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
    read: String,
}

pub(crate) type Secure = Client<TlsStream<TcpStream>>;

const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";

pub(crate) fn tls_config(trusted: &[CertificateDer<'static>]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn secure(stream: TcpStream, config: ClientConfig) -> Secure {
    let name = ServerName::try_from(DOMAIN).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    Client { stream, read: String::new() }
}

impl Client<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: String::new() }
    }

    pub(crate) async fn starttls(mut self, config: ClientConfig) -> Secure {
        self.send(HEADER).await;
        self.until("</stream:features>").await;
        self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        self.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        secure(self.stream, config).await
    }

    pub(crate) async fn direct(self, mut config: ClientConfig) -> Secure {
        config.alpn_protocols = vec![b"xmpp-client".to_vec()];
        secure(self.stream, config).await
    }
}

impl<S: AsyncReadExt + AsyncWriteExt + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, text: &str) {
        tokio::time::timeout(PATIENCE, self.stream.write_all(text.as_bytes())).await.unwrap().unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Everything up to and with `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.read.find(end) {
                let rest = self.read.split_off(at + end.len());
                return std::mem::replace(&mut self.read, rest);
            }
            assert!(self.more().await, "the server closed; waited for `{end}`, got `{}`", self.read);
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        match read.unwrap_or_else(|_| panic!("nothing comes; got `{}`", self.read)) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.read.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
                true
            }
        }
    }

    pub(crate) async fn authenticate(&mut self, user: &str, password: &str) -> String {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"));
        self.send(HEADER).await;
        self.until("</stream:features>").await;
        self.send(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{data}</auth>")).await;
        self.until(">").await
    }

    pub(crate) async fn anonymous(&mut self) {
        self.send(HEADER).await;
        self.until("</stream:features>").await;
        self.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>").await;
        self.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'").await;
    }

    pub(crate) async fn bind(&mut self, resource: &str) -> String {
        self.send(HEADER).await;
        self.until("</stream:features>").await;
        self.send(&format!("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>")).await;
        let result = self.until("</iq>").await;
        let jid = result.split_once("<jid>").unwrap_or_else(|| panic!("not bound: {result}")).1;
        jid.split_once("</jid>").unwrap().0.to_owned()
    }
}

/// Logs in by STARTTLS and binds a resource.
pub(crate) async fn log_in(running: &Running, user: &str, resource: &str) -> Secure {
    let client = Client::connect(running.starttls()).await;
    let mut client = client.starttls(tls_config(&[running.certificate()])).await;
    let answer = client.authenticate(user, "secret").await;
    assert!(answer.contains("<success"), "{answer}");
    client.bind(resource).await;
    client
}
