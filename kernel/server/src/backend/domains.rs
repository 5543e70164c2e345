use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use xylem_ops::backend::{Answer, Settings as _};
use xylem_ops::domain::change::{DomainChanged, DomainWish, Source};
use xylem_ops::domain::{DomainDetail, DomainRow, Domains};
use xylem_ops::{Key, OpError, Page, Paging};
use xylem_stanza::StreamCondition;

use super::certificates::seconds;
use super::settings::SettingsBackend;
use crate::accounts::AccountError;
use crate::config::{Certificate, Domain};
use crate::instance::Instance;
use crate::settings;

/// `domain.*`
pub struct DomainBackend {
    pub instance: Arc<Instance>,
    pub settings: Arc<SettingsBackend>,
}

impl DomainBackend {
    fn row(&self, domain: &Domain, accounts: u64, sessions: u64) -> DomainRow {
        let plan = self.instance.plugins.plan(&domain.name);
        let services = plan.iter().flat_map(|plan| plan.claimed_domains().map(|(name, _)| name.to_owned()));
        let certificate = self.instance.tls.certificate(Some(&domain.name), None);
        DomainRow {
            domain: domain.name.clone(),
            accounts,
            sessions,
            anonymous: domain.anonymous,
            certificate: domain.certificate.word().to_owned(),
            valid_until: certificate.map(|certificate| seconds(certificate.valid_until())),
            plugins: plan.as_ref().map_or(0, |plan| plan.plugins().count() as u64),
            services: services.collect(),
        }
    }

    fn sessions(&self) -> HashMap<String, u64> {
        let mut counts = HashMap::new();
        for session in self.instance.sessions.all(0, usize::MAX) {
            *counts.entry(session.jid().domain().to_owned()).or_default() += 1;
        }
        counts
    }
}

impl DomainBackend {
    async fn found(&self, domain: &str) -> Result<DomainDetail, OpError> {
        let config = self.instance.config.load_full();
        let found = config.domains.iter().find(|it| it.name == domain);
        let found = found.ok_or_else(|| OpError::NotFound(format!("the domain {domain} is not served here")))?;
        let accounts = self.instance.accounts.count(domain).await.map_err(AccountError::Store)?;
        let sessions = self.sessions().get(domain).copied().unwrap_or_default();
        let (certificate_file, key_file) = match &found.certificate {
            Certificate::SelfSigned | Certificate::Acme { .. } => (None, None),
            Certificate::Files { chain, key } => (Some(chain.display().to_string()), Some(key.display().to_string())),
        };
        Ok(DomainDetail {
            row: self.row(found, accounts, sessions),
            certificate_file,
            key_file,
            enabled: found.plugins.clone(),
            writable: self.settings.is_writable(),
        })
    }

    /// Saves an edited text, unless it is only to be looked at.
    async fn change(&self, domain: String, edit: Edit<'_>, preview: bool) -> Result<DomainChanged, OpError> {
        let old = self.settings.text().await?;
        let text = edit(&old.text).map_err(OpError::Invalid)?;
        let found = self.settings.preview(text.clone()).await?;
        if let Some(problem) = found.problems.first() {
            return Err(OpError::Invalid(format!("{}: {}", problem.place, problem.message)));
        }
        let changes = found.changes;
        let saved = if preview { None } else { Some(self.settings.save(text, Some(old.mark)).await?) };
        Ok(DomainChanged { domain, changes, saved })
    }

    fn serves(&self, domain: &str) -> bool {
        self.instance.config.load().domains.iter().any(|it| it.name == domain)
    }

    /// Nobody can be connected to a domain that is not there (RFC 6120 §4.9.3.5).
    fn end_sessions(&self, domain: &str) {
        for session in self.instance.sessions.all(0, usize::MAX) {
            if session.jid().domain() == domain {
                session.queue().end(StreamCondition::HostGone, None);
            }
        }
    }

    /// Why it cannot go.
    async fn needed(&self, domain: &str) -> Result<(), OpError> {
        if !self.serves(domain) {
            return Err(OpError::NotFound(format!("the domain {domain} is not served here")));
        }
        if self.instance.config.load().domains.len() == 1 {
            return Err(OpError::Conflict(format!("{domain} is the only domain")));
        }
        let owners = self.instance.accounts.owners().await?;
        if !owners.is_empty() && owners.iter().all(|owner| owner.domain() == domain) {
            return Err(OpError::Conflict(format!("all owners of the server are accounts of {domain}")));
        }
        Ok(())
    }
}

