//! Devices that may log in with tokens (XEP-0484): a table of the kernel's own, a row for
//! each account, with the rows in use in memory.

mod record;
mod vault;
mod within;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xylem_router::stamp;
use xylem_sasl::{DecoyKey, Failure, SaslCondition, TokenMechanism};
use xylem_stanza::BareJid;
use xylem_store::{Op, Store, StoreError};
use xylem_stream::{Token, TokenClaim, TokenLogin, UserAgent};

use crate::accounts::{self, Record};
use record::Device;
pub use vault::Terms;
use vault::{Minted, Vault, credentials};

/// Where they lie in the store; keys are those of accounts.
pub(crate) const TABLE: &str = "kernel/devices";

/// Accounts whose devices are held in memory.
const REMEMBERED: usize = 65_536;

/// All devices of all accounts. A cheap handle.
#[derive(Clone)]
pub struct Devices(Arc<Shared>);

struct Shared {
    store: Store,
    key: DecoyKey,
    terms: Mutex<Terms>,
    memory: Mutex<HashMap<BareJid, Row>>,
    /// Held while a row is read, so that it is read once and not over a newer one.
    loading: tokio::sync::Mutex<()>,
}

/// What is in memory is what holds; the store follows in the same order.
#[derive(Default)]
struct Row {
    devices: Vec<Device>,
    /// Commits under way; until they are done the store is behind.
    writing: usize,
}

/// A device as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    pub software: Option<String>,
    pub device: Option<String>,
    /// Seconds since 1970 UTC, as the others.
    pub since: u64,
    pub seen: u64,
    /// When its last token ends.
    pub expires: u64,
    pub mechanism: String,
}

impl Devices {
    #[must_use]
    pub fn new(store: Store, key: DecoyKey, terms: Terms) -> Self {
        let (memory, loading) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Shared { store, key, terms: Mutex::new(terms), memory, loading }))
    }

    /// After a reload of the configuration; tokens that exist keep their end.
    pub fn configure(&self, terms: Terms) {
        *lock(&self.0.terms) = terms;
    }

    /// After an import: whatever was in memory may be old.
    pub fn forget(&self) {
        lock(&self.0.memory).retain(|_, row| row.writing > 0);
    }

    /// A login by token. What it changes is on disk when this returns.
    pub async fn redeem(&self, record: &Record, claim: &TokenClaim) -> Result<TokenLogin, Failure> {
        let salt = random().ok_or(UNAVAILABLE)?;
        let outcome = self.change(&claim.account, record, |vault, devices| {
            let redeemed = vault.redeem(devices, claim, salt);
            let changed = redeemed.as_ref().is_ok_and(|redeemed| redeemed.changed);
            (redeemed, changed)
        });
        let redeemed = outcome.await.map_err(|error| unavailable(&claim.account, &error))??;
        Ok(TokenLogin { answer: redeemed.answer.to_vec(), renewed: redeemed.renewed.map(token) })
    }

    /// A token for a device that has logged in; none where they are switched off or the
    /// store does not take it.
    pub async fn issue(
        &self,
        account: &BareJid,
        record: &Record,
        agent: &UserAgent,
        mechanism: TokenMechanism,
    ) -> Option<Token> {
        if lock(&self.0.terms).lifetime == 0 {
            return None;
        }
        let salt = random()?;
        let issued =
            self.change(account, record, |vault, devices| (vault.issue(devices, agent, mechanism, salt), true));
        issued.await.map_err(|error| unavailable(account, &error)).ok().map(token)
    }

    /// The devices of an account that could log in now.
    pub async fn list(&self, account: &BareJid, record: &Record) -> Result<Vec<Known>, StoreError> {
        let listed = self.change(account, record, |vault, devices| {
            let changed = vault.sweep(devices);
            (devices.iter().map(known).collect(), changed)
        });
        listed.await
    }

    /// Ends all tokens of one device; whether there is such a device.
    pub async fn revoke(&self, account: &BareJid, record: &Record, name: &str) -> Result<bool, StoreError> {
        let revoked = self.change(account, record, |_, devices| {
            let before = devices.len();
            devices.retain(|device| device.name != name);
            let found = devices.len() != before;
            (found, found)
        });
        revoked.await
    }

    /// Ends all tokens of all devices; how many devices had some.
    pub async fn revoke_all(&self, account: &BareJid, record: &Record) -> Result<usize, StoreError> {
        let revoked = self.change(account, record, |vault, devices| {
            vault.sweep(devices);
            let count = devices.len();
            devices.clear();
            (count, count > 0)
        });
        revoked.await
    }

    /// Changes a row in memory and, where `then` says so, waits until it is on disk.
    async fn change<T>(
        &self,
        account: &BareJid,
        record: &Record,
        then: impl FnOnce(&Vault<'_>, &mut Vec<Device>) -> (T, bool),
    ) -> Result<T, StoreError> {
        self.load(account).await?;
        let shared = &self.0;
        let vault = self.vault(account, record);
        let (outcome, ticket) = {
            let mut memory = lock(&shared.memory);
            let row = memory.entry(account.clone()).or_default();
            let (outcome, changed) = then(&vault, &mut row.devices);
            if !changed {
                return Ok(outcome);
            }
            let mut turn = shared.store.turn();
            let value = record::encode(&row.devices);
            if let Some(key) = accounts::key(account) {
                turn.raw(Op { table: TABLE.into(), key, value })?;
            }
            row.writing += 1;
            // Handed over under the lock: the order in memory is the order on disk.
            (outcome, shared.store.submit_turn(turn))
        };
        // Carried out even if nobody waits any more, so that the count is right.
        let (devices, account) = (self.clone(), account.clone());
        let written = tokio::spawn(async move {
            let written = ticket.wait().await;
            devices.settle(&account, written.is_err());
            written
        });
        written.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(outcome)
    }

    fn vault<'a>(&'a self, account: &'a BareJid, record: &Record) -> Vault<'a> {
        let shared = &self.0;
        Vault {
            key: &shared.key,
            account: account.as_str(),
            credentials: credentials(&shared.key, record),
            now: accounts::now(),
            terms: *lock(&shared.terms),
        }
    }

    fn settle(&self, account: &BareJid, failed: bool) {
        let mut memory = lock(&self.0.memory);
        if let Some(row) = memory.get_mut(account) {
            row.writing = row.writing.saturating_sub(1);
            if failed && row.writing == 0 {
                // The store knows what holds.
                memory.remove(account);
            }
        }
    }

    async fn load(&self, account: &BareJid) -> Result<(), StoreError> {
        if lock(&self.0.memory).contains_key(account) {
            return Ok(());
        }
        let _loading = self.0.loading.lock().await;
        if lock(&self.0.memory).contains_key(account) {
            return Ok(());
        }
        let found = match accounts::key(account) {
            Some(key) => self.0.store.get(TABLE, &key).await?,
            None => None,
        };
        let devices = found.map(|bytes| record::decode(&bytes)).unwrap_or_default();
        let mut memory = lock(&self.0.memory);
        if memory.len() >= REMEMBERED {
            // Any will do: what is in use comes back with the next question.
            let victim = memory.iter().find(|(_, row)| row.writing == 0).map(|(account, _)| account.clone());
            victim.map(|victim| memory.remove(&victim));
        }
        memory.insert(account.clone(), Row { devices, writing: 0 });
        Ok(())
    }
}

