use std::sync::Arc;

use crate::error::{Result, StoreError};

/// Longest key, in bytes, of a backend entry.
pub const MAX_KEY: usize = 3900;
/// Biggest value a caller may store, in bytes (1 MiB).
pub const MAX_VALUE: usize = 1 << 20;
/// Biggest value a backend takes: a caller's value and the envelope of its shape.
pub(crate) const MAX_STORED: usize = MAX_VALUE + (64 << 10);
/// Longest table name in bytes.
pub const MAX_TABLE_NAME: usize = 255;

/// One write: a put when there is a value, a delete when there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Table, conventionally `plugin-id/store`. Made on first use.
    pub table: Arc<str>,
    /// Key, at most [`MAX_KEY`] bytes.
    pub key: Vec<u8>,
    /// The new value; `None` deletes the entry.
    pub value: Option<Vec<u8>>,
}

/// Writes that happen together or not at all, over any number of tables. Of
/// several writes to one entry the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) ops: Vec<Op>,
}

impl Batch {
    /// An empty batch. Submitted to a store it is a barrier.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a put.
    pub fn put(&mut self, table: &str, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.push(Op { table: table.into(), key: key.into(), value: Some(value.into()) })
    }

    /// Adds a delete. Deleting what does not exist is no error.
    pub fn delete(&mut self, table: &str, key: impl Into<Vec<u8>>) -> &mut Self {
        self.push(Op { table: table.into(), key: key.into(), value: None })
    }

    /// Adds a prepared write.
    pub fn push(&mut self, op: Op) -> &mut Self {
        self.ops.push(op);
        self
    }

    /// The writes in order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ops.iter().map(|op| op.key.len() + op.value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// Whether the batch needs disk space.
    #[must_use]
    pub fn has_puts(&self) -> bool {
        self.ops.iter().any(|op| op.value.is_some())
    }

    pub(crate) fn check(&self, max_value: usize) -> Result<()> {
        self.ops.iter().try_for_each(|op| op.check(max_value))
    }
}

impl Op {
    pub(crate) fn check(&self, max_value: usize) -> Result<()> {
        check_table(&self.table)?;
        check_size("key", self.key.len(), MAX_KEY)?;
        check_size("value", self.value.as_ref().map_or(0, Vec::len), max_value)
    }
}

pub(crate) fn check_table(name: &str) -> Result<()> {
    check_size("table name", name.len(), MAX_TABLE_NAME)
}

pub(crate) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size > limit { Err(StoreError::TooBig { what, size, limit }) } else { Ok(()) }
}
