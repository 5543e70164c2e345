use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::user::export::{Dossier, Dossiers, ExportUser, Kept};
use xylem_store::{ArchiveId, ArchiveQuery, Scan, StoreError};

use crate::accounts::{self, AccountError};
use crate::instance::Instance;

/// Rows read at once.
const AT_ONCE: usize = 256;
/// The server's own tables: what of them is the account's stands at the head.
const KERNEL: &str = "kernel/";

/// `user.export`
pub struct DossierBackend(pub Arc<Instance>);

/// Where a part ended.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

/// A part being filled.
#[derive(Default)]
struct Part {
    rows: Vec<Kept>,
    bytes: usize,
    full: Option<Place>,
}

impl Part {
    /// Takes a row; false if it was the last there is room for.
    fn take(&mut self, row: Kept, bytes: usize, place: impl FnOnce() -> Place) -> bool {
        self.rows.push(row);
        self.bytes += bytes + 64;
        if self.bytes >= ExportUser::BYTES {
            self.full = Some(place());
        }
        self.full.is_none()
    }
}

impl DossierBackend {
    async fn rows(&self, account: &str, table: &str, key: Option<Vec<u8>>, part: &mut Part) -> Result<(), StoreError> {
        let partition = self.0.store.kv(table).partition(account).await?;
        let mut scan = Scan::all().limit(AT_ONCE);
        scan = key.map_or(scan.clone(), |key| scan.after(key));
        loop {
            // Rows that are not in memory are read from the disk.
            let (found, wanted) = (Arc::clone(&partition), scan.clone());
            let rows = tokio::task::spawn_blocking(move || found.scan(&wanted)).await;
            let rows = rows.unwrap_or(Err(StoreError::Closed))?;
            let Some(last) = rows.last().map(|row| row.0.to_vec()) else { return Ok(()) };
            for (key, value) in rows.iter().map(|row| (&row.0, &row.1)) {
                let kept = Kept { table: table.to_owned(), key: text(key), value: told(value), at: None, peer: None };
                let place = || Place { table: table.to_owned(), key: Some(BASE64.encode(key)), id: None };
                if !part.take(kept, key.len() + value.len(), place) {
                    return Ok(());
                }
            }
            scan = scan.after(last);
        }
    }

    async fn archived(&self, account: &str, table: &str, id: Option<u64>, part: &mut Part) -> Result<(), StoreError> {
        let mut after = id.map(ArchiveId::from_u64);
        loop {
            let query = ArchiveQuery { after, limit: AT_ONCE, bytes: 1 << 20, ..ArchiveQuery::default() };
            let page = self.0.store.archive(table).page(account, query).await?;
            for row in &page.rows {
                let kept = Kept {
                    table: table.to_owned(),
                    key: row.id.to_string(),
                    value: told(&row.payload),
                    at: Some(row.at_ms),
                    peer: Some(row.peer.to_string()),
                };
                let place = || Place { table: table.to_owned(), key: None, id: Some(row.id.to_u64()) };
                if !part.take(kept, row.payload.len() + row.peer.len(), place) {
                    return Ok(());
                }
            }
            match page.rows.last() {
                Some(last) if !page.complete => after = Some(last.id),
                _ => return Ok(()),
            }
        }
    }
}

impl Dossiers for DossierBackend {
    fn export(&self, account: String, after: Option<String>) -> Answer<'_, Dossier> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.find(&jid).await?.ok_or_else(|| AccountError::Missing(jid.clone()))?;
            let mut place = after.map(|after| open(&after)).transpose()?.unwrap_or_default();
            let mut part = Part::default();
            let tables = self.0.store.tables("").await.map_err(AccountError::Store)?;
            let left = tables.into_iter().filter(|table| !table.starts_with(KERNEL) && *table >= place.table);
            for table in left.collect::<Vec<_>>() {
                let here = if table == place.table { std::mem::take(&mut place) } else { Place::default() };
                if here.id.is_none() {
                    let key = here.key.and_then(|key| BASE64.decode(key).ok());
                    self.rows(jid.as_str(), &table, key, &mut part).await.map_err(AccountError::Store)?;
                }
                if part.full.is_none() {
                    self.archived(jid.as_str(), &table, here.id, &mut part).await.map_err(AccountError::Store)?;
                }
                if part.full.is_some() {
                    break;
                }
            }
            Ok(Dossier {
                account: jid.to_string(),
                created: record.created,
                disabled: record.disabled,
                exported: accounts::now(),
                next: part.full.as_ref().map(|place| BASE64.encode(serde_json::to_vec(place).unwrap_or_default())),
                rows: part.rows,
            })
        })
    }
}

fn open(after: &str) -> Result<Place, OpError> {
    let bytes = BASE64.decode(after).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| OpError::Invalid("after must be what a part gave as next".into()))
}

/// JSON, else text, else base64.
fn told(value: &[u8]) -> Value {
    serde_json::from_slice(value).unwrap_or_else(|_| text(value).into())
}

fn text(bytes: &[u8]) -> String {
    let readable = |text: &&str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    match std::str::from_utf8(bytes).ok().filter(readable) {
        Some(text) => text.to_owned(),
        None => format!("base64:{}", BASE64.encode(bytes)),
    }
}
