//! A certificate chain with its key, as loaded from files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::NetError;
use crate::tls::binding;

/// How long before its end a certificate is reported, at most: of one that lives for days it is a quarter of its life.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a server shows and proves.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    facts: Facts,
    end_point: Option<Vec<u8>>,
    fingerprint: [u8; 32],
}

/// What stands in it.
struct Facts {
    names: Vec<String>,
    valid_from: SystemTime,
    valid_until: SystemTime,
    issuer: String,
    serial: String,
    self_signed: bool,
}

/// Something about a certificate that clients will stumble over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Its time is over.
    Expired {
        /// The domain it is configured for.
        domain: String,
        /// Since when.
        since: SystemTime,
    },
    /// Its time is nearly over.
    ExpiresSoon {
        /// The domain it is configured for.
        domain: String,
        /// Its end.
        at: SystemTime,
    },
    /// Its time has not come.
    NotYetValid {
        /// The domain it is configured for.
        domain: String,
        /// Its beginning.
        from: SystemTime,
    },
    /// It is for other names.
    WrongNames {
        /// The domain it is configured for.
        domain: String,
        /// The names it is for.
        names: Vec<String>,
    },
}

impl Certificate {
    /// Reads chain and key and checks that they belong together.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, NetError> {
        let content = |path: &Path, problem: String| NetError::Content { path: path.into(), problem };
        let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&read(chain)?).collect();
        let certificates = certificates.map_err(|error| content(chain, error.to_string()))?;
        let first = certificates
            .first()
            .ok_or_else(|| content(chain, "no certificate in it (expected `BEGIN CERTIFICATE`)".to_owned()))?;
        let facts = facts(first).map_err(|problem| content(chain, problem))?;
        let end_point = binding::certificate_hash(first);
        let fingerprint = Sha256::digest(first).into();
        let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                content(key, "no private key in it (expected `BEGIN PRIVATE KEY`, not encrypted)".to_owned())
            }
            error => content(key, error.to_string()),
        })?;
        let signing = any_supported_type(&private)
            .map_err(|error| content(key, format!("this kind of key is not supported: {error}")))?;
        let certified = CertifiedKey::new(certificates, signing);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => {
                let problem = format!("the key is not that of the certificate in {}", chain.display());
                return Err(content(key, problem));
            }
        }
        Ok(Self { key: Arc::new(certified), facts, end_point, fingerprint })
    }

    pub(crate) fn key(&self) -> Arc<CertifiedKey> {
        self.key.clone()
    }

    /// The DNS names it is for.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.facts.names
    }

    /// When its validity begins.
    #[must_use]
    pub fn valid_from(&self) -> SystemTime {
        self.facts.valid_from
    }

    /// When its validity ends.
    #[must_use]
    pub fn valid_until(&self) -> SystemTime {
        self.facts.valid_until
    }

    /// Who vouches for it, as a distinguished name (RFC 4514).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.facts.issuer
    }

    /// Its number with the issuer, in hexadecimal.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.facts.serial
    }

    /// Whether it names itself as its issuer.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.facts.self_signed
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The certificate itself, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.key.cert.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// How many certificates are shown, its own included.
    #[must_use]
    pub fn chain_length(&self) -> usize {
        self.key.cert.len()
    }

    /// The `tls-server-end-point` channel binding (RFC 5929 §4.1); `None` if the
    /// signature names no single hash.
    #[must_use]
    pub fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }

    /// Whether it is for this name; wildcards stand for one label (RFC 9525 §6.3).
    #[must_use]
    pub fn covers(&self, domain: &str) -> bool {
        let parent = domain.split_once('.').map(|(_, parent)| parent);
        self.facts.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(base) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(base)),
            None => name.eq_ignore_ascii_case(domain),
        })
    }

    /// How long before its end it ought to be replaced by now.
    fn soon(&self) -> Duration {
        let life = self.facts.valid_until.duration_since(self.facts.valid_from).unwrap_or_default();
        SOON.min(life / 4)
    }

    /// What clients of this domain would stumble over now.
    #[must_use]
    pub fn findings(&self, domain: &str) -> Vec<Finding> {
        let now = SystemTime::now();
        let domain = domain.to_owned();
        let mut found = Vec::new();
        if self.facts.valid_until <= now {
            found.push(Finding::Expired { domain: domain.clone(), since: self.facts.valid_until });
        } else if self.facts.valid_until <= now + self.soon() {
            found.push(Finding::ExpiresSoon { domain: domain.clone(), at: self.facts.valid_until });
        }
        if self.facts.valid_from > now {
            found.push(Finding::NotYetValid { domain: domain.clone(), from: self.facts.valid_from });
        }
        if !self.covers(&domain) {
            found.push(Finding::WrongNames { domain, names: self.facts.names.clone() });
        }
        found
    }
}

fn read(path: &Path) -> Result<Vec<u8>, NetError> {
    std::fs::read(path).map_err(|source| NetError::File { path: path.into(), source })
}

fn facts(der: &CertificateDer<'_>) -> Result<Facts, String> {
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let alternatives = parsed.subject_alternative_name().map_err(|error| error.to_string())?;
    let names = alternatives.into_iter().flat_map(|extension| &extension.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    let names = names.collect();
    let validity = parsed.validity();
    Ok(Facts {
        names,
        valid_from: moment(validity.not_before.timestamp()),
        valid_until: moment(validity.not_after.timestamp()),
        issuer: parsed.issuer().to_string(),
        serial: parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
        self_signed: parsed.issuer() == parsed.subject(),
    })
}

fn moment(seconds: i64) -> SystemTime {
    match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        Err(_) => UNIX_EPOCH,
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.facts.names)
            .field("valid_until", &self.facts.valid_until)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = |moment: &SystemTime| match moment.duration_since(SystemTime::now()) {
            Ok(left) => left.as_secs() / 86_400,
            Err(past) => past.duration().as_secs() / 86_400,
        };
        match self {
            Self::Expired { domain, since } => {
                write!(f, "the certificate of {domain} expired {} days ago", days(since))
            }
            Self::ExpiresSoon { domain, at } => {
                write!(f, "the certificate of {domain} expires in {} days", days(at))
            }
            Self::NotYetValid { domain, from } => {
                write!(f, "the certificate of {domain} becomes valid in {} days", days(from))
            }
            Self::WrongNames { domain, names } => {
                write!(f, "the certificate of {domain} is for other names: {}", names.join(", "))
            }
        }
    }
}
