//! How kv writes become entries. Runs on the committer thread, which alone
//! writes: that it reads the old row here, and not when the write was
//! submitted, is why index entries never go astray.

use std::sync::Arc;

use bytes::Bytes;

use crate::backend::Scan;
use crate::error::Result;
use crate::keys::{Family, Key};
use crate::row::Row;
use crate::staging::Staging;

/// `indexed`: whether the table ever had index values; where not, the old row need not be read.
pub(crate) fn lower_put(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    key: &Bytes,
    row: &Row,
    indexed: bool,
) -> Result<()> {
    let at = Key::new(Family::Row, partition).last(key);
    if indexed {
        drop_index_entries(staging, table, partition, key, &at)?;
    }
    for (index, value) in &row.indexed {
        staging.put(table, index_key(partition, index, value, key), Vec::new());
    }
    staging.put(table, at, row.encode());
    Ok(())
}

pub(crate) fn lower_delete(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    key: &Bytes,
    indexed: bool,
) -> Result<()> {
    let at = Key::new(Family::Row, partition).last(key);
    if indexed {
        drop_index_entries(staging, table, partition, key, &at)?;
    }
    staging.delete(table, at);
    Ok(())
}

pub(crate) fn lower_delete_partition(staging: &mut Staging<'_>, table: &Arc<str>, partition: &str) -> Result<()> {
    for family in [Family::Row, Family::Index] {
        for (key, _) in staging.scan(table, &Scan::prefix(Key::new(family, partition).prefix()))? {
            staging.delete(table, key);
        }
    }
    Ok(())
}

fn drop_index_entries(
    staging: &mut Staging<'_>,
    table: &Arc<str>,
    partition: &str,
    key: &Bytes,
    at: &[u8],
) -> Result<()> {
    let Some(stored) = staging.get(table, at)? else { return Ok(()) };
    for (index, value) in &Row::decode(table, stored)?.indexed {
        staging.delete(table, index_key(partition, index, value, key));
    }
    Ok(())
}

fn index_key(partition: &str, index: &str, value: &[u8], key: &[u8]) -> Vec<u8> {
    Key::new(Family::Index, partition).part(index.as_bytes()).part(value).last(key)
}
