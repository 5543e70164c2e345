use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio::runtime::Handle;
use xylem_ops::backend::{Answer, Data};
use xylem_ops::data::{ExportRow, Exported, Imported};
use xylem_ops::{Files, Key, OpError, Page, Paging};
use xylem_store::StoreError;
use xylem_store::export::Counts;

use crate::instance::Instance;

/// `export` and `import`
pub struct DataBackend(pub Arc<Instance>);

impl Data for DataBackend {
    fn export(&self, path: PathBuf) -> Answer<'_, Exported> {
        Box::pin(async move {
            if path.exists() {
                return Err(OpError::Conflict(format!("{} exists already", path.display())));
            }
            let (store, file) = (self.0.store.clone(), path.clone());
            let counts = aside(move || async move { store.export(&file).await }).await?;
            Ok(Exported { path, rows: counts.puts, bytes: counts.bytes })
        })
    }

    fn import(&self, path: PathBuf) -> Answer<'_, Imported> {
        Box::pin(async move {
            if !path.is_file() {
                return Err(OpError::NotFound(format!("there is no file {}", path.display())));
            }
            let store = self.0.store.clone();
            let counts = aside(move || async move { store.import(&path).await }).await?;
            self.0.accounts.forget();
            self.0.devices.forget();
            Ok(Imported { rows: counts.puts })
        })
    }

    fn exports(&self, paging: Paging) -> Answer<'_, Page<ExportRow>> {
        Box::pin(async move {
            let folder = Files::within(&self.0.config.load().server.data).exports();
            let rows = tokio::task::spawn_blocking(move || rows(&folder)).await;
            let mut rows = rows.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            rows.retain(|row| paging.finds(&[&row.file]));
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("bytes") => (number(row.bytes), row.file.clone()),
                Some("written") => (number(row.written), row.file.clone()),
                _ => (Key::Text(row.file.clone()), String::new()),
            })
        })
    }

    fn export_of(&self, path: PathBuf) -> Answer<'_, ExportRow> {
        Box::pin(async move { row(&path).ok_or_else(|| none(&path)) })
    }

    fn delete_export(&self, path: PathBuf) -> Answer<'_, ExportRow> {
        Box::pin(async move {
            // On the command line any path may be named; what is deleted lies among the exports.
            let folder = Files::within(&self.0.config.load().server.data).exports();
            let row = row(&path).filter(|_| path.parent() == Some(&folder)).ok_or_else(|| none(&path))?;
            std::fs::remove_file(&path).map_err(|error| OpError::Failed(format!("{}: {error}", path.display())))?;
            Ok(row)
        })
    }
}

fn none(path: &Path) -> OpError {
    OpError::NotFound(format!("there is no export {}", path.file_name().unwrap_or_default().display()))
}

fn rows(folder: &Path) -> Vec<ExportRow> {
    // Nothing was exported yet where there is no folder.
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| row(&entry.path())).collect()
}

fn row(path: &Path) -> Option<ExportRow> {
    let about = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let written = about.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Some(ExportRow { file: path.file_name()?.to_str()?.to_owned(), bytes: about.len(), written })
}

/// Does it on a thread of its own: it reads and writes files all the time.
async fn aside<W: Future<Output = Result<Counts, StoreError>>>(
    work: impl FnOnce() -> W + Send + 'static,
) -> Result<Counts, OpError> {
    let handle = Handle::current();
    let done = tokio::task::spawn_blocking(move || handle.block_on(work())).await;
    let done = done.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
    done.map_err(|error| OpError::Failed(error.to_string()))
}
