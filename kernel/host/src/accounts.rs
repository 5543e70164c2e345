//! Accounts, as the server keeps them.

use xylem_stanza::BareJid;
use xylem_store::Turn;

/// Why an account was not made or changed: what the plugin is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountRefusal {
    #[error("there is such an account already")]
    Exists,
    #[error("there is no such account")]
    Missing,
    #[error("username or password cannot be one: {0}")]
    Invalid(&'static str),
    #[error("the domain's accounts are kept elsewhere, or no more are allowed")]
    Forbidden,
}

/// A client of an account that may log in again with a token (XEP-0484).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDevice {
    /// What the server calls it.
    pub id: String,
    /// What it says of itself.
    pub software: Option<String>,
    pub device: Option<String>,
    /// Milliseconds since 1970, as the others: when it got its first token.
    pub since: u64,
    /// When it was last seen, give or take an hour.
    pub seen: u64,
    /// When its newest token ends.
    pub expires: u64,
}

/// The accounts of the hosted domains. What is changed goes into the plugin's
/// turn, so that it happens together with all else the call did, or not at all.
pub trait AccountService: Send + Sync + 'static {
    /// Whether there is such an account.
    fn exists(&self, account: &BareJid) -> bool;

    /// Makes an account.
    ///
    /// # Errors
    /// Nothing was added to the turn then.
    fn create(&self, turn: &mut Turn, domain: &str, username: &str, password: &str) -> Result<BareJid, AccountRefusal>;

    /// Replaces the password.
    ///
    /// # Errors
    /// Nothing was added to the turn then.
    fn set_password(&self, turn: &mut Turn, account: &BareJid, password: &str) -> Result<(), AccountRefusal>;

    /// Removes the account. The rows of its key in plugins' stores are the host's concern.
    ///
    /// # Errors
    /// Nothing was added to the turn then.
    fn delete(&self, turn: &mut Turn, account: &BareJid) -> Result<(), AccountRefusal>;

    /// Its clients that may log in with a token.
    ///
    /// # Errors
    /// There is no such account.
    fn devices(&self, account: &BareJid) -> Result<Vec<AccountDevice>, AccountRefusal> {
        let _ = account;
        Ok(Vec::new())
    }

    /// Ends the tokens of one of them.
    ///
    /// # Errors
    /// There is no such account or device; nothing was added to the turn then.
    fn revoke_device(&self, turn: &mut Turn, account: &BareJid, id: &str) -> Result<(), AccountRefusal> {
        let _ = (turn, account, id);
        Err(AccountRefusal::Missing)
    }
}

/// For a server without accounts of its own, and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAccounts;

impl AccountService for NoAccounts {
    fn exists(&self, _: &BareJid) -> bool {
        false
    }

    fn create(&self, _: &mut Turn, _: &str, _: &str, _: &str) -> Result<BareJid, AccountRefusal> {
        Err(AccountRefusal::Forbidden)
    }

    fn set_password(&self, _: &mut Turn, _: &BareJid, _: &str) -> Result<(), AccountRefusal> {
        Err(AccountRefusal::Missing)
    }

    fn delete(&self, _: &mut Turn, _: &BareJid) -> Result<(), AccountRefusal> {
        Err(AccountRefusal::Missing)
    }
}
