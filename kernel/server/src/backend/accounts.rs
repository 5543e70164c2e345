use std::sync::Arc;

use xylem_ops::backend::{Accounts, Answer};
use xylem_ops::user::{Account, Which};
use xylem_ops::{Key, OpError, Page, Paging, Role};
use xylem_stanza::BareJid;

use crate::accounts::{AccountError, Record, Summary};
use crate::instance::Instance;

/// `user.*`
pub struct AccountBackend(pub Arc<Instance>);

impl AccountBackend {
    fn row(&self, account: String, summary: Summary) -> Account {
        let sessions = self.0.sessions.of(&account);
        Account {
            created: summary.created,
            disabled: summary.disabled,
            sessions: sessions.iter().map(|s| s.jid().resource().to_owned()).collect(),
            role: summary.role,
            account,
        }
    }

    pub(super) fn show_record(&self, jid: &BareJid, record: &Record) -> Account {
        let sessions = self.0.sessions.of(jid.as_str());
        Account {
            account: jid.to_string(),
            created: record.created,
            disabled: record.disabled,
            sessions: sessions.iter().map(|s| s.jid().resource().to_owned()).collect(),
            role: record.role.clone(),
        }
    }
}

impl Accounts for AccountBackend {
    fn add(&self, account: String, password: String) -> Answer<'_, Account> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.create(&jid, password).await?;
            self.0.router.account_created(&jid);
            Ok(self.show_record(&jid, &record))
        })
    }

    fn delete(&self, account: String) -> Answer<'_, ()> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            // Before its contacts are told.
            self.0.accounts.may_go(&jid).await?;
            self.0.router.account_leaving(&jid).await;
            self.0.accounts.delete(&jid, |turn| self.0.plugins.forget(turn, jid.as_str())).await?;
            self.0.router.account_deleted(&jid);
            Ok(())
        })
    }

    fn set_password(&self, account: String, password: String) -> Answer<'_, ()> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            self.0.accounts.set_password(&jid, password).await?;
            self.0.router.password_changed(&jid);
            Ok(())
        })
    }

    fn list(&self, which: Which, paging: Paging) -> Answer<'_, Page<Account>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let by_sessions = paging.sort.as_deref() == Some("sessions");
            let visit = self.0.accounts.visit(which.domain.as_deref(), |account, summary| {
                if which.finds(summary.disabled, &summary.role) && paging.finds(&[&account]) {
                    let sessions = if by_sessions { self.0.sessions.of(&account).len() } else { 0 };
                    found.push((account, summary, sessions));
                }
            });
            visit.await.map_err(AccountError::Store)?;
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            let page = paging.page(found, |(account, summary, sessions)| match paging.sort.as_deref() {
                Some("created") => (number(summary.created), account.clone()),
                Some("sessions") => (number(*sessions as u64), account.clone()),
                _ => (Key::Text(account.clone()), String::new()),
            })?;
            let items = page.items.into_iter().map(|(account, summary, _)| self.row(account, summary)).collect();
            Ok(Page { items, next: page.next, total: page.total })
        })
    }

    fn show(&self, account: String) -> Answer<'_, Account> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.find(&jid).await?;
            let record = record.ok_or_else(|| AccountError::Missing(jid.clone()))?;
            Ok(self.show_record(&jid, &record))
        })
    }

    fn role(&self, account: String) -> Answer<'_, Role> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.find(&jid).await?;
            Ok(record.ok_or(AccountError::Missing(jid))?.role.clone())
        })
    }

    fn set_role(&self, account: String, role: Role) -> Answer<'_, Account> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.set_role(&jid, role).await?;
            Ok(self.show_record(&jid, &record))
        })
    }
}

impl From<AccountError> for OpError {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        match error {
            AccountError::Address(_) | AccountError::Domain(_) | AccountError::Password(_) => Self::Invalid(text),
            AccountError::Exists(_) | AccountError::OnlyOwner(_) => Self::Conflict(text),
            AccountError::Missing(_) => Self::NotFound(text),
            AccountError::Store(_) | AccountError::Stopping => Self::Unavailable(text),
        }
    }
}
