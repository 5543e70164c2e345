//! Looking through all accounts.

use serde::Deserialize;
use xylem_ops::Role;
use xylem_store::{Scan, StoreError};

use super::{Accounts, TABLE};

/// Rows read at once.
const AT_ONCE: usize = 4096;

/// Of an account what lists show. Its keys are passed over: they are most of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Summary {
    /// Seconds since 1970 UTC.
    pub created: u64,
    #[serde(default)]
    pub disabled: bool,
    #[serde(default)]
    pub role: Role,
}

impl Accounts {
    /// Shows all accounts of a domain, or of all domains in order of these, by address and summary.
    pub async fn visit(&self, domain: Option<&str>, mut each: impl FnMut(String, Summary)) -> Result<(), StoreError> {
        let mut scan = Scan::prefix(prefix(domain)).limit(AT_ONCE);
        loop {
            let rows = self.0.store.scan(TABLE, scan.clone()).await?;
            for (key, value) in &rows {
                let address = std::str::from_utf8(key).ok().and_then(|key| key.split_once('\0'));
                if let (Some((domain, local)), Ok(summary)) = (address, serde_json::from_slice(value)) {
                    each(format!("{local}@{domain}"), summary);
                }
            }
            match rows.last().filter(|_| rows.len() == AT_ONCE) {
                Some((last, _)) => scan = scan.after(last.clone()),
                None => return Ok(()),
            }
            tokio::task::yield_now().await;
        }
    }

    /// How many accounts a domain has.
    pub async fn count(&self, domain: &str) -> Result<u64, StoreError> {
        let mut count = 0;
        self.visit(Some(domain), |_, _| count += 1).await?;
        Ok(count)
    }
}

fn prefix(domain: Option<&str>) -> Vec<u8> {
    domain.map(|domain| [domain.as_bytes(), b"\0"].concat()).unwrap_or_default()
}
