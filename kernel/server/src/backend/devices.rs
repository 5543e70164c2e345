use std::sync::Arc;

use xylem_ops::backend::{Answer, Devices};
use xylem_ops::device::{DeviceRow, Revoked};
use xylem_ops::{Key, OpError, Page, Paging};
use xylem_session::Session;
use xylem_stanza::{BareJid, StreamCondition};

use crate::accounts::{AccountError, Record};
use crate::instance::Instance;

/// `device.*`
pub struct DeviceBackend(pub Arc<Instance>);

impl DeviceBackend {
    async fn account(&self, account: &str) -> Result<(BareJid, Arc<Record>), OpError> {
        let jid = self.0.accounts.address(account)?;
        let record = self.0.accounts.find(&jid).await?;
        let record = record.ok_or_else(|| AccountError::Missing(jid.clone()))?;
        Ok((jid, record))
    }

    fn sessions(&self, account: &BareJid, id: &str) -> Vec<Arc<Session>> {
        let its = |session: &Arc<Session>| session.jid().resource().rsplit('/').next() == Some(id);
        self.0.sessions.of(account.as_str()).into_iter().filter(its).collect()
    }
}

impl Devices for DeviceBackend {
    fn list(&self, account: String, paging: Paging) -> Answer<'_, Page<DeviceRow>> {
        Box::pin(async move {
            let (jid, record) = self.account(&account).await?;
            let known = self.0.devices.list(&jid, &record).await.map_err(AccountError::Store)?;
            let row = |known: crate::devices::Known| DeviceRow {
                sessions: self.sessions(&jid, &known.name).iter().map(|s| s.jid().resource().to_owned()).collect(),
                id: known.name,
                software: known.software,
                device: known.device,
                since: known.since,
                seen: known.seen,
                expires: known.expires,
                mechanism: known.mechanism,
            };
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let rows = known.into_iter().map(row);
            let rows = rows.filter(|row| paging.finds(&[&row.id, &text(&row.software), &text(&row.device)])).collect();
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("software") => (Key::Text(text(&row.software)), row.id.clone()),
                Some("since") => (number(row.since), row.id.clone()),
                _ => (number(row.seen), row.id.clone()),
            })
        })
    }

    fn revoke(&self, account: String, id: String) -> Answer<'_, Revoked> {
        Box::pin(async move {
            let (jid, record) = self.account(&account).await?;
            if !self.0.devices.revoke(&jid, &record, &id).await.map_err(AccountError::Store)? {
                return Err(OpError::NotFound(format!("{jid} has no device {id}")));
            }
            let sessions = self.sessions(&jid, &id);
            for session in &sessions {
                session.queue().end(StreamCondition::NotAuthorized, Some("the device was revoked"));
            }
            Ok(Revoked { account: jid.to_string(), id, sessions: sessions.len() })
        })
    }
}
