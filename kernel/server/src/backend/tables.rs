use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use xylem_ops::backend::Answer;
use xylem_ops::store::{ScrubResult, TableRow, Tables};
use xylem_ops::{Key, OpError, Page, Paging};
use xylem_store::{Backend, Scan, StoreError};

use crate::instance::Instance;

/// Longest that tables are counted; then what was seen is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// Entries read at once.
const AT_ONCE: usize = 1024;

/// `store.*`
pub struct TableBackend {
    instance: Arc<Instance>,
    scrubbing: AtomicBool,
}

impl TableBackend {
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, scrubbing: AtomicBool::new(false) }
    }
}

impl Tables for TableBackend {
    fn list(&self, paging: Paging) -> Answer<'_, Page<TableRow>> {
        Box::pin(async move {
            let backend = Arc::clone(self.instance.store.backend());
            let counted = tokio::task::spawn_blocking(move || count(&*backend)).await;
            let counted = counted.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            let mut rows = counted.map_err(unread)?;
            rows.retain(|row| paging.finds(&[&row.table]));
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("bytes") => (number(row.bytes), row.table.clone()),
                Some("entries") => (number(row.entries), row.table.clone()),
                _ => (Key::Text(row.table.clone()), String::new()),
            })
        })
    }

    fn scrub(&self) -> Answer<'_, ScrubResult> {
        Box::pin(async move {
            if self.scrubbing.swap(true, Ordering::AcqRel) {
                return Err(OpError::Conflict("the store is being verified already".into()));
            }
            // Given back even if nobody waits for the answer any more.
            let _ends = Ends(&self.scrubbing);
            let begun = Instant::now();
            let report = self.instance.store.scrub().await.map_err(unread)?;
            if !report.is_clean() {
                tracing::error!(damaged = report.damaged.len(), "the store is damaged: {}", report.damaged.join("; "));
            }
            Ok(ScrubResult {
                clean: report.is_clean(),
                entries: report.entries,
                bytes: report.bytes,
                orphans: report.orphans,
                damaged: report.damaged,
                milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            })
        })
    }
}

struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn count(backend: &dyn Backend) -> Result<Vec<TableRow>, StoreError> {
    let begun = Instant::now();
    let mut rows = Vec::new();
    for table in backend.tables()? {
        let owner = table.split('/').next().unwrap_or_default().to_owned();
        let mut row = TableRow { owner, entries: 0, bytes: 0, partial: false, table };
        let mut scan = Scan::all().limit(AT_ONCE);
        loop {
            let page = backend.scan(&row.table, &scan)?;
            row.entries += page.len() as u64;
            row.bytes += page.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
            let Some((last, _)) = page.last().filter(|_| page.len() == AT_ONCE) else { break };
            if begun.elapsed() > PATIENCE {
                row.partial = true;
                break;
            }
            scan = scan.after(last.clone());
        }
        rows.push(row);
    }
    Ok(rows)
}

fn unread(error: StoreError) -> OpError {
    OpError::Failed(format!("the store cannot be read: {error}"))
}
