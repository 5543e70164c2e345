use std::collections::BTreeMap;

use bytes::Bytes;

use super::held::row_bytes;
use crate::row::Row;
use crate::turn::TurnOp;

/// Changes over a set of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    /// Everything below was deleted by this submission.
    pub(super) wiped: Option<u64>,
    pub(super) rows: BTreeMap<Bytes, (u64, Option<Row>)>,
}

impl Overlay {
    pub(crate) fn apply(&mut self, op: &TurnOp, seq: u64) {
        match op {
            TurnOp::Put { key, row, .. } => {
                self.rows.insert(key.clone(), (seq, Some(row.clone())));
            }
            TurnOp::Delete { key, .. } => {
                self.rows.insert(key.clone(), (seq, None));
            }
            TurnOp::DeletePartition { .. } => {
                self.rows.clear();
                self.wiped = Some(seq);
            }
            TurnOp::Append { .. } | TurnOp::Replace { .. } | TurnOp::Purge { .. } | TurnOp::Raw(_) => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wiped.is_none() && self.rows.is_empty()
    }

    /// Forgets what the backend has by now.
    pub(super) fn settle(&mut self, committed: u64) {
        self.rows.retain(|_, (seq, _)| *seq > committed);
        self.wiped = self.wiped.filter(|seq| *seq > committed);
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.iter().map(|(key, (_, row))| key.len() + row.as_ref().map_or(0, row_bytes)).sum()
    }
}
