//! Client certificates: who vouches for them, and the addresses in them (XEP-0178 §2,
//! RFC 6120 §13.7.1.4).

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use x509_parser::asn1_rs::{Any, Oid, Utf8String, oid};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// `id-on-xmppAddr`.
const XMPP_ADDR: Oid<'static> = oid!(1.3.6.1.5.5.7.8.5);

/// Whom the server believes when a client shows a certificate.
///
/// The handshake asks for a certificate and for proof that the client has its key, no
/// more: one that nobody here vouches for (a company's smart card, say) is as good as none,
/// and its holder logs in with a password (XEP-0178 §3, RFC 6120 §6.3.4).
#[derive(Debug)]
pub(super) struct Authorities {
    strict: Arc<dyn ClientCertVerifier>,
}

impl Authorities {
    pub(super) fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let strict = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
        Ok(Self { strict: strict.map_err(|error| Error::General(error.to_string()))? })
    }

    /// Whether they vouch for it at this time. A resumed session is judged anew.
    pub(super) fn vouch(&self, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        let (own, intermediates) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.strict.verify_client_cert(own, intermediates, UnixTime::now()).map(drop)
    }
}

impl ClientCertVerifier for Authorities {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// The XMPP addresses that a certificate names, as written, in its order. Whether anybody
/// vouches for it is not looked at here.
#[must_use]
pub fn addresses(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else { return Vec::new() };
    let names = alternatives.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::OtherName(kind, value) if *kind == XMPP_ADDR => address(value),
            _ => None,
        })
        .collect()
}

/// `[0] EXPLICIT UTF8String`; parsers differ in whether the tag is still on it.
fn address(value: &[u8]) -> Option<String> {
    let (_, outer) = Any::from_der(value).ok()?;
    let inner = if outer.header.is_contextspecific() { outer.data } else { value };
    let (_, text) = Utf8String::from_der(inner).ok()?;
    Some(text.string())
}
