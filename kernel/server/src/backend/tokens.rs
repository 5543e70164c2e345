use std::sync::Arc;

use xylem_ops::backend::{Answer, Tokens};
use xylem_ops::token::{TokenGone, TokenMade, TokenRow, Wanted};
use xylem_ops::{Caller, Face, Key, Narrowed, OpError, Page, Paging};

use crate::accounts::{self, AccountError};
use crate::instance::Instance;
use crate::tokens::{self, TokenError};

/// Tokens that one account has at most.
const MOST: usize = 100;

/// `token.*`
pub struct TokenBackend {
    instance: Arc<Instance>,
    tokens: tokens::Tokens,
}

impl TokenBackend {
    pub fn new(instance: Arc<Instance>) -> Self {
        let tokens = tokens::Tokens::new(instance.store.clone());
        Self { instance, tokens }
    }
}

impl Tokens for TokenBackend {
    fn create(&self, wanted: Wanted) -> Answer<'_, TokenMade> {
        Box::pin(async move {
            let jid = self.instance.accounts.address(&wanted.account)?;
            self.instance.accounts.find(&jid).await?.ok_or(AccountError::Missing(jid))?;
            let (mut left, now) = (0, accounts::now());
            for row in self.tokens.list(Some(&wanted.account)).await? {
                if row.expires.is_some_and(|expires| expires <= now) {
                    self.tokens.revoke(&row.id, None).await?;
                } else {
                    left += 1;
                }
            }
            if left >= MOST {
                return Err(OpError::Conflict(format!("{} has {MOST} tokens already", wanted.account)));
            }
            let (row, token) = self.tokens.create(wanted).await?;
            Ok(TokenMade { row, token })
        })
    }

    fn list(&self, account: Option<String>, paging: Paging) -> Answer<'_, Page<TokenRow>> {
        Box::pin(async move {
            let mut rows = self.tokens.list(account.as_deref()).await?;
            rows.retain(|row| paging.finds(&[&row.id, &row.name, &row.account]));
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| {
                let key = match paging.sort.as_deref() {
                    Some("expires") => number(row.expires.unwrap_or(u64::MAX)),
                    Some("name") => Key::Text(row.name.clone()),
                    Some("account") => Key::Text(row.account.clone()),
                    _ => number(row.created),
                };
                (key, row.id.clone())
            })
        })
    }

    fn show(&self, id: String) -> Answer<'_, TokenRow> {
        Box::pin(async move {
            let row = self.tokens.show(&id).await?;
            row.ok_or_else(|| OpError::NotFound(format!("there is no token {id}")))
        })
    }

    fn revoke(&self, id: String, account: Option<String>) -> Answer<'_, TokenGone> {
        Box::pin(async move {
            if self.tokens.revoke(&id, account.as_deref()).await? {
                return Ok(TokenGone { id });
            }
            Err(OpError::NotFound(format!("there is no token {id}")))
        })
    }

    fn bearer(&self, token: String, from: String) -> Answer<'_, Option<Caller>> {
        Box::pin(async move {
            let Some(kept) = self.tokens.check(&token).await? else { return Ok(None) };
            // Its domain may be served no more.
            let Ok(jid) = self.instance.accounts.address(&kept.account) else { return Ok(None) };
            let Some(record) = self.instance.accounts.find(&jid).await? else { return Ok(None) };
            // An account of the same name that was made later is another.
            if record.disabled || record.created > kept.created {
                return Ok(None);
            }
            let mut caller = Caller::account(&kept.account, record.role.clone(), Face::Rest, from);
            caller.who = format!("{} (token {:?})", kept.account, kept.name);
            caller.narrowed = Some(Narrowed { ceiling: kept.ceiling, scopes: kept.scopes });
            Ok(Some(caller))
        })
    }
}

impl From<TokenError> for OpError {
    fn from(error: TokenError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
