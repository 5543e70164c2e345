//! Whether accounts may log in.

use std::sync::Arc;

use xylem_ops::Rank;
use xylem_stanza::BareJid;
use xylem_store::Batch;

use super::{AccountError, Accounts, Record, TABLE, key, lock};

impl Accounts {
    /// Whether it may log in from now on; its tokens stay for when it may again. One owner at least may.
    pub async fn set_disabled(&self, account: &BareJid, disabled: bool) -> Result<Arc<Record>, AccountError> {
        let _ruling = self.0.ruling.lock().await;
        let _changing = self.changing(account).await;
        let old = self.find(account).await?.ok_or_else(|| AccountError::Missing(account.clone()))?;
        if old.disabled == disabled {
            return Ok(old);
        }
        if disabled && old.role.rank == Rank::Owner && !self.has_owner_beside(account).await? {
            return Err(AccountError::OnlyOwner(account.clone()));
        }
        let record = Record { disabled, ..(*old).clone() };
        let mut batch = Batch::new();
        let key = key(account).ok_or_else(|| AccountError::Address(account.to_string()))?;
        batch.put(TABLE, key, record.encode());
        self.0.store.submit(batch).wait().await?;
        let record = Arc::new(record);
        lock(&self.0.memory).changed(account, Some(Arc::clone(&record)));
        Ok(record)
    }

    /// Whether it is known, without asking the store, that it may not log in.
    pub fn is_surely_disabled(&self, account: &BareJid) -> bool {
        lock(&self.0.memory).get(account).flatten().is_some_and(|record| record.disabled)
    }

    /// Whether another account is an owner and may log in.
    pub(super) async fn has_owner_beside(&self, account: &BareJid) -> Result<bool, AccountError> {
        let mut found = false;
        self.visit(None, |jid, summary| {
            found |= jid != account.as_str() && !summary.disabled && summary.role.rank == Rank::Owner;
        })
        .await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_ops::Role;
    use xylem_store::Store;

    use super::*;

    #[tokio::test]
    async fn an_account_is_disabled_and_enabled_but_not_the_only_owner() {
        let accounts = Accounts::new(Store::memory().unwrap(), vec!["a.example".into()], 4096);
        let (one, two) = (accounts.address("one@a.example").unwrap(), accounts.address("two@a.example").unwrap());
        for account in [&one, &two] {
            accounts.create(account, "pencil".into()).await.unwrap();
        }
        assert!(accounts.set_disabled(&one, true).await.unwrap().disabled);
        assert!(accounts.is_surely_disabled(&one) && !accounts.is_surely_disabled(&two));
        accounts.forget();
        assert!(accounts.find(&one).await.unwrap().unwrap().secrets.verify_plain("pencil"), "nothing else changed");
        assert!(!accounts.set_disabled(&one, false).await.unwrap().disabled);
        accounts.set_role(&one, Role::of(Rank::Owner)).await.unwrap();
        assert!(matches!(accounts.set_disabled(&one, true).await, Err(AccountError::OnlyOwner(_))));
        accounts.set_role(&two, Role::of(Rank::Owner)).await.unwrap();
        accounts.set_disabled(&one, true).await.unwrap();
        assert!(matches!(accounts.set_disabled(&two, true).await, Err(AccountError::OnlyOwner(_))));
        // A disabled owner is none that could help.
        assert!(matches!(accounts.set_role(&two, Role::of(Rank::User)).await, Err(AccountError::OnlyOwner(_))));
        assert!(matches!(accounts.delete(&two, |_| ()).await, Err(AccountError::OnlyOwner(_))));
        assert_eq!(accounts.count("a.example").await.unwrap(), 2);
        assert_eq!(accounts.count("b.example").await.unwrap(), 0);
    }
}
