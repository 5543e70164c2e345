//! Client certificates for SASL EXTERNAL (XEP-0178), made anew for every run.

use std::sync::LazyLock;

use anyhow::{Context as _, Result, anyhow};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// `id-on-xmppAddr` (RFC 6120 §13.7.1.4).
const XMPP_ADDR: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 5];

/// Somebody who issues client certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub pem: String,
}

/// A certificate with its key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// The one that servers can be told to trust.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn known() -> Result<&'static Self> {
        static KNOWN: LazyLock<Result<Authority, String>> =
            LazyLock::new(|| Authority::new().map_err(|e| e.to_string()));
        KNOWN.as_ref().map_err(|e| anyhow!("{e}"))
    }

    /// One that nobody trusts.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn unknown() -> Result<&'static Self> {
        static UNKNOWN: LazyLock<Result<Authority, String>> =
            LazyLock::new(|| Authority::new().map_err(|e| e.to_string()));
        UNKNOWN.as_ref().map_err(|e| anyhow!("{e}"))
    }

    /// Issues a certificate that names these XMPP addresses, perhaps none.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn issue(&self, addresses: &[String]) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        let name = |jid: &String| SanType::OtherName((XMPP_ADDR.to_vec(), jid.as_str().into()));
        params.subject_alt_names = addresses.iter().map(name).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).ok().context("a key")?;
        Ok((vec![certificate.der().clone()], key))
    }
}
