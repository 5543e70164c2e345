//! The data folder, and what the first start puts into it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use xylem_net::tls::{DomainFiles, TlsSettings, generate};
use xylem_sasl::DecoyKey;

use crate::config::{Certificate, Config, Domain};

/// Length of the key from which credentials of unknown accounts are made up.
const DECOY_BYTES: usize = 32;

/// What [`prepare`] found and made.
pub struct Folder {
    pub decoy: DecoyKey,
    pub tls: TlsSettings,
    /// What was not there before, for people; empty at a later start.
    pub made: Vec<String>,
}

/// Makes whatever is missing: the folder, keys, self-signed certificates.
pub fn prepare(config: &Config) -> anyhow::Result<Folder> {
    let data = &config.server.data;
    let mut made = Vec::new();
    if !data.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot make the data folder {}", data.display()))?;
        made.push(format!("the data folder {}", absolute(data)));
    }
    let decoy = decoy(&data.join("decoy.key"))?;
    let mut domains = Vec::new();
    for domain in &config.domains {
        domains.push(certificate(config, domain, &mut made)?);
    }
    Ok(Folder { decoy, tls: settings(config, domains), made })
}

/// Where the certificates are, without making any.
pub fn tls_settings(config: &Config) -> TlsSettings {
    let domains = config.domains.iter().map(|domain| files(config, domain)).collect();
    settings(config, domains)
}

fn settings(config: &Config, domains: Vec<DomainFiles>) -> TlsSettings {
    let client_authorities = config.sasl.client_authorities.clone();
    TlsSettings { domains, client_authorities, early_data: config.sasl.early_data }
}

fn files(config: &Config, domain: &Domain) -> DomainFiles {
    let ascii = ascii(&domain.name);
    let own = |ending: &str| config.in_data(Path::new("certificates")).join(format!("{ascii}.{ending}"));
    let (chain, key) = match &domain.certificate {
        Certificate::Files { chain, key } => (chain.clone(), key.clone()),
        // Key and chain in one file: so they are exchanged in one moment.
        Certificate::Acme { .. } if issued(config, domain).exists() => (issued(config, domain), issued(config, domain)),
        Certificate::SelfSigned | Certificate::Acme { .. } => (own("pem"), own("key")),
    };
    DomainFiles { domain: ascii, chain, key }
}

/// Where the certificate of an authority lies, once it is there.
pub fn issued(config: &Config, domain: &Domain) -> PathBuf {
    config.in_data(Path::new("certificates")).join(format!("{}.acme.pem", ascii(&domain.name)))
}

/// Whether the server has to make one first.
pub fn is_unmade(domain: &Domain, files: &DomainFiles) -> bool {
    !matches!(domain.certificate, Certificate::Files { .. }) && !files.chain.exists()
}

fn certificate(config: &Config, domain: &Domain, made: &mut Vec<String>) -> anyhow::Result<DomainFiles> {
    let files = files(config, domain);
    if is_unmade(domain, &files) {
        if let Some(folder) = files.chain.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let certificate = generate(&files.domain, year())?;
        // A key without its certificate is left from a start that broke off here.
        let _ = fs::remove_file(&files.key);
        certificate.write(&files.chain, &files.key)?;
        made.push(format!("a self-signed certificate for {}: {}", domain.name, absolute(&files.chain)));
    }
    Ok(files)
}

fn decoy(path: &Path) -> anyhow::Result<DecoyKey> {
    let show = || path.display().to_string();
    if !path.exists() {
        let mut key = [0; DECOY_BYTES];
        getrandom::fill(&mut key).map_err(|error| anyhow!("no randomness: {error}"))?;
        let temporary = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .with_context(show)?;
        file.write_all(&key).and_then(|()| file.sync_all()).with_context(show)?;
        fs::rename(&temporary, path).with_context(show)?;
    }
    let bytes = fs::read(path).with_context(show)?;
    match <[u8; DECOY_BYTES]>::try_from(bytes) {
        Ok(key) => Ok(DecoyKey::new(key)),
        Err(_) => bail!("{} must have {DECOY_BYTES} bytes; remove it, and a new one is made", show()),
    }
}

/// As names stand in certificates.
pub fn ascii(domain: &str) -> String {
    xylem_stanza::Domain::parse(domain).map_or_else(|_| domain.to_owned(), |d| d.to_ascii().into_owned())
}

/// The present year; a leap day more or less does no harm to a certificate.
fn year() -> i32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    1970 + i32::try_from(seconds / 31_556_952).unwrap_or(0)
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)).display().to_string()
}
