//! Accounts: a table of the kernel's own, with the newest in memory.

mod memory;
mod record;
mod search;
mod service;
mod standing;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use xylem_hooks::Done;
use xylem_ops::{Rank, Role};
use xylem_sasl::{PasswordError, Secrets};
use xylem_stanza::BareJid;
use xylem_store::{Batch, Op, Scan, Store, StoreError, Turn};

use crate::devices::{self, Devices};
use memory::Memory;
pub use record::Record;
pub use search::Summary;

/// Where accounts lie in the store; keys are `domain \0 localpart`.
const TABLE: &str = "kernel/accounts";
/// Second factors of the console; keys are addresses.
pub(crate) const FACTORS: &str = "kernel/console-factors";
/// Accounts that are changed at once, at most.
const CHANGES: usize = 64;
/// Accounts read at once where all are looked through.
const SCAN: usize = 1000;

/// All accounts of all domains. A cheap handle.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

struct Shared {
    store: Store,
    domains: Mutex<Vec<String>>,
    iterations: Mutex<u32>,
    memory: Mutex<Memory>,
    /// Whether an owner was seen. One always stays.
    owned: AtomicBool,
    /// Whose clients have tokens.
    devices: OnceLock<Devices>,
    /// One of them is held while an account is looked at and then changed: the same for the same account, and
    /// mostly another for another, so that changes of several reach the disk together.
    changing: [tokio::sync::Mutex<()>; CHANGES],
    /// Held before that while it is seen to that there is an owner.
    ruling: tokio::sync::Mutex<()>,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    #[error("{0} is not an address of the form name@domain")]
    Address(String),
    #[error("this server does not serve the domain {0}")]
    Domain(String),
    #[error("the account {0} exists already")]
    Exists(BareJid),
    #[error("there is no account {0}")]
    Missing(BareJid),
    #[error("{0} is the only owner")]
    OnlyOwner(BareJid),
    #[error("{0}")]
    Password(#[from] PasswordError),
    #[error("the store does not take it: {0}")]
    Store(#[from] StoreError),
    #[error("the server is stopping")]
    Stopping,
}

impl Accounts {
    #[must_use]
    pub fn new(store: Store, domains: Vec<String>, iterations: u32) -> Self {
        Self(Arc::new(Shared {
            store,
            domains: Mutex::new(domains),
            iterations: Mutex::new(iterations),
            memory: Mutex::default(),
            owned: AtomicBool::new(false),
            devices: OnceLock::new(),
            changing: [const { tokio::sync::Mutex::const_new(()) }; CHANGES],
            ruling: tokio::sync::Mutex::const_new(()),
        }))
    }

    /// For plugins that show them to their owners; once, at the start.
    pub fn attach(&self, devices: Devices) {
        drop(self.0.devices.set(devices));
    }

    /// Parses an address and checks that its domain is served here.
    pub fn address(&self, text: &str) -> Result<BareJid, AccountError> {
        let jid = BareJid::parse(text).map_err(|_| AccountError::Address(text.to_owned()))?;
        if jid.local().is_none() {
            return Err(AccountError::Address(text.to_owned()));
        }
        if !self.keeps(jid.domain()) {
            return Err(AccountError::Domain(jid.domain().to_owned()));
        }
        Ok(jid)
    }

    /// The account's record; none if there is no such account.
    pub async fn find(&self, account: &BareJid) -> Result<Option<Arc<Record>>, AccountError> {
        let mark = {
            let memory = lock(&self.0.memory);
            if let Some(known) = memory.get(account) {
                return Ok(known);
            }
            memory.mark()
        };
        let Some(key) = key(account) else { return Ok(None) };
        let found = self.0.store.get(TABLE, &key).await?;
        let record = found.and_then(|bytes| Record::decode(&bytes)).map(Arc::new);
        self.see(record.as_deref());
        lock(&self.0.memory).learn(mark, account, record.clone());
        Ok(record)
    }

    /// The same where nobody can wait; none if the store does not answer. May read from the disk.
    fn find_now(&self, account: &BareJid) -> Option<Option<Arc<Record>>> {
        let mark = {
            let memory = lock(&self.0.memory);
            if let Some(known) = memory.get(account) {
                return Some(known);
            }
            memory.mark()
        };
        let Some(key) = key(account) else { return Some(None) };
        let found = self.0.store.backend().get(TABLE, &key);
        let found = found.map_err(|error| tracing::error!(%account, %error, "the account cannot be looked up")).ok()?;
        let record = found.and_then(|bytes| Record::decode(&bytes)).map(Arc::new);
        lock(&self.0.memory).learn(mark, account, record.clone());
        Some(record)
    }

    /// What the account is to the server, where nobody can wait. May read from the disk.
    pub fn role_now(&self, account: &BareJid) -> Option<Role> {
        self.find_now(account)?.map(|record| record.role.clone())
    }

    /// Creates an account. Deriving its keys takes tens of milliseconds of another thread.
    pub async fn create(&self, account: &BareJid, password: String) -> Result<Arc<Record>, AccountError> {
        let secrets = self.derive(password).await?;
        self.create_with(account, secrets, false).await
    }

    /// The same with keys that are derived already.
    pub async fn create_with(
        &self,
        account: &BareJid,
        secrets: Secrets,
        disabled: bool,
    ) -> Result<Arc<Record>, AccountError> {
        let _changing = self.changing(account).await;
        if lock(&self.0.memory).is_reserved(account) || self.find(account).await?.is_some() {
            return Err(AccountError::Exists(account.clone()));
        }
        self.put(account, Record { created: now(), disabled, role: Role::default(), secrets }).await
    }

    pub async fn set_password(&self, account: &BareJid, password: String) -> Result<(), AccountError> {
        let secrets = self.derive(password).await?;
        let _changing = self.changing(account).await;
        let old = self.find(account).await?.ok_or_else(|| AccountError::Missing(account.clone()))?;
        self.put(account, Record { secrets, ..(*old).clone() }).await.map(drop)
    }

    /// Makes the account something else to the server; one owner at least stays.
    pub async fn set_role(&self, account: &BareJid, role: Role) -> Result<Arc<Record>, AccountError> {
        let _ruling = self.0.ruling.lock().await;
        let _changing = self.changing(account).await;
        let old = self.find(account).await?.ok_or_else(|| AccountError::Missing(account.clone()))?;
        if old.role.rank == Rank::Owner && role.rank != Rank::Owner && !self.has_owner_beside(account).await? {
            return Err(AccountError::OnlyOwner(account.clone()));
        }
        let key = key(account).ok_or_else(|| AccountError::Address(account.to_string()))?;
        let record = Record { role, ..(*old).clone() };
        let mut batch = Batch::new();
        batch.put(TABLE, key, record.encode());
        self.0.store.submit(batch).wait().await?;
        self.see(Some(&record));
        let record = Arc::new(record);
        lock(&self.0.memory).changed(account, Some(Arc::clone(&record)));
        Ok(record)
    }

    /// The accounts that own the server. Reads all accounts.
    pub async fn owners(&self) -> Result<Vec<BareJid>, AccountError> {
        let mut owners = Vec::new();
        let mut after = None;
        loop {
            let some = self.list(None, after.as_ref(), SCAN).await?;
            after = some.last().map(|(jid, _)| jid.clone());
            let more = some.len() == SCAN;
            owners.extend(some.into_iter().filter(|(_, r)| r.role.rank == Rank::Owner).map(|(jid, _)| jid));
            if !more {
                self.0.owned.fetch_or(!owners.is_empty(), Ordering::Relaxed);
                return Ok(owners);
            }
        }
    }

    /// Whether there is an owner, as far as was seen; [`Self::owners`] looks.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.0.owned.load(Ordering::Relaxed)
    }

    fn see(&self, record: Option<&Record>) {
        if record.is_some_and(|record| record.role.rank == Rank::Owner) {
            self.0.owned.store(true, Ordering::Relaxed);
        }
    }

    /// Replaces the account's secrets by others of the same password, so that tokens of devices
    /// go on; false if it has other ones than `was` by now.
    pub async fn upgrade(&self, account: &BareJid, was: &Secrets, now: Secrets) -> Result<bool, AccountError> {
        let _changing = self.changing(account).await;
        let old = self.find(account).await?.filter(|record| record.secrets == *was);
        let (Some(old), Some(key)) = (old, key(account)) else { return Ok(false) };
        let record = Record { secrets: now, ..(*old).clone() };
        let mut batch = Batch::new();
        batch.put(TABLE, key, record.encode());
        self.0.store.submit(batch).wait().await?;
        lock(&self.0.memory).changed(account, Some(Arc::new(record)));
        Ok(true)
    }

    /// Removes the account and, in the same commit, what `forget` adds; one owner at least stays.
    pub async fn delete(&self, account: &BareJid, forget: impl FnOnce(&mut Turn)) -> Result<(), AccountError> {
        let _ruling = self.0.ruling.lock().await;
        let _changing = self.changing(account).await;
        self.may_go(account).await?;
        let mut turn = self.0.store.turn();
        if let Some(key) = key(account) {
            turn.raw(Op { table: devices::TABLE.into(), key: key.clone(), value: None })?;
            turn.raw(Op { table: TABLE.into(), key, value: None })?;
            turn.raw(Op { table: FACTORS.into(), key: account.as_str().into(), value: None })?;
        }
        forget(&mut turn);
        self.0.store.submit_turn(turn).wait().await?;
        lock(&self.0.memory).changed(account, None);
        Ok(())
    }

    /// Whether the account is there and may be removed.
    ///
    /// # Errors
    /// [`AccountError::Missing`], [`AccountError::OnlyOwner`].
    pub async fn may_go(&self, account: &BareJid) -> Result<(), AccountError> {
        let record = self.find(account).await?.ok_or_else(|| AccountError::Missing(account.clone()))?;
        if record.role.rank == Rank::Owner && !self.has_owner_beside(account).await? {
            return Err(AccountError::OnlyOwner(account.clone()));
        }
        Ok(())
    }

    /// Accounts after `after`, in order of domain and name.
    pub async fn list(
        &self,
        domain: Option<&str>,
        after: Option<&BareJid>,
        limit: usize,
    ) -> Result<Vec<(BareJid, Record)>, AccountError> {
        let prefix = domain.map(|domain| [domain.as_bytes(), b"\0"].concat()).unwrap_or_default();
        let mut scan = Scan::prefix(prefix).limit(limit);
        if let Some(key) = after.and_then(key) {
            scan = scan.after(key);
        }
        let rows = self.0.store.scan(TABLE, scan).await?;
        let account = |(key, value): (Vec<u8>, Vec<u8>)| Some((address_of(&key)?, Record::decode(&value)?));
        Ok(rows.into_iter().filter_map(account).collect())
    }

    /// After an import: whatever was in memory may be old.
    pub fn forget(&self) {
        lock(&self.0.memory).clear();
    }

    /// After a reload of the configuration.
    pub fn configure(&self, domains: Vec<String>, iterations: u32) {
        *lock(&self.0.domains) = domains;
        *lock(&self.0.iterations) = iterations;
    }

    async fn changing(&self, account: &BareJid) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        account.as_str().hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % CHANGES as u64).unwrap_or_default();
        // There is one for every rest of the division.
        Some(self.0.changing.get(place)?.lock().await)
    }

    /// The keys of a password; tens of milliseconds of another thread.
    pub async fn derive(&self, password: String) -> Result<Secrets, AccountError> {
        let iterations = *lock(&self.0.iterations);
        let derived = tokio::task::spawn_blocking(move || Secrets::derive(&password, iterations, random)).await;
        Ok(derived.map_err(|_| AccountError::Stopping)??)
    }

    async fn put(&self, account: &BareJid, record: Record) -> Result<Arc<Record>, AccountError> {
        let key = key(account).ok_or_else(|| AccountError::Address(account.to_string()))?;
        let mut batch = Batch::new();
        // With another password, and with another account, what its devices have is worth nothing.
        batch.delete(devices::TABLE, key.clone());
        batch.put(TABLE, key, record.encode());
        self.0.store.submit(batch).wait().await?;
        let record = Arc::new(record);
        lock(&self.0.memory).changed(account, Some(Arc::clone(&record)));
        Ok(record)
    }

    fn keeps(&self, domain: &str) -> bool {
        lock(&self.0.domains).iter().any(|kept| kept == domain)
    }
}

