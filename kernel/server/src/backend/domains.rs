use std::collections::HashMap;
use std::sync::Arc;

use xylem_ops::backend::Answer;
use xylem_ops::domain::{DomainRow, Domains};
use xylem_ops::{Key, Page, Paging};

use super::certificates::seconds;
use crate::accounts::AccountError;
use crate::config::{Certificate, Domain};
use crate::instance::Instance;

/// `domain.list`
pub struct DomainBackend(pub Arc<Instance>);

impl DomainBackend {
    fn row(&self, domain: &Domain, accounts: u64, sessions: u64) -> DomainRow {
        let plan = self.0.plugins.plan(&domain.name);
        let services = plan.iter().flat_map(|plan| plan.claimed_domains().map(|(name, _)| name.to_owned()));
        let certificate = self.0.tls.certificate(Some(&domain.name), None);
        DomainRow {
            domain: domain.name.clone(),
            accounts,
            sessions,
            anonymous: domain.anonymous,
            certificate: match domain.certificate {
                Certificate::SelfSigned => "self-signed".to_owned(),
                Certificate::Files { .. } => "files".to_owned(),
            },
            valid_until: certificate.map(|certificate| seconds(certificate.valid_until())),
            plugins: plan.as_ref().map_or(0, |plan| plan.plugins().count() as u64),
            services: services.collect(),
        }
    }

    fn sessions(&self) -> HashMap<String, u64> {
        let mut counts = HashMap::new();
        for session in self.0.sessions.all(0, usize::MAX) {
            *counts.entry(session.jid().domain().to_owned()).or_default() += 1;
        }
        counts
    }
}

impl Domains for DomainBackend {
    fn list(&self, paging: Paging) -> Answer<'_, Page<DomainRow>> {
        Box::pin(async move {
            let config = self.0.config.load_full();
            let sessions = self.sessions();
            let mut rows = Vec::new();
            for domain in &config.domains {
                if paging.finds(&[&domain.name]) {
                    let accounts = self.0.accounts.count(&domain.name).await.map_err(AccountError::Store)?;
                    let sessions = sessions.get(&domain.name).copied().unwrap_or_default();
                    rows.push(self.row(domain, accounts, sessions));
                }
            }
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("accounts") => (number(row.accounts), row.domain.clone()),
                Some("sessions") => (number(row.sessions), row.domain.clone()),
                _ => (Key::Text(row.domain.clone()), String::new()),
            })
        })
    }
}