/// What makes another text of the configuration.
type Edit<'a> = Box<dyn Fn(&str) -> Result<String, String> + Send + Sync + 'a>;

fn section(domain: &str) -> String {
    format!("domains.{}", Value::from(domain))
}

/// The text with what is wished for a domain.
fn written(text: &str, domain: &str, wish: &DomainWish) -> Result<String, String> {
    let section = section(domain);
    let mut text = text.to_owned();
    if matches!(wish.source, Some(Source::SelfSigned | Source::Acme)) {
        text = settings::set(&text, &section, "certificate", None)?;
        text = settings::set(&text, &section, "key", None)?;
    }
    if let Some(source) = wish.source {
        let acme = (source == Source::Acme).then_some("true");
        text = settings::set(&text, &section, "acme", acme)?;
    }
    let wished = [
        ("certificate", wish.certificate.clone().map(Value::from)),
        ("key", wish.key.clone().map(Value::from)),
        ("anonymous", wish.anonymous.map(Value::from)),
        ("plugins", wish.plugins.clone().map(Value::from)),
    ];
    for (key, value) in wished {
        if let Some(value) = value {
            text = settings::set(&text, &section, key, Some(&value.to_string()))?;
        }
    }
    Ok(text)
}

/// What contradicts itself.
fn checked(wish: &DomainWish) -> Result<(), OpError> {
    let files = wish.certificate.is_some() || wish.key.is_some();
    let complete = wish.certificate.is_some() && wish.key.is_some();
    match wish.source {
        Some(Source::SelfSigned | Source::Acme) if files => {
            Err(OpError::Invalid("a certificate that the server makes or orders needs no files".to_owned()))
        }
        Some(Source::Files) if !complete => {
            Err(OpError::Invalid("certificate and key: both files are needed".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Domains for DomainBackend {
    fn show(&self, domain: String) -> Answer<'_, DomainDetail> {
        Box::pin(async move { self.found(&domain).await })
    }

    fn add(&self, domain: String, wish: DomainWish, preview: bool) -> Answer<'_, DomainChanged> {
        Box::pin(async move {
            checked(&wish)?;
            if self.serves(&domain) {
                return Err(OpError::Conflict(format!("the domain {domain} is served already")));
            }
            let present: Vec<String> = self.instance.config.load().domains.iter().map(|it| it.name.clone()).collect();
            let added = domain.clone();
            let edit = move |text: &str| {
                let unsaid = !settings::has(text, "domains");
                let mut text = text.to_owned();
                // What was served without a word in the file is served still.
                for name in present.iter().filter(|_| unsaid) {
                    text = settings::set(&text, &section(name), "anonymous", Some("false"))?;
                }
                let anonymous = Some(wish.anonymous.unwrap_or(false));
                written(&text, &added, &DomainWish { anonymous, ..wish.clone() })
            };
            self.change(domain, Box::new(edit), preview).await
        })
    }

    fn set(&self, domain: String, wish: DomainWish, preview: bool) -> Answer<'_, DomainChanged> {
        Box::pin(async move {
            checked(&wish)?;
            self.found(&domain).await?;
            let changed = domain.clone();
            self.change(domain, Box::new(move |text| written(text, &changed, &wish)), preview).await
        })
    }

    fn remove(&self, domain: String, preview: bool) -> Answer<'_, DomainChanged> {
        Box::pin(async move {
            self.needed(&domain).await?;
            let removed = section(&domain);
            let done =
                self.change(domain.clone(), Box::new(move |text| settings::without(text, &removed)), preview).await?;
            if done.saved.is_some() {
                self.end_sessions(&domain);
            }
            Ok(done)
        })
    }

    fn list(&self, paging: Paging) -> Answer<'_, Page<DomainRow>> {
        Box::pin(async move {
            let config = self.instance.config.load_full();
            let sessions = self.sessions();
            let mut rows = Vec::new();
            for domain in &config.domains {
                if paging.finds(&[&domain.name]) {
                    let accounts = self.instance.accounts.count(&domain.name).await.map_err(AccountError::Store)?;
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
