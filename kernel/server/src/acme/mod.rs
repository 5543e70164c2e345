//! Certificates by ACME: when they are ordered, what becomes of them, and what is wrong. How it is done is `xylem_acme`'s.

mod diary;
mod state;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, Notify};
use xylem_acme::{AcmeError, Issued, order, renewal, two_thirds};
use xylem_net::tls::Certificate;
use xylem_ops::{AuditLog, OpError};

use crate::config::{self, Config, Domain};
use crate::folder;
use crate::instance::Instance;
pub use state::State;
use state::States;

/// Between looks, where nothing is due before: for an authority that calls certificates back, and for clocks that jump.
const LOOK: Duration = Duration::from_secs(6 * 3600);
/// Rest between two looks at least.
const REST: Duration = Duration::from_secs(1);

/// Orders certificates, one after the other.
#[derive(Default)]
pub struct Keeper {
    states: States,
    /// Held while one is ordered: the ports for the authority's questions are there once.
    ordering: Mutex<()>,
    wake: Notify,
}

/// Why a certificate was not exchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotIssued {
    #[error("the certificate of {0} does not come by ACME")]
    NotWanted(String),
    #[error(transparent)]
    Acme(#[from] AcmeError),
    #[error("the certificate cannot be kept: {0}")]
    Kept(#[from] io::Error),
    /// What came is no certificate for the domain.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] xylem_net::NetError),
}

impl From<&NotIssued> for OpError {
    fn from(error: &NotIssued) -> Self {
        match error {
            NotIssued::NotWanted(_) => Self::Conflict(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl Keeper {
    /// Orders what is missing and renews what is old, for as long as the server runs; each try is in the audit log.
    pub async fn keep(&self, instance: &Instance, audit: &AuditLog) {
        loop {
            let config = instance.config.load_full();
            let mut next = SystemTime::now() + LOOK;
            for domain in config.domains.iter().filter(|domain| wants(domain)) {
                let due = self.due(&config, domain).await;
                if due > SystemTime::now() {
                    next = next.min(due);
                    continue;
                }
                let order = self.order(instance, &domain.name);
                if diary::noted(instance, audit, &domain.name, order).await.is_err() {
                    // Said and remembered already.
                    next = next.min(self.states.next_try(&folder::ascii(&domain.name)));
                }
            }
            let rest = next.duration_since(SystemTime::now()).unwrap_or_default().clamp(REST, LOOK);
            let _whichever_is_first = tokio::time::timeout(rest, self.wake.notified()).await;
        }
    }

    /// The configuration has changed: what was refused may be right now.
    pub fn configured(&self) {
        self.states.forgive();
        self.wake.notify_one();
    }

    /// How it stands with a domain's certificate. Where it does not come this way, or no longer, nothing is wrong.
    #[must_use]
    pub fn state(&self, domain: &Domain) -> State {
        if wants(domain) { self.states.get(&folder::ascii(&domain.name)) } else { State::default() }
    }

    /// When a certificate is to be ordered.
    async fn due(&self, config: &Config, domain: &Domain) -> SystemTime {
        let path = folder::issued(config, domain);
        let Ok(present) = Certificate::load(&path, &path) else {
            return self.states.next_try(&folder::ascii(&domain.name));
        };
        let missing = names(domain).iter().any(|name| !present.covers(name)) || !is_from(&path, &config.acme.directory);
        let third = two_thirds(present.valid_from(), present.valid_until());
        let authority = config.acme.authority(&config.in_data(Path::new(FOLDER)));
        let asked = if missing { None } else { wished(&authority, &present).await };
        let renews = if missing { SystemTime::now() } else { asked.unwrap_or(third).min(present.valid_until()) };
        self.states.renews(&folder::ascii(&domain.name), renews);
        renews.max(self.states.next_try(&folder::ascii(&domain.name)))
    }

    /// Orders a certificate now and takes it into use; sessions go on with what they have.
    ///
    /// # Errors
    /// Says why; what was in use stays.
    pub async fn order(&self, instance: &Instance, name: &str) -> Result<(), NotIssued> {
        let _alone = self.ordering.lock().await;
        let config = instance.config.load_full();
        let domain = config.domains.iter().find(|domain| domain.name == name && wants(domain));
        let domain = domain.ok_or_else(|| NotIssued::NotWanted(name.to_owned()))?;
        let under_way = self.states.begin(&folder::ascii(name));
        tracing::info!(domain = name, directory = config.acme.directory, "a certificate is ordered");
        let issued = obtain(&config, domain).await.and_then(|()| {
            // By the configuration of this moment: it may have changed meanwhile.
            instance.tls.reload(&folder::tls_settings(&instance.config.load())).map_err(NotIssued::from)
        });
        match &issued {
            Ok(()) => {
                under_way.done();
                // So that it is known when this one is renewed.
                self.wake.notify_one();
                tracing::info!(domain = name, "the certificate is in use");
            }
            Err(error) => {
                let wait = under_way.failed(&error.to_string());
                tracing::warn!(domain = name, %error, again_in_seconds = wait.as_secs(), "no certificate");
            }
        }
        issued
    }
}

/// Folder for the account, in the data folder.
const FOLDER: &str = "acme";

fn wants(domain: &Domain) -> bool {
    matches!(domain.certificate, config::Certificate::Acme { .. })
}

/// Whether no public authority gives a certificate to the name: it is local, or an address.
#[must_use]
pub fn never(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let reserved = matches!(last, "localhost" | "local" | "test" | "invalid" | "example" | "internal");
    reserved || !name.contains('.') || name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[')
}

/// The domain, and the further names.
fn names(domain: &Domain) -> Vec<String> {
    let mut all = vec![folder::ascii(&domain.name)];
    if let config::Certificate::Acme { names } = &domain.certificate {
        all.extend(names.iter().filter(|name| **name != domain.name).cloned());
    }
    all.dedup();
    all
}

/// When the authority wants it to be replaced, if it says.
async fn wished(authority: &xylem_acme::Authority, present: &Certificate) -> Option<SystemTime> {
    match renewal(authority, present.der()).await {
        Ok(wished) => wished,
        Err(error) => {
            tracing::debug!(%error, "the authority does not say when the certificate is to be renewed");
            None
        }
    }
}

/// The first line of a certificate's file: who changes the authority wants another certificate.
fn origin(directory: &str) -> String {
    format!("# By way of {directory}\n")
}

fn is_from(path: &Path, directory: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.starts_with(&origin(directory)))
}

async fn obtain(config: &Config, domain: &Domain) -> Result<(), NotIssued> {
    let authority = config.acme.authority(&config.in_data(Path::new(FOLDER)));
    let issued = order(&authority, &names(domain), &config.acme.listeners).await?;
    let path = folder::issued(config, domain);
    keep(&path, &origin(&authority.directory), &issued)
}

/// Into its place only if it can be used, whole or not at all.
fn keep(path: &Path, origin: &str, issued: &Issued) -> Result<(), NotIssued> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all([origin, &issued.key, &issued.chain].concat().as_bytes()).and_then(|()| file.sync_all())?;
    if let Err(error) = Certificate::load(&temporary, &temporary) {
        fs::remove_file(&temporary)?;
        return Err(error.into());
    }
    fs::rename(&temporary, path)?;
    Ok(())
}
