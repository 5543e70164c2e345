//! Addresses in client certificates (XEP-0178 §2, RFC 6120 §13.7.1.4).

use rustls::pki_types::CertificateDer;
use x509_parser::asn1_rs::{Any, Oid, Utf8String, oid};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// `id-on-xmppAddr`.
const XMPP_ADDR: Oid<'static> = oid!(1.3.6.1.5.5.7.8.5);

/// The XMPP addresses that a certificate names, as written, in its order. The
/// certificate's signature is not looked at: the handshake has verified it.
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
