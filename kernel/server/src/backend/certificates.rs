use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use xylem_net::tls::{Certificate, DomainFiles};
use xylem_ops::backend::Answer;
use xylem_ops::certificate::{CertificateRow, Certificates, Reread};
use xylem_ops::{Key, OpError, Page, Paging};

use crate::acme::State;
use crate::config::Domain;
use crate::folder;
use crate::instance::Instance;

/// `certificate.*`
pub struct CertificateBackend(pub Arc<Instance>);

impl CertificateBackend {
    fn rows(&self) -> Vec<CertificateRow> {
        let in_use = self.0.tls.certificates();
        let config = self.0.config.load();
        let files = folder::tls_settings(&config).domains;
        let found = |(files, domain): (DomainFiles, &Domain)| {
            let (_, certificate) = in_use.iter().find(|(domain, _)| *domain == files.domain)?;
            let state = self.0.acme.state(domain);
            Some(row(files, certificate, domain, state))
        };
        files.into_iter().zip(&config.domains).filter_map(found).collect()
    }

    fn fingerprints(&self) -> Vec<(String, [u8; 32])> {
        self.0.tls.certificates().into_iter().map(|(domain, it)| (domain, *it.fingerprint())).collect()
    }
}

impl Certificates for CertificateBackend {
    fn list(&self, paging: Paging) -> Answer<'_, Page<CertificateRow>> {
        Box::pin(async move {
            let mut rows = self.rows();
            rows.retain(|row| paging.finds(&[&row.domain, &row.issuer, &row.names.join(" "), &row.fingerprint]));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("expiry") => (Key::Number(row.days_left), row.domain.clone()),
                _ => (Key::Text(row.domain.clone()), String::new()),
            })
        })
    }

    fn reload(&self) -> Answer<'_, Reread> {
        Box::pin(async move {
            let before = self.fingerprints();
            let settings = folder::tls_settings(&self.0.config.load());
            self.0.tls.reload(&settings).map_err(|error| OpError::Invalid(error.to_string()))?;
            let after = self.fingerprints();
            let domains = after.len();
            let changed = after.into_iter().filter(|one| !before.contains(one)).map(|(domain, _)| domain).collect();
            Ok(Reread { changed, domains })
        })
    }

    fn renew(&self, domain: String) -> Answer<'_, CertificateRow> {
        Box::pin(async move {
            // Goes on if whoever asked does not wait.
            let (instance, wanted) = (Arc::clone(&self.0), domain.clone());
            let ordered = tokio::spawn(async move { instance.acme.order(&instance, &wanted).await }).await;
            let ordered = ordered.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            ordered.map_err(|error| OpError::from(&error))?;
            let ascii = folder::ascii(&domain);
            let row = self.rows().into_iter().find(|row| row.domain == ascii);
            row.ok_or_else(|| OpError::NotFound(format!("the domain {domain} is not served here")))
        })
    }
}

fn row(files: DomainFiles, certificate: &Certificate, domain: &Domain, state: State) -> CertificateRow {
    CertificateRow {
        source: domain.certificate.word().to_owned(),
        renews: state.renews.map(seconds),
        tried: state.tried.map(seconds),
        error: state.error,
        ordering: state.ordering,
        names: certificate.names().to_vec(),
        issuer: certificate.issuer().to_owned(),
        self_signed: certificate.is_self_signed(),
        serial: certificate.serial().to_owned(),
        fingerprint: certificate.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect(),
        valid_from: seconds(certificate.valid_from()),
        valid_until: seconds(certificate.valid_until()),
        days_left: days_left(certificate),
        chain: certificate.chain_length(),
        problems: certificate.findings(&files.domain).iter().map(ToString::to_string).collect(),
        domain: files.domain,
        chain_file: files.chain,
        key_file: files.key,
    }
}

/// Seconds since 1970 UTC.
pub(super) fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Whole days until it ends; negative when it is over.
pub(super) fn days_left(certificate: &Certificate) -> i64 {
    let days = |span: std::time::Duration| i64::try_from(span.as_secs() / 86_400).unwrap_or(i64::MAX);
    match certificate.valid_until().duration_since(SystemTime::now()) {
        Ok(left) => days(left),
        Err(over) => -1 - days(over.duration()),
    }
}
