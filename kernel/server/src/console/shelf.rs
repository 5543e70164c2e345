//! What is kept for the console, in tables of the kernel's own.

use std::net::IpAddr;
use std::sync::Arc;

use xylem_admin::sign_in::{Answer, Deed, Notes, Shelf, ShelfTable, Unavailable};
use xylem_ops::{AuditLog, Caller, Face, OpError, Role};
use xylem_store::{Batch, Scan, Store, StoreError};

use crate::accounts;

/// Rows by hashes of tickets.
const SESSIONS: &str = "kernel/console-sessions";

/// The store.
pub struct Drawers(pub Store);

const fn name(table: ShelfTable) -> &'static str {
    match table {
        ShelfTable::Sessions => SESSIONS,
        ShelfTable::Factors => accounts::FACTORS,
    }
}

impl Shelf for Drawers {
    fn get<'a>(&'a self, table: ShelfTable, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.0.get(name(table), key).await.map_err(|error| unavailable(&error)) })
    }

    fn put<'a>(&'a self, table: ShelfTable, key: &'a [u8], row: Option<Vec<u8>>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut batch = Batch::new();
            match row {
                Some(row) => batch.put(name(table), key.to_vec(), row),
                None => batch.delete(name(table), key.to_vec()),
            };
            self.0.submit(batch).wait().await.map(drop).map_err(|error| unavailable(&error))
        })
    }

    fn all(&self, table: ShelfTable, limit: usize) -> Answer<'_, Vec<(Vec<u8>, Vec<u8>)>> {
        Box::pin(async move {
            let scan = Scan::prefix(Vec::new()).limit(limit);
            self.0.scan(name(table), scan).await.map_err(|error| unavailable(&error))
        })
    }
}

fn unavailable(error: &StoreError) -> Unavailable {
    Unavailable(error.to_string())
}

/// The audit log, for what is done outside the table of operations.
pub struct Diary(pub Arc<AuditLog>);

impl Notes for Diary {
    fn note(&self, account: &str, peer: IpAddr, deed: Deed) {
        let (operation, what) = words(deed);
        let caller = Caller::account(account, Role::default(), Face::Console, peer.to_string());
        let (what, refusal) = match deed {
            Deed::PasswordRefused { more } => {
                let refusal = OpError::Denied("account and password do not fit".to_owned());
                let before = if more > 0 { format!(", and so it was {more} times before") } else { String::new() };
                (format!("{account} {what}{before}"), Some(refusal))
            }
            _ => (format!("{account} {what}"), None),
        };
        if let Err(error) = self.0.event(&caller, operation, what, refusal.as_ref()) {
            tracing::error!(%error, account, operation, "the audit log cannot be written");
        }
    }
}

const fn words(deed: Deed) -> (&'static str, &'static str) {
    match deed {
        Deed::SetUp => ("setup.finish", "set the server up and owns it"),
        Deed::SignedIn => ("session.begin", "signed in to the console"),
        Deed::SignedOut => ("session.end", "signed out of the console"),
        Deed::SessionEnded => ("session.revoke", "ended a session of the console"),
        Deed::AppAdded => ("factor.add", "added an authenticator app"),
        Deed::AppRemoved => ("factor.remove", "removed the authenticator app"),
        Deed::CodesMade => ("factor.codes", "made new recovery codes"),
        Deed::CodeUsed => ("factor.use", "used a recovery code"),
        Deed::PasskeyAdded => ("factor.add", "added a passkey"),
        Deed::PasskeyRemoved => ("factor.remove", "removed a passkey"),
        Deed::PasswordRefused { .. } => ("session.begin", "gave a password that is not right"),
        Deed::FactorRefused => ("session.begin", "had the password, but not the second factor"),
        _ => ("session", "did something about signing in"),
    }
}