impl xylem_router::Accounts for Accounts {
    fn exists(&self, account: &BareJid) -> Done<bool> {
        if let Some(known) = lock(&self.0.memory).get(account) {
            return Done::Ready(known.is_some());
        }
        let (accounts, account) = (self.clone(), account.clone());
        Done::Later(Box::pin(async move {
            accounts.find(&account).await.map_or_else(
                |error| {
                    tracing::error!(%account, %error, "cannot tell whether the account exists");
                    true
                },
                |found| found.is_some(),
            )
        }))
    }
}

pub(crate) fn key(account: &BareJid) -> Option<Vec<u8>> {
    Some([account.domain().as_bytes(), b"\0", account.local()?.as_bytes()].concat())
}

fn address_of(key: &[u8]) -> Option<BareJid> {
    let (domain, local) = std::str::from_utf8(key).ok()?.split_once('\0')?;
    BareJid::parse(&format!("{local}@{domain}")).ok()
}

/// Seconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn random(buffer: &mut [u8]) {
    // A system without randomness cannot keep a secret; it has never been seen to fail later than at start.
    if let Err(error) = getrandom::fill(buffer) {
        tracing::error!(%error, "no randomness");
        std::process::abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_sasl::Hash;

    use super::*;

    fn accounts() -> Accounts {
        Accounts::new(Store::memory().unwrap(), vec!["a.example".into(), "b.example".into()], 4096)
    }

    #[tokio::test]
    async fn accounts_are_made_found_listed_and_removed() {
        let accounts = accounts();
        for address in ["romeo@b.example", "juliet@a.example", "nurse@a.example"] {
            accounts.create(&accounts.address(address).unwrap(), "pencil".into()).await.unwrap();
        }
        let listed = accounts.list(None, None, 2).await.unwrap();
        let names: Vec<_> = listed.iter().map(|(jid, _)| jid.as_str()).collect();
        assert_eq!(names, ["juliet@a.example", "nurse@a.example"]);
        let last = &listed.last().unwrap().0;
        assert_eq!(accounts.list(None, Some(last), 9).await.unwrap().len(), 1);
        assert_eq!(accounts.list(Some("b.example"), None, 9).await.unwrap().len(), 1);
        let nurse = accounts.address("NURSE@a.example").unwrap();
        accounts.forget();
        assert!(accounts.find(&nurse).await.unwrap().unwrap().secrets.verify_plain("pencil"));
        accounts.set_password(&nurse, "crayon".into()).await.unwrap();
        assert!(accounts.find(&nurse).await.unwrap().unwrap().secrets.verify_plain("crayon"));
        accounts.delete(&nurse, |_| {}).await.unwrap();
        assert!(accounts.find(&nurse).await.unwrap().is_none());
        assert!(matches!(accounts.delete(&nurse, |_| {}).await, Err(AccountError::Missing(_))));
    }

    #[tokio::test]
    async fn keys_are_upgraded_only_if_nothing_has_changed_meanwhile() {
        let accounts = accounts();
        let juliet = accounts.address("juliet@a.example").unwrap();
        let was = accounts.create(&juliet, "pencil".into()).await.unwrap().secrets.clone();
        let more = Secrets::derive("pencil", 5000, |salt| salt.fill(7)).unwrap();
        let now = was.clone().with(Hash::Sha512, more.get(Hash::Sha512).unwrap());
        assert!(accounts.upgrade(&juliet, &was, now.clone()).await.unwrap());
        accounts.forget();
        assert_eq!(accounts.find(&juliet).await.unwrap().unwrap().secrets, now);
        accounts.set_password(&juliet, "crayon".into()).await.unwrap();
        assert!(!accounts.upgrade(&juliet, &now, was).await.unwrap(), "the password is another by now");
        assert!(accounts.find(&juliet).await.unwrap().unwrap().secrets.verify_plain("crayon"));
        let nobody = accounts.address("nobody@a.example").unwrap();
        assert!(!accounts.upgrade(&nobody, &now, now.clone()).await.unwrap());
    }

    /// Whoever is told that his account is there can log in, however many ask for it meanwhile.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_was_created_is_found_by_everybody() {
        let accounts = accounts();
        let secrets = Secrets::derive("pencil", 4096, |salt| salt.fill(7)).unwrap();
        for n in 0..300 {
            let account = accounts.address(&format!("n{n}@a.example")).unwrap();
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    let (accounts, account) = (accounts.clone(), account.clone());
                    tokio::spawn(async move { while accounts.find(&account).await.unwrap().is_none() {} })
                })
                .collect();
            accounts.create_with(&account, secrets.clone(), false).await.unwrap();
            for _ in 0..20 {
                assert!(accounts.find(&account).await.unwrap().is_some(), "{account}");
                assert!(accounts.role_now(&account).is_some());
            }
            for asking in asking {
                asking.await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn what_cannot_be_an_account_is_refused() {
        let accounts = accounts();
        let juliet = accounts.address("juliet@a.example").unwrap();
        assert!(matches!(accounts.create(&juliet, String::new()).await, Err(AccountError::Password(_))));
        accounts.create(&juliet, "pencil".into()).await.unwrap();
        assert!(matches!(accounts.create(&juliet, "x".into()).await, Err(AccountError::Exists(_))));
        assert!(matches!(accounts.address("juliet@c.example"), Err(AccountError::Domain(_))));
        assert!(matches!(accounts.address("a.example"), Err(AccountError::Address(_))));
        assert!(matches!(accounts.address("a b@a.example"), Err(AccountError::Address(_))));
    }
}
