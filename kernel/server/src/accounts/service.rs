//! Accounts as plugins change them: within their turn.

use xylem_host::{AccountDevice, AccountRefusal, AccountService};
use xylem_ops::{Rank, Role};
use xylem_sasl::{PasswordError, Secrets};
use xylem_stanza::{BareJid, Domain};
use xylem_store::{Op, Turn};

use super::memory::Change;
use super::{Accounts, Record, TABLE, key, lock, now, random};
use crate::devices;

impl AccountService for Accounts {
    fn exists(&self, account: &BareJid) -> bool {
        // A store that cannot answer takes no writes either.
        self.find_now(account).is_none_or(|record| record.is_some())
    }

    fn create(&self, turn: &mut Turn, domain: &str, username: &str, password: &str) -> Result<BareJid, AccountRefusal> {
        if !self.keeps(domain) {
            return Err(AccountRefusal::Forbidden);
        }
        let no_name = AccountRefusal::Invalid("the username cannot be a local part (RFC 7622 §3.3)");
        let domain = Domain::parse(domain).map_err(|_| AccountRefusal::Forbidden)?;
        let account = BareJid::new(username, &domain).map_err(|_| no_name)?;
        if lock(&self.0.memory).is_reserved(&account) || self.exists(&account) {
            return Err(AccountRefusal::Exists);
        }
        let secrets = self.derive_here(password)?;
        lock(&self.0.memory).unsettle(&account, Change::Created);
        write(turn, &account, Some(Record { created: now(), disabled: false, role: Role::default(), secrets }))?;
        Ok(account)
    }

    fn set_password(&self, turn: &mut Turn, account: &BareJid, password: &str) -> Result<(), AccountRefusal> {
        let old = self.find_now(account).flatten().ok_or(AccountRefusal::Missing)?;
        let secrets = self.derive_here(password)?;
        lock(&self.0.memory).unsettle(account, Change::Other);
        write(turn, account, Some(Record { secrets, ..(*old).clone() }))
    }

    fn delete(&self, turn: &mut Turn, account: &BareJid) -> Result<(), AccountRefusal> {
        let old = self.find_now(account).flatten().ok_or(AccountRefusal::Missing)?;
        // Who rules the server does not vanish by a stanza; whoever else rules may delete him.
        if old.role.rank == Rank::Owner {
            return Err(AccountRefusal::Forbidden);
        }
        lock(&self.0.memory).unsettle(account, Change::Other);
        write(turn, account, None)
    }

    fn devices(&self, account: &BareJid) -> Result<Vec<AccountDevice>, AccountRefusal> {
        let record = self.find_now(account).flatten().ok_or(AccountRefusal::Missing)?;
        let known = self.0.devices.get().map(|devices| devices.list_now(account, &record)).unwrap_or_default();
        let milliseconds = |seconds: u64| seconds.saturating_mul(1000);
        let device = |known: devices::Known| AccountDevice {
            id: known.name,
            software: known.software,
            device: known.device,
            since: milliseconds(known.since),
            seen: milliseconds(known.seen),
            expires: milliseconds(known.expires),
        };
        Ok(known.into_iter().map(device).collect())
    }

    fn revoke_device(&self, turn: &mut Turn, account: &BareJid, id: &str) -> Result<(), AccountRefusal> {
        let devices = self.0.devices.get().ok_or(AccountRefusal::Missing)?;
        devices.revoke_within(turn, account, id).then_some(()).ok_or(AccountRefusal::Missing)
    }
}

impl Accounts {
    fn derive_here(&self, password: &str) -> Result<Secrets, AccountRefusal> {
        let iterations = *lock(&self.0.iterations);
        Secrets::derive(password, iterations, random).map_err(|error| match error {
            PasswordError::Empty => AccountRefusal::Invalid("the password is empty"),
            _ => AccountRefusal::Invalid("the password contains a character that SASLprep forbids"),
        })
    }
}

fn write(turn: &mut Turn, account: &BareJid, record: Option<Record>) -> Result<(), AccountRefusal> {
    let Some(key) = key(account) else { return Err(AccountRefusal::Missing) };
    // With another password, and with another account, what its devices have is worth nothing.
    let devices = Op { table: devices::TABLE.into(), key: key.clone(), value: None };
    turn.raw(devices).map_err(|_| AccountRefusal::Invalid("the address is too long to be stored"))?;
    if record.is_none() {
        let factors = Op { table: super::FACTORS.into(), key: account.as_str().into(), value: None };
        turn.raw(factors).map_err(|_| AccountRefusal::Invalid("the address is too long to be stored"))?;
    }
    let op = Op { table: TABLE.into(), key, value: record.map(|record| record.encode()) };
    turn.raw(op).map_err(|_| AccountRefusal::Invalid("the address is too long to be stored"))
}
