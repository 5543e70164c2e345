//! Channel bindings: what ties an authentication to this very TLS connection.

use rustls::pki_types::CertificateDer;
use rustls::{ProtocolVersion, ServerConnection};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::oid_registry as oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;

use crate::tls::certificate::Certificate;

/// Bytes of `tls-exporter` (RFC 9266 §3).
pub const EXPORTER_LENGTH: usize = 32;

const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// `tls-exporter` (RFC 9266); `None` before the handshake is done, and with TLS 1.2,
/// where it would need assurances that are not asked for here.
#[must_use]
pub fn exporter(tls: &ServerConnection) -> Option<[u8; EXPORTER_LENGTH]> {
    if tls.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    tls.export_keying_material([0; EXPORTER_LENGTH], EXPORTER_LABEL, Some(&[])).ok()
}

/// `tls-server-end-point` (RFC 5929 §4.1) of the certificate that was presented.
#[must_use]
pub fn server_end_point(certificate: &Certificate) -> Option<Vec<u8>> {
    certificate.end_point().map(<[u8]>::to_vec)
}

/// The hash of the certificate by its signature's hash function, SHA-256 in place of
/// MD5 and SHA-1; `None` where the signature has no single hash function, as Ed25519.
pub(crate) fn certificate_hash(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let algorithm = &parsed.signature_algorithm;
    let name = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(params)) => params.hash_algorithm_oid().to_id_string(),
        _ => algorithm.algorithm.to_id_string(),
    };
    let among = |known: &[oid::Oid<'_>]| known.iter().any(|known| known.to_id_string() == name);
    let sha256 = [
        oid::OID_PKCS1_MD5WITHRSAENC,
        oid::OID_PKCS1_SHA1WITHRSA,
        oid::OID_PKCS1_SHA256WITHRSA,
        oid::OID_SIG_ECDSA_WITH_SHA256,
        oid::OID_HASH_SHA1,
        oid::OID_NIST_HASH_SHA256,
    ];
    let sha384 = [oid::OID_PKCS1_SHA384WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA384, oid::OID_NIST_HASH_SHA384];
    let sha512 = [oid::OID_PKCS1_SHA512WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA512, oid::OID_NIST_HASH_SHA512];
    if among(&sha256) {
        Some(Sha256::digest(der).to_vec())
    } else if among(&sha384) {
        Some(Sha384::digest(der).to_vec())
    } else if among(&sha512) {
        Some(Sha512::digest(der).to_vec())
    } else {
        None
    }
}
