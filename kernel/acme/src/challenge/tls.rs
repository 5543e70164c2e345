//! `tls-alpn-01` (RFC 8737): a handshake that shows a certificate with the answer in it, and nothing after it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{QUESTION, QUESTIONS};
use crate::error::AcmeError;

/// The protocol's name in the handshake (RFC 8737 §3).
const ALPN: &[u8] = b"acme-tls/1";
/// Bytes of the digest.
const DIGEST: usize = 32;

/// Certificates by the name in the handshake.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<HashMap<String, Arc<CertifiedKey>>>>);

impl Names {
    pub(super) fn put(&self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        let certificate = certificate(name, digest).map_err(AcmeError::Request)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::new(certificate));
        Ok(())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }
}

/// Answers until it is dropped.
pub(super) async fn serve(listener: TcpListener, names: Names) {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let Ok(builder) = builder.with_safe_default_protocol_versions() else { return };
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(names));
    config.alpn_protocols = vec![ALPN.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut questions = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            sleep(QUESTION / 10).await;
            continue;
        };
        while questions.try_join_next().is_some() {}
        if questions.len() < QUESTIONS {
            tracing::debug!(%peer, "a question by tls-alpn-01");
            questions.spawn(answer(acceptor.clone(), stream));
        }
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    let shown = async {
        let mut stream = acceptor.accept(stream).await?;
        stream.shutdown().await
    };
    let _who_asked_sees_it = timeout(QUESTION, shown).await;
}

/// Self-signed, for the name alone, with the digest in a critical extension (RFC 8737 §3).
fn certificate(name: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    // The library takes no other length.
    if digest.len() != DIGEST {
        return Err(format!("a digest has {DIGEST} bytes"));
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string())?;
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(|error| error.to_string())?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key).map_err(|error| error.to_string())?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = any_supported_type(&private).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![CertificateDer::from(certificate.der().to_vec())], signing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_taken_by_their_length() {
        assert!(certificate("a.example", &[7; 31]).is_err());
        assert!(certificate("a.example", &[7; 32]).is_ok());
    }
}
