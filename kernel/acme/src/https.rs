//! The way to the authority: one connection for each request, with an end to every wait and a bound to every
//! answer. An order takes some twenty requests; nothing would be won by keeping connections.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::AcmeError;

/// For one request and its answer.
const WHOLE: Duration = Duration::from_secs(30);
/// Longest answer: a chain of certificates is some kilobytes.
const LONGEST: usize = 1 << 20;

/// HTTPS as the library wants it.
pub(crate) struct Https(TlsConnector);

type Request1 = Request<BodyWrapper<Bytes>>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Https {
    /// Believes the authorities of this machine, and those of a PEM file.
    pub(crate) fn new(roots: Option<&Path>) -> Result<Self, AcmeError> {
        let mut store = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(native.certs);
        if let Some(path) = roots {
            let content = |problem: String| AcmeError::Content { path: path.to_owned(), problem };
            for root in CertificateDer::pem_file_iter(path).map_err(|error| content(error.to_string()))? {
                let root = root.map_err(|error| content(error.to_string()))?;
                store.add(root).map_err(|error| content(error.to_string()))?;
            }
        }
        if store.is_empty() {
            return Err(AcmeError::NoRoots);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| AcmeError::Request(error.to_string()))?;
        let config = builder.with_root_certificates(store).with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

impl HttpClient for Https {
    fn request(&self, request: Request1) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let connector = self.0.clone();
        Box::pin(async move {
            let answer = timeout(WHOLE, exchange(connector, request)).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer within 30 seconds".into()));
            answer.map(BytesResponse::from).map_err(Error::Other)
        })
    }
}

async fn exchange(connector: TlsConnector, mut request: Request1) -> Result<Response<Full<Bytes>>, Failure> {
    let uri = request.uri().clone();
    let host = uri.host().filter(|_| uri.scheme() == Some(&Scheme::HTTPS));
    let host = host.ok_or_else(|| format!("{uri} is not an address by https"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(443);
    let stream = TcpStream::connect((bare, port)).await.map_err(|error| format!("{host}:{port}: {error}"))?;
    let name = ServerName::try_from(bare.to_owned())?;
    let stream = connector.connect(name, stream).await.map_err(|error| format!("{host}:{port}: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Dropped with this request, and the connection with it.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority)?);
    *request.uri_mut() = Uri::from(uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}
