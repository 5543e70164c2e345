//! Accounts, as the console asks for them.

use std::net::IpAddr;
use std::sync::Arc;

use xylem_admin::sign_in::{Answer, Checked, People, Standing, Unavailable};
use xylem_sasl::{DecoyKey, Secrets};
use xylem_stanza::BareJid;

use crate::accounts::{AccountError, Record};
use crate::instance::Instance;

/// Longest name that a brake is kept for, in bytes.
const NAME_BYTES: usize = 128;

/// The accounts of the server.
pub struct Residents(pub Arc<Instance>);

impl Residents {
    /// The account that somebody means; of the first domain if none is named.
    fn meant(&self, name: &str) -> Option<BareJid> {
        let name = name.trim();
        if name.contains('@') {
            return self.0.accounts.address(name).ok();
        }
        let config = self.0.config.load();
        let domain = config.domains.first()?;
        self.0.accounts.address(&format!("{name}@{}", domain.name)).ok()
    }

    async fn record(&self, account: &BareJid) -> Result<Option<Arc<Record>>, Unavailable> {
        self.0.accounts.find(account).await.map_err(|error| unavailable(&error))
    }

    async fn verify(&self, name: &str, password: String, peer: IpAddr) -> Result<Checked, Unavailable> {
        let account = self.meant(name);
        let shown = match &account {
            Some(account) => account.to_string(),
            None => name.chars().take(NAME_BYTES).collect::<String>().to_lowercase(),
        };
        if let Err(blocked) = self.0.brake.check(peer, &shown) {
            tracing::warn!(account = shown, %peer, "console: sign-in put off: too many failures");
            return Ok(Checked::Blocked { retry_after: blocked.retry_after });
        }
        let record = match &account {
            Some(account) => self.record(account).await?,
            None => None,
        };
        let secrets = match &record {
            Some(record) => record.secrets.clone(),
            // Costs as much as a real one, and no password fits.
            None => {
                let rounds = self.0.config.load().sasl.iterations;
                Secrets::decoy(&shown, &self.0.decoy.clone().with_iterations(rounds))
            }
        };
        let fits = tokio::task::spawn_blocking(move || secrets.verify_plain(&password)).await;
        let fits = fits.map_err(|_| Unavailable("the server is stopping".to_owned()))?;
        match record.filter(|record| fits && !record.disabled) {
            Some(_) => {
                self.0.brake.succeeded(peer, &shown);
                Ok(Checked::Right(shown))
            }
            None => {
                self.0.brake.failed(peer, Some(&shown));
                tracing::info!(account = shown, %peer, "console: sign-in failed");
                Ok(Checked::Wrong)
            }
        }
    }
}

impl People for Residents {
    fn check(&self, name: String, password: String, peer: IpAddr) -> Answer<'_, Checked> {
        Box::pin(async move { self.verify(&name, password, peer).await })
    }

    fn standing<'a>(&'a self, account: &'a str) -> Answer<'a, Option<Standing>> {
        Box::pin(async move {
            let Ok(jid) = self.0.accounts.address(account) else { return Ok(None) };
            let record = self.record(&jid).await?;
            Ok(record.filter(|record| !record.disabled).map(|record| standing(&self.0.decoy, account, &record)))
        })
    }

    fn has_owner(&self) -> bool {
        self.0.accounts.is_owned()
    }

    fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.0.decoy.derive(purpose, parts)
    }
}

fn standing(key: &DecoyKey, account: &str, record: &Record) -> Standing {
    let keys = record.secrets.iter().next();
    let (salt, stored) = keys.as_ref().map(|(_, keys)| (&*keys.salt, &*keys.stored_key)).unwrap_or_default();
    let role = serde_json::to_vec(&record.role).unwrap_or_default();
    let parts = [account.as_bytes(), &record.created.to_be_bytes(), salt, stored, &role];
    let made = key.derive("sessions of an account", &parts);
    let mut stamp = [0; 16];
    for (to, from) in stamp.iter_mut().zip(made) {
        *to = from;
    }
    Standing { role: record.role.clone(), stamp, created: record.created }
}

pub(super) fn unavailable(error: &AccountError) -> Unavailable {
    Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_ops::{Rank, Role};

    use super::*;

    #[test]
    fn whatever_changes_of_an_account_changes_its_stamp() {
        let key = DecoyKey::new([7; 32]);
        let secrets = |password| Secrets::derive(password, 4096, |salt| salt.fill(1)).unwrap();
        let record = Record { created: 1, disabled: false, role: Role::of(Rank::Owner), secrets: secrets("pencil") };
        let stamp = |account, record: &Record| standing(&key, account, record).stamp;
        let first = stamp("a@b.example", &record);
        assert_eq!(first, stamp("a@b.example", &record.clone()));
        let others = [
            stamp("c@b.example", &record),
            stamp("a@b.example", &Record { created: 2, ..record.clone() }),
            stamp("a@b.example", &Record { role: Role::of(Rank::User), ..record.clone() }),
            stamp("a@b.example", &Record { secrets: secrets("crayon"), ..record.clone() }),
        ];
        assert!(others.iter().all(|other| *other != first));
    }
}
