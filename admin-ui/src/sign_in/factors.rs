//! The second factors of accounts: an authenticator app, passkeys, codes on paper.
//!
//! What is kept of an app is a salt, and of a code what this server alone makes out of it; so who
//! reads the store, or a backup of it, has neither.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backend::{People, Shelf, Table, Unavailable};
use super::passkey::Passkey;
use super::recovery;
use super::totp::{self, SECRET_BYTES, Secret};

/// Passkeys of one account.
pub(super) const MOST_PASSKEYS: usize = 20;

/// What an account has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Factors {
    /// Of the account they belong to; an earlier one of the same name had others.
    created: u64,
    pub(super) app: Option<App>,
    /// Sealed.
    pub(super) codes: Vec<String>,
    pub(super) passkeys: Vec<Passkey>,
}

/// An authenticator app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct App {
    salt: [u8; 16],
    /// The step of the code that was used last.
    last: u64,
    /// Seconds since 1970 UTC.
    pub(super) added: u64,
}

impl Factors {
    /// Whether the password alone is not enough.
    pub(super) fn are_asked_for(&self) -> bool {
        self.app.is_some() || !self.passkeys.is_empty()
    }

    /// Codes on paper stand in for something; without it they are nothing.
    fn tidy(&mut self) {
        if !self.are_asked_for() {
            self.codes.clear();
        }
    }
}

/// One account, as its second factors are made from it.
#[derive(Clone, Debug)]
pub(super) struct Holder<'a> {
    pub(super) people: &'a dyn People,
    pub(super) account: &'a str,
    /// Seconds since 1970 UTC.
    pub(super) created: u64,
}

impl std::fmt::Debug for dyn People + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People")
    }
}

impl Holder<'_> {
    /// The secret that an app shares.
    pub(super) fn secret(&self, salt: [u8; 16]) -> Secret {
        let made = self.derive("authenticator app of an account", &salt);
        let mut secret = [0; SECRET_BYTES];
        for (to, from) in secret.iter_mut().zip(made) {
            *to = from;
        }
        secret
    }

    /// What a passkey knows the account by: nothing that tells who it is (WebAuthn §14.6.1).
    pub(super) fn handle(&self) -> [u8; 32] {
        self.derive("account of a passkey", &[])
    }

    pub(super) fn seal(&self, code: &str) -> String {
        self.derive("recovery code of an account", code.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Takes a code of the app or one on paper; with which factor that was.
    pub(super) fn redeem(&self, factors: &mut Factors, code: &str, now: u64) -> Option<&'static str> {
        if recovery::is_one(code) {
            return recovery::redeem(&mut factors.codes, code, &|code: &str| self.seal(code)).then_some("recovery");
        }
        let app = factors.app.as_mut()?;
        app.last = totp::accept(&self.secret(app.salt), code, now, app.last)?;
        Some("totp")
    }

    /// The app is there once it has shown a code.
    pub(super) fn adopt(&self, factors: &mut Factors, salt: [u8; 16], code: &str, now: u64) -> bool {
        let last = totp::accept(&self.secret(salt), code, now, 0);
        let Some(last) = last else { return false };
        factors.app = Some(App { salt, last, added: now });
        true
    }

    fn derive(&self, purpose: &str, what: &[u8]) -> [u8; 32] {
        self.people.derive(purpose, &[self.account.as_bytes(), &self.created.to_be_bytes(), what])
    }
}

/// The second factors of all accounts.
pub(super) struct Book {
    shelf: Arc<dyn Shelf>,
    /// Held while a row is read and then written.
    changing: tokio::sync::Mutex<()>,
}

impl Book {
    pub(super) fn new(shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf, changing: tokio::sync::Mutex::default() }
    }

    pub(super) async fn read(&self, holder: &Holder<'_>) -> Result<Factors, Unavailable> {
        let row = self.shelf.get(Table::Factors, holder.account.as_bytes()).await?;
        let Some(row) = row else { return Ok(Factors { created: holder.created, ..Factors::default() }) };
        // Who cannot be read is not let in with the password alone.
        let factors: Factors = serde_json::from_slice(&row)
            .map_err(|error| Unavailable(format!("the second factors of {} are damaged: {error}", holder.account)))?;
        let of_this = factors.created == holder.created;
        Ok(if of_this { factors } else { Factors { created: holder.created, ..Factors::default() } })
    }

    /// Changes what an account has; on disk when this is over. What `change` did counts if it gives
    /// something.
    pub(super) async fn change<T>(
        &self,
        holder: &Holder<'_>,
        change: impl FnOnce(&mut Factors) -> Option<T> + Send,
    ) -> Result<Option<T>, Unavailable> {
        let _changing = self.changing.lock().await;
        let mut factors = self.read(holder).await?;
        let Some(outcome) = change(&mut factors) else { return Ok(None) };
        factors.tidy();
        let row = serde_json::to_vec(&factors).map_err(|error| Unavailable(error.to_string()))?;
        let row = (factors.are_asked_for()).then_some(row);
        self.shelf.put(Table::Factors, holder.account.as_bytes(), row).await?;
        Ok(Some(outcome))
    }

    /// Takes everything away, for somebody who has lost it all.
    pub(super) async fn clear(&self, account: &str) -> Result<(), Unavailable> {
        let _changing = self.changing.lock().await;
        self.shelf.put(Table::Factors, account.as_bytes(), None).await
    }
}
