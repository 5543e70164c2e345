use std::path::PathBuf;
use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::{Answer, Data};
use xylem_ops::data::{Exported, Imported};

use crate::instance::Instance;

/// `export` and `import`
pub struct DataBackend(pub Arc<Instance>);

impl Data for DataBackend {
    fn export(&self, path: PathBuf) -> Answer<'_, Exported> {
        Box::pin(async move {
            if path.exists() {
                return Err(OpError::Conflict(format!("{} exists already", path.display())));
            }
            let counts = self.0.store.export(&path).await.map_err(|e| OpError::Failed(e.to_string()))?;
            Ok(Exported { path, rows: counts.puts, bytes: counts.bytes })
        })
    }

    fn import(&self, path: PathBuf) -> Answer<'_, Imported> {
        Box::pin(async move {
            if !path.is_file() {
                return Err(OpError::NotFound(format!("there is no file {}", path.display())));
            }
            let counts = self.0.store.import(&path).await.map_err(|e| OpError::Failed(e.to_string()))?;
            self.0.accounts.forget();
            Ok(Imported { rows: counts.puts })
        })
    }
}
