//! Accounts as the kit keeps them: in the store, so that they take part in turns and
//! survive a restart. The password lies there as it is, for tests to look at.

use xylem_hooks::Done;
use xylem_host::{AccountRefusal, AccountService};
use xylem_stanza::{BareJid, Domain};
use xylem_store::{Op, Store, Turn};

const TABLE: &str = "testing/accounts";

pub(crate) struct Accounts {
    store: Store,
    domains: Vec<String>,
}

impl Accounts {
    pub(crate) fn new(store: Store, domains: Vec<String>) -> Self {
        Self { store, domains }
    }

    pub(crate) fn password(&self, account: &BareJid) -> Option<String> {
        let found = self.store.backend().get(TABLE, account.as_str().as_bytes());
        found.ok().flatten().map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    fn write(turn: &mut Turn, account: &BareJid, password: Option<&str>) -> Result<(), AccountRefusal> {
        let value = password.map(|password| password.as_bytes().to_vec());
        let op = Op { table: TABLE.into(), key: account.as_str().as_bytes().to_vec(), value };
        turn.raw(op).map_err(|_| AccountRefusal::Invalid("the address is too long to be stored"))
    }
}

impl AccountService for Accounts {
    fn exists(&self, account: &BareJid) -> bool {
        self.password(account).is_some()
    }

    fn create(&self, turn: &mut Turn, domain: &str, username: &str, password: &str) -> Result<BareJid, AccountRefusal> {
        if !self.domains.iter().any(|known| known == domain) {
            return Err(AccountRefusal::Forbidden);
        }
        let domain = Domain::parse(domain).map_err(|_| AccountRefusal::Forbidden)?;
        let account = BareJid::new(username, &domain)
            .map_err(|_| AccountRefusal::Invalid("the username cannot be a local part (RFC 7622 §3.3)"))?;
        if AccountService::exists(self, &account) {
            return Err(AccountRefusal::Exists);
        }
        if password.is_empty() {
            return Err(AccountRefusal::Invalid("the password is empty"));
        }
        Self::write(turn, &account, Some(password))?;
        Ok(account)
    }

    fn set_password(&self, turn: &mut Turn, account: &BareJid, password: &str) -> Result<(), AccountRefusal> {
        if !AccountService::exists(self, account) {
            return Err(AccountRefusal::Missing);
        }
        if password.is_empty() {
            return Err(AccountRefusal::Invalid("the password is empty"));
        }
        Self::write(turn, account, Some(password))
    }

    fn delete(&self, turn: &mut Turn, account: &BareJid) -> Result<(), AccountRefusal> {
        if !AccountService::exists(self, account) {
            return Err(AccountRefusal::Missing);
        }
        Self::write(turn, account, None)
    }
}

impl xylem_router::Accounts for Accounts {
    fn exists(&self, account: &BareJid) -> Done<bool> {
        Done::Ready(AccountService::exists(self, account))
    }
}
