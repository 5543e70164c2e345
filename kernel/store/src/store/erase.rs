//! Removing a whole table.

use std::ops::Bound;

use crate::archive::Purge;
use crate::backend::{Backend, Scan, prefix_end};
use crate::error::Result;
use crate::keys::{Family, Key, Parts};
use crate::store::Store;

/// Partitions removed in one commit.
const AT_ONCE: usize = 256;

impl Store {
    /// Removes all rows of a table of either shape, and returns how many partitions had
    /// some. Done in several commits: after a crash call it again. What is written
    /// meanwhile may stay.
    ///
    /// # Errors
    /// Those of the backend and of a commit.
    pub async fn erase(&self, table: &str) -> Result<u64> {
        self.barrier().await?;
        // A job finds all rows in their place.
        self.run_job(|_, _| {}).await;
        let mut erased = 0;
        for family in [Family::Row, Family::Count] {
            let mut last: Option<String> = None;
            loop {
                let (name, after) = (table.to_owned(), last.clone());
                let names =
                    self.read(move |backend| partitions(backend, &name, family, after.as_deref(), AT_ONCE)).await?;
                let Some(newest) = names.last() else { break };
                last = Some(newest.clone());
                let id = self.table(table);
                let mut turn = self.turn();
                for partition in &names {
                    match family {
                        Family::Row => turn.delete_partition(id, partition),
                        _ => turn.purge(id, partition, Purge::All),
                    }
                    erased += 1;
                }
                self.submit_turn(turn).wait().await?;
            }
        }
        Ok(erased)
    }

    /// Names of the tables that begin so and have committed rows, sorted.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn tables(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = prefix.to_owned();
        self.run_job(|_, _| {}).await;
        self.read(move |backend| {
            let mut filled = Vec::new();
            for name in backend.tables()?.into_iter().filter(|name| name.starts_with(&prefix)) {
                if !backend.scan(&name, &Scan::all().limit(1))?.is_empty() {
                    filled.push(name);
                }
            }
            Ok(filled)
        })
        .await
    }
}

/// Names of the partitions with committed rows, sorted, above `after`. Jumps from
/// partition to partition: one seek each.
pub(crate) fn partitions(
    backend: &dyn Backend,
    table: &str,
    family: Family,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < limit {
        let mut scan = Scan::prefix([family as u8]).limit(1);
        if let Some(last) = names.last().map(String::as_str).or(after) {
            scan.lower = Bound::Included(prefix_end(&Key::new(family, last).prefix()).unwrap_or_default());
        }
        let found = backend.scan(table, &scan)?;
        let name = found.first().and_then(|(key, _)| Parts::of(key).part());
        let Some(name) = name.and_then(|name| String::from_utf8(name).ok()) else { break };
        names.push(name);
    }
    Ok(names)
}
