use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::user::import::{Bulk, ImportReport, ImportUsers, NewPassword, RowError};

use super::standing::password;
use super::table::{Row, read};
use crate::accounts::AccountError;
use crate::instance::Instance;

/// Keys derived at once: they take cores that others want as well. What waits for the disk does not count.
const AT_ONCE: usize = 2;

/// `user.import`
pub struct BulkBackend(pub Arc<Instance>);

/// What became of one row.
enum Outcome {
    Created(Option<NewPassword>),
    Existing,
    Wrong(String),
}

impl Bulk for BulkBackend {
    fn import(&self, file: PathBuf, domain: Option<String>, dry_run: bool) -> Answer<'_, ImportReport> {
        Box::pin(async move {
            let text = tokio::task::spawn_blocking(move || text(&file)).await;
            let text = text.map_err(|_| OpError::Unavailable("the server is stopping".into()))??;
            let (rows, errors) = read(&text, ImportUsers::ROWS).map_err(OpError::Invalid)?;
            let count = rows.len() + errors.len();
            let mut report = ImportReport { dry_run, rows: count as u64, errors, ..ImportReport::default() };
            let places = Arc::new(Semaphore::new(AT_ONCE));
            let mut making = Vec::new();
            for row in rows {
                let (instance, places, domain) = (Arc::clone(&self.0), Arc::clone(&places), domain.clone());
                making.push(tokio::spawn(async move {
                    let line = row.line;
                    (line, one(&instance, row, domain.as_deref(), Mode { dry_run, places }).await)
                }));
            }
            for made in making {
                let (line, outcome) = made.await.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
                match outcome {
                    Outcome::Created(password) => {
                        report.created += 1;
                        report.passwords.extend(password);
                    }
                    Outcome::Existing => report.existing += 1,
                    Outcome::Wrong(problem) => report.errors.push(RowError { line, problem }),
                }
            }
            report.errors.sort_by_key(|error| error.line);
            report.errors.truncate(ImportUsers::ERRORS);
            Ok(report)
        })
    }
}

/// How rows are taken.
struct Mode {
    dry_run: bool,
    /// For the derivation of keys.
    places: Arc<Semaphore>,
}

async fn one(instance: &Instance, row: Row, domain: Option<&str>, mode: Mode) -> Outcome {
    match make(instance, row, domain, mode).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Wrong(error.to_string()),
    }
}

async fn make(instance: &Instance, row: Row, domain: Option<&str>, mode: Mode) -> Result<Outcome, OpError> {
    let address = match (row.account.contains('@'), domain) {
        (true, _) => row.account,
        (false, Some(domain)) => format!("{}@{domain}", row.account),
        (false, None) => return Ok(Outcome::Wrong(format!("{}: the domain is missing", row.account))),
    };
    let jid = instance.accounts.address(&address)?;
    if domain.is_some_and(|domain| domain != jid.domain()) {
        return Ok(Outcome::Wrong(format!("{jid} is of another domain")));
    }
    if instance.accounts.find(&jid).await?.is_some() {
        return Ok(Outcome::Existing);
    }
    let made = row.password.is_none();
    let password = row.password.map_or_else(password, Ok)?;
    if mode.dry_run {
        return Ok(match xylem_sasl::Secrets::derive(&password, 1, |salt| salt.fill(0)) {
            Ok(_) => Outcome::Created(None),
            Err(error) => Outcome::Wrong(format!("{jid}: {error}")),
        });
    }
    let place = mode.places.acquire_owned().await;
    let secrets = instance.accounts.derive(password.clone()).await?;
    drop(place);
    match instance.accounts.create_with(&jid, secrets, row.disabled).await {
        Ok(_) => {}
        Err(AccountError::Exists(_)) => return Ok(Outcome::Existing),
        Err(error) => return Err(error.into()),
    }
    instance.router.account_created(&jid);
    Ok(Outcome::Created(made.then(|| NewPassword { account: jid.to_string(), password })))
}

fn text(file: &Path) -> Result<String, OpError> {
    let unread = |error| OpError::Invalid(format!("{}: {error}", file.display()));
    let bytes = std::fs::metadata(file).map_err(unread)?.len();
    if bytes > ImportUsers::BYTES as u64 {
        return Err(OpError::Invalid(format!("the table is longer than {} KiB", ImportUsers::BYTES >> 10)));
    }
    std::fs::read_to_string(file).map_err(unread)
}
