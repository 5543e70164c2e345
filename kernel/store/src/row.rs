use bytes::Bytes;

use crate::batch::{MAX_VALUE, check_size};
use crate::error::{Result, StoreError};

/// Most index values of one row.
pub const MAX_INDEXED: usize = 16;
/// Longest index name in bytes.
pub const MAX_INDEX_NAME: usize = 64;
/// Longest index value in bytes.
pub const MAX_INDEX_VALUE: usize = 1024;

const FORMAT: u8 = 1;

/// A kv row: the value, and under which index values it is found. The row
/// carries its own index list so that whoever replaces it knows which index
/// entries have to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) value: Bytes,
    pub(crate) indexed: Box<[(Box<str>, Bytes)]>,
}

impl Row {
    pub(crate) fn new(value: Bytes, indexed: &[(&str, &[u8])]) -> Result<Self> {
        check_size("value", value.len(), MAX_VALUE)?;
        check_size("list of index values", indexed.len(), MAX_INDEXED)?;
        for (name, value) in indexed {
            check_size("index name", name.len(), MAX_INDEX_NAME)?;
            check_size("index value", value.len(), MAX_INDEX_VALUE)?;
        }
        let indexed = indexed.iter().map(|(name, value)| (Box::from(*name), Bytes::copy_from_slice(value)));
        Ok(Self { value, indexed: indexed.collect() })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.value.len() + 8);
        out.extend_from_slice(&[FORMAT, u8::try_from(self.indexed.len()).unwrap_or(u8::MAX)]);
        for (name, value) in &self.indexed {
            out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend_from_slice(value);
        }
        out.extend_from_slice(&self.value);
        out
    }

    pub(crate) fn decode(table: &str, stored: Vec<u8>) -> Result<Self> {
        Self::parse(&Bytes::from(stored)).ok_or_else(|| StoreError::damaged(table, "unreadable row"))
    }

    fn parse(stored: &Bytes) -> Option<Self> {
        let (format, mut rest) = stored.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let count = *take(&mut rest, 1)?.first()?;
        let mut indexed = Vec::with_capacity(usize::from(count).min(MAX_INDEXED));
        for _ in 0..count {
            let length = usize::from(*take(&mut rest, 1)?.first()?);
            let name = std::str::from_utf8(take(&mut rest, length)?).ok()?;
            let length = u16::from_le_bytes(take(&mut rest, 2)?.try_into().ok()?);
            let value = stored.slice_ref(take(&mut rest, usize::from(length))?);
            indexed.push((Box::from(name), value));
        }
        Some(Self { value: stored.slice_ref(rest), indexed: indexed.into() })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn a_row_reads_back_and_a_cut_row_never_panics() {
        let row = Row::new(Bytes::from_static(b"value"), &[("a", b"1"), ("bc", b"")]).unwrap();
        let stored = row.encode();
        assert_eq!(Row::decode("t", stored.clone()).unwrap(), row);
        for cut in 0..stored.len() {
            let _ = Row::decode("t", stored[..cut].to_vec());
        }
        assert!(Row::decode("t", vec![FORMAT, 1, 9, b'a']).is_err());
    }
}
