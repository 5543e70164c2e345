//! The console on a loopback port with TLS, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xylem_admin::listener::{ALPN, Front};
use xylem_admin::security::{Guard, guarded};
use xylem_admin::setup::{self, Setup};
use xylem_admin::sign_in::{self, Login, Surroundings, Terms, Verification};

use super::people::Town;

/// A server with nothing behind it but a [`Town`].
pub(crate) struct Stage {
    pub(crate) town: Arc<Town>,
    pub(crate) setup: Setup,
    pub(crate) address: SocketAddr,
    client: Arc<ClientConfig>,
    serving: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stage {
    pub(crate) async fn of(town: Arc<Town>) -> Self {
        let surroundings = Surroundings { people: town.clone(), shelf: town.clone(), notes: town.clone() };
        let login = Login::new(surroundings, Terms::default(), Verification::Preferred);
        login.resume().await.unwrap();
        let setup = Setup::new(town.clone(), login.clone());
        let routes = Router::new().merge(sign_in::routes(login)).merge(setup::routes(setup.clone()));
        let guard = Guard { people: town.clone(), trusted: Arc::new(|host| host == "trusted.example") };
        let (server, client) = tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls: xylem_admin::listener::TlsSource = Arc::new(move || Some(Arc::clone(&server)));
        let front = Front { tls, admit: Arc::new(|_| Some(Box::new(()))), pages: guarded(routes, guard) };
        let serving = tokio::spawn(front.serve(listener));
        Self { town, setup, address, client, serving }
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        let host = format!("localhost:{}", self.address.port());
        Browser { stage: self, host, cookies: BTreeMap::new(), csrf: None, headers: HeaderMap::new() }
    }

    pub(crate) async fn connect(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut config = (*self.client).clone();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

fn tls() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let mut server = server.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    server.alpn_protocols = vec![ALPN.to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Arc::new(server), Arc::new(client.with_root_certificates(roots).with_no_client_auth()))
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Page {
    /// The kind of a problem.
    pub(crate) fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
    }
}

/// One browser; a connection for each request.
pub(crate) struct Browser<'s> {
    stage: &'s Stage,
    pub(crate) host: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: Option<String>,
    /// Sent with every request.
    pub(crate) headers: HeaderMap,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Page {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Page {
        self.send(Method::DELETE, path, None).await
    }

    /// As far as a password alone leads.
    pub(crate) async fn sign_in(&mut self, account: &str, password: &str) -> Page {
        self.post("/session", serde_json::json!({ "account": account, "password": password })).await
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Page {
        let path = if path.starts_with("/api") { path.to_owned() } else { format!("/api/v1{path}") };
        let mut request = Request::builder().method(&method).uri(path).header(HOST, &self.host);
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let mut request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap();
        request.headers_mut().extend(self.headers.clone());
        let stream = TokioIo::new(self.stage.connect(b"http/1.1").await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let answer =
            tokio::time::timeout(Duration::from_secs(20), sender.send_request(request)).await.unwrap().unwrap();
        self.take(answer.map(Body::new)).await
    }

    async fn take(&mut self, answer: Response<Body>) -> Page {
        let (parts, body) = answer.into_parts();
        for set in parts.headers.get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            if value.is_empty() {
                self.cookies.remove(name);
            }
        }
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let csrf = json["csrf"].as_str().or_else(|| json["session"]["csrf"].as_str());
        if let Some(csrf) = csrf {
            self.csrf = Some(csrf.to_owned());
        }
        Page { status: parts.status, headers: parts.headers, json }
    }
}
