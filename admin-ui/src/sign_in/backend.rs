//! What signing in asks of the server. The server implements these traits; tests put something
//! else behind them.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use xylem_ops::Role;

/// The result of a question, when it is there.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// Not now: the store does not answer, or the server is stopping. Nobody's fault who asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// What became of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is right; the account's bare address.
    Right(String),
    /// It is not, or there is no such account, or the account may not log in: nobody is told which.
    Wrong,
    /// It was not looked at: too many failures before.
    Blocked {
        /// When it will be.
        retry_after: Duration,
    },
}

/// An account that may be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    /// Another one whenever the password, the role, or the account itself is another: what was
    /// signed in with the old one is then over.
    pub stamp: [u8; 16],
    /// When the account was made, seconds since 1970 UTC. Second factors are those of this account and
    /// not of an earlier one of the same name.
    pub created: u64,
}

/// The accounts of the server.
pub trait People: Send + Sync {
    /// Checks a password as a login by SASL would, counted by the same brake. `name` is what
    /// somebody typed; unknown and impossible names cost as much as others.
    fn check(&self, name: String, password: String, peer: IpAddr) -> Answer<'_, Checked>;

    /// None: there is no such account any more, or it is disabled. Asked with every request.
    fn standing<'a>(&'a self, account: &'a str) -> Answer<'a, Option<Standing>>;

    /// Whether there is an owner. Asked with every request.
    fn has_owner(&self) -> bool;

    /// What only this server can make out of the parts, each time the same.
    fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32];
}

/// What is kept for the console, in the server's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Keys are hashes of tickets.
    Sessions,
    /// Keys are accounts. A row goes when its account does.
    Factors,
}

/// Rows that outlive the process.
pub trait Shelf: Send + Sync {
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>>;
    /// Puts a row, or removes it; on disk when this is over.
    fn put<'a>(&'a self, table: Table, key: &'a [u8], row: Option<Vec<u8>>) -> Answer<'a, ()>;
    /// All rows, at most so many.
    fn all(&self, table: Table, limit: usize) -> Answer<'_, Vec<(Vec<u8>, Vec<u8>)>>;
}

/// What became of an attempt, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deed {
    /// The server has its first owner.
    SetUp,
    SignedIn,
    SignedOut,
    SessionEnded,
    AppAdded,
    AppRemoved,
    CodesMade,
    CodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    /// The password was right and the second factor was not.
    FactorRefused,
    /// It was not; and how often more, before, that nobody was told of.
    PasswordRefused {
        more: u64,
    },
}

/// Takes note of what happened to an account, for the audit log.
pub trait Notes: Send + Sync {
    fn note(&self, account: &str, peer: IpAddr, deed: Deed);
}