const UNAVAILABLE: Failure =
    Failure { condition: SaslCondition::TemporaryAuthFailure, reason: "devices cannot be read or written" };

fn unavailable(account: &BareJid, error: &StoreError) -> Failure {
    tracing::error!(%account, %error, "the account's devices cannot be read or written");
    UNAVAILABLE
}

fn known(device: &Device) -> Known {
    let tokens = [&device.fresh, &device.current].into_iter().flatten();
    let last = tokens.max_by_key(|kept| kept.expires);
    Known {
        name: device.name.clone(),
        software: device.software.clone(),
        device: device.device.clone(),
        since: device.since,
        seen: device.seen,
        expires: last.map_or(0, |kept| kept.expires),
        mechanism: last.map(|kept| kept.mechanism.clone()).unwrap_or_default(),
    }
}

fn token(minted: Minted) -> Token {
    Token { secret: minted.secret, expiry: stamp(minted.expires.saturating_mul(1000)) }
}

fn random() -> Option<[u8; 16]> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| tracing::error!(%error, "no randomness")).ok()?;
    Some(salt)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_sasl::Secrets;

    use super::*;

    #[tokio::test]
    async fn devices_outlive_the_memory_and_can_be_revoked() {
        let store = Store::memory().unwrap();
        let terms = Terms { lifetime: 1000, rotation: 100 };
        let devices = Devices::new(store.clone(), DecoyKey::new([4; 32]), terms);
        let account = BareJid::parse("juliet@verona.example").unwrap();
        let secrets = Secrets::derive("pencil", 4096, |salt| salt.fill(7)).unwrap();
        let record = Record { created: 1, disabled: false, role: xylem_ops::Role::default(), secrets };
        let agent = |id: &str| UserAgent { id: id.to_owned(), software: Some("X".to_owned()), device: None };
        for id in ["phone", "laptop"] {
            let token = devices.issue(&account, &record, &agent(id), TokenMechanism::Unbound).await.unwrap();
            assert!(token.expiry.ends_with('Z'), "{}", token.expiry);
        }
        devices.forget();
        let listed = devices.list(&account, &record).await.unwrap();
        assert_eq!(listed.len(), 2);
        let first = listed.first().unwrap();
        assert_eq!((first.software.as_deref(), first.mechanism.as_str()), (Some("X"), "HT-SHA-256-NONE"));
        let mut turn = store.turn();
        assert!(!devices.revoke_within(&mut turn, &account, "nobody") && turn.is_empty());
        assert!(devices.revoke_within(&mut turn, &account, &first.name));
        assert_eq!(devices.list_now(&account, &record).len(), 1, "at once");
        store.submit_turn(turn).wait().await.unwrap();
        assert!(!devices.revoke(&account, &record, &first.name).await.unwrap());
        devices.forget();
        assert_eq!(devices.list(&account, &record).await.unwrap().len(), 1);
        devices.configure(Terms { lifetime: 0, rotation: 0 });
        assert!(devices.issue(&account, &record, &agent("tablet"), TokenMechanism::Unbound).await.is_none());
    }
}
