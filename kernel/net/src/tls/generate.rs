//! A certificate of the server's own making, for a first start.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rcgen::{KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd};

use crate::error::NetError;

/// A self-signed certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The certificate.
    pub chain: String,
    /// The private key.
    pub key: String,
}

/// Makes a P-256 key and a self-signed certificate for a domain and its subdomains.
/// `year` is the present one; it is valid for ten years, since nobody renews what
/// nobody's authority signed.
///
/// # Errors
/// [`NetError::Generate`], as for a domain that is no DNS name.
pub fn generate(domain: &str, year: i32) -> Result<Generated, NetError> {
    let failed = |error: rcgen::Error| NetError::Generate(format!("{domain}: {error}"));
    let names = vec![domain.to_owned(), format!("*.{domain}")];
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, domain);
    params.not_before = date_time_ymd(year.saturating_sub(1), 1, 1);
    params.not_after = date_time_ymd(year.saturating_add(10), 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let certificate = params.self_signed(&pair).map_err(failed)?;
    Ok(Generated { chain: certificate.pem(), key: pair.serialize_pem() })
}

impl Generated {
    /// Writes both files, the key readable by its owner only. Files that exist stay as
    /// they are.
    ///
    /// # Errors
    /// Names the file, also if it exists.
    pub fn write(&self, chain: &Path, key: &Path) -> Result<(), NetError> {
        write_new(key, &self.key, 0o600)?;
        write_new(chain, &self.chain, 0o644)
    }
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), NetError> {
    let failed = |source| NetError::File { path: path.into(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}
