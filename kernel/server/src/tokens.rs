//! Tokens: a table of the kernel's own. What is kept of one is a hash; who has the store has no token.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use xylem_ops::token::{TokenRow, Wanted};
use xylem_ops::{Role, Scopes};
use xylem_store::{Batch, Scan, Store, StoreError};

use crate::accounts::now;

/// Where they lie in the store; keys are their ids.
const TABLE: &str = "kernel/tokens";
/// What every token begins with, so that programs that look for leaked secrets find it.
const MARK: &str = "xylem_";
/// Tokens looked through at once.
const SCAN: usize = 1000;

/// All tokens of the server.
pub struct Tokens {
    store: Store,
    /// When each was last used since the server started, in seconds since 1970.
    used: Mutex<HashMap<String, u64>>,
}

/// A token as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub account: String,
    pub name: String,
    pub ceiling: Role,
    pub scopes: Scopes,
    pub created: u64,
    pub expires: Option<u64>,
    /// SHA-256 of the secret; a secret of 256 random bits needs no salt and no work factor.
    hash: String,
}

impl Tokens {
    pub fn new(store: Store) -> Self {
        Self { store, used: Mutex::default() }
    }

    /// Makes one; gives what is known of it and the token itself.
    pub async fn create(&self, wanted: Wanted) -> Result<(TokenRow, String), TokenError> {
        let mut id = [0; 8];
        let mut secret = [0; 32];
        getrandom::fill(&mut id).map_err(|_| TokenError::Randomness)?;
        getrandom::fill(&mut secret).map_err(|_| TokenError::Randomness)?;
        let id = hex(&id);
        let created = now();
        let kept = Kept {
            account: wanted.account,
            name: wanted.name,
            ceiling: wanted.ceiling,
            scopes: wanted.scopes,
            created,
            expires: wanted.lifetime.map(|lifetime| created.saturating_add(lifetime)),
            hash: hash(&secret),
        };
        let mut batch = Batch::new();
        batch.put(TABLE, id.clone().into_bytes(), serde_json::to_vec(&kept).unwrap_or_default());
        self.store.submit(batch).wait().await?;
        let token = format!("{MARK}{id}_{}", BASE64.encode(secret));
        Ok((self.row(id, kept), token))
    }

    /// What a token is good for; none if it is no token, or no longer one.
    pub async fn check(&self, token: &str) -> Result<Option<Kept>, TokenError> {
        let Some((id, secret)) = token.strip_prefix(MARK).and_then(|rest| rest.split_once('_')) else {
            return Ok(None);
        };
        let Some(secret) = BASE64.decode(secret).ok().filter(|secret| secret.len() == 32) else { return Ok(None) };
        let Some(kept) = self.find(id).await? else { return Ok(None) };
        let is_it: bool = kept.hash.as_bytes().ct_eq(hash(&secret).as_bytes()).into();
        if !is_it || kept.expires.is_some_and(|expires| expires <= now()) {
            return Ok(None);
        }
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), now());
        Ok(Some(kept))
    }

    /// One of them, if it is there.
    pub async fn show(&self, id: &str) -> Result<Option<TokenRow>, TokenError> {
        Ok(self.find(id).await?.map(|kept| self.row(id.to_owned(), kept)))
    }

    /// All of them, in order of id; those of one account or of all.
    pub async fn list(&self, account: Option<&str>) -> Result<Vec<TokenRow>, TokenError> {
        let mut rows = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let mut scan = Scan::prefix(Vec::new()).limit(SCAN);
            if let Some(after) = after.take() {
                scan = scan.after(after);
            }
            let some = self.store.scan(TABLE, scan).await?;
            let ended = some.len() < SCAN;
            after = some.last().map(|(key, _)| key.clone());
            for (key, value) in some {
                let kept = serde_json::from_slice::<Kept>(&value).ok();
                let Some((id, kept)) = String::from_utf8(key).ok().zip(kept) else { continue };
                if account.is_none_or(|account| kept.account == account) {
                    rows.push(self.row(id, kept));
                }
            }
            if ended {
                return Ok(rows);
            }
        }
    }

    /// Ends one, if it is there and of this account, or whosever it is if none is named.
    pub async fn revoke(&self, id: &str, account: Option<&str>) -> Result<bool, TokenError> {
        let found = self.find(id).await?;
        if found.is_none_or(|kept| account.is_some_and(|account| kept.account != account)) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        batch.delete(TABLE, id.as_bytes().to_vec());
        self.store.submit(batch).wait().await?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(true)
    }

    async fn find(&self, id: &str) -> Result<Option<Kept>, TokenError> {
        let found = self.store.get(TABLE, id.as_bytes()).await?;
        Ok(found.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn row(&self, id: String, kept: Kept) -> TokenRow {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        let Kept { account, name, ceiling, scopes, created, expires, hash: _ } = kept;
        TokenRow { id, account, name, ceiling, scopes, created, expires, used }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the store does not take it: {0}")]
    Store(#[from] StoreError),
    #[error("the system gives no randomness")]
    Randomness,
}

fn hash(secret: &[u8]) -> String {
    hex(&Sha256::digest(secret))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_ops::Rank;

    use super::*;

    fn wanted(account: &str, lifetime: Option<u64>) -> Wanted {
        let scopes = Scopes::parse(vec!["user.*".into()]).unwrap();
        Wanted { account: account.into(), name: "x".into(), ceiling: Role::of(Rank::Operator), scopes, lifetime }
    }

    #[tokio::test]
    async fn a_token_is_good_until_it_ends_and_only_as_it_is() {
        let tokens = Tokens::new(Store::memory().unwrap());
        let (row, token) = tokens.create(wanted("a@b", None)).await.unwrap();
        let kept = tokens.check(&token).await.unwrap().unwrap();
        assert_eq!((kept.account.as_str(), kept.ceiling.rank), ("a@b", Rank::Operator));
        let secret = token.rsplit('_').next().unwrap();
        assert!(!serde_json::to_string(&kept).unwrap().contains(secret));
        let (other, second) = tokens.create(wanted("c@b", Some(0))).await.unwrap();
        assert!(tokens.check(&second).await.unwrap().is_none(), "it has expired");
        let mixed = token.replace(&row.id, &other.id);
        for wrong in [mixed.as_str(), "", "xylem_", "xylem__", &token[..token.len() - 1], &format!("{token}A")] {
            assert!(tokens.check(wrong).await.unwrap().is_none(), "{wrong}");
        }
        assert_eq!(tokens.list(None).await.unwrap().len(), 2);
        assert!(tokens.list(Some("a@b")).await.unwrap()[0].used.is_some());
        assert!(!tokens.revoke(&row.id, Some("c@b")).await.unwrap());
        assert!(tokens.revoke(&row.id, Some("a@b")).await.unwrap());
        assert!(tokens.check(&token).await.unwrap().is_none());
    }
}
