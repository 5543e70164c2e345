use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use xylem_ops::OpError;
use xylem_ops::backend::{Answer, Data};
use xylem_ops::data::{Exported, Imported};
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
