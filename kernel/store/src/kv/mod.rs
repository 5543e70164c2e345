//! Rows by table, partition and key, with secondary indexes per partition.

mod lower;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use lower::{lower_delete, lower_delete_partition, lower_put};

use crate::error::Result;
use crate::keys::Family;
use crate::partition::Partition;
use crate::store::Store;
use crate::store::erase::partitions;
use crate::tables::TableId;
use crate::ticket::Ticket;

/// A kv table.
#[derive(Clone, Debug)]
pub struct Kv {
    pub(crate) store: Store,
    pub(crate) table: TableId,
}

impl Kv {
    /// The table, for the ops of a [`crate::Turn`].
    #[must_use]
    pub fn table(&self) -> TableId {
        self.table
    }

    /// The store it belongs to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The partition if it is in memory: one hash and one short lock, no
    /// allocation. `None` says nothing about whether it has rows.
    #[must_use]
    pub fn cached(&self, partition: &str) -> Option<Arc<Partition>> {
        self.store.cached(self.table, partition)
    }

    /// A number that rises with every write to the table. What was found in [`Kv::cached`] after it was
    /// read holds as long as it stays the same.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.store.shared().cache.versions.of(self.table)
    }

    /// The partition, read from the backend where necessary. A partition
    /// without rows is an empty one. Sees everything submitted before.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn partition(&self, partition: &str) -> Result<Arc<Partition>> {
        self.store.partition(self.table, partition).await
    }

    /// Writes one row in a turn of its own.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`]; whatever happens later is told by the ticket.
    pub fn put(
        &self,
        partition: &str,
        key: &[u8],
        value: impl Into<Bytes>,
        indexed: &[(&str, &[u8])],
    ) -> Result<Ticket> {
        let mut turn = self.store.turn();
        turn.put(self.table, partition, key, value, indexed)?;
        Ok(self.store.submit_turn(turn))
    }

    /// Deletes one row in a turn of its own.
    pub fn delete(&self, partition: &str, key: &[u8]) -> Ticket {
        let mut turn = self.store.turn();
        turn.delete(self.table, partition, key);
        self.store.submit_turn(turn)
    }

    /// Deletes all rows of a partition in a turn of its own.
    pub fn delete_partition(&self, partition: &str) -> Ticket {
        let mut turn = self.store.turn();
        turn.delete_partition(self.table, partition);
        self.store.submit_turn(turn)
    }

    /// Names of the partitions that have committed rows, sorted, above `after`.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn partitions(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        let table = self.store.table_name(self.table);
        let after = after.map(str::to_owned);
        self.store.read(move |backend| partitions(backend, &table, Family::Row, after.as_deref(), limit)).await
    }
}
