//! Archive rows for which nobody waits, in two archives at once, beside the turns: those that were submitted
//! before a turn are durable when it is.

use xylem_store::options::Class;
use xylem_store::{ArchiveQuery, NewRow, Purge, Store};

use crate::workload::bytes;

const TABLE: &str = "torture/unheard";
const PARTITIONS: u64 = 5;
/// Rows that a partition keeps; of the last numbers all are there.
const KEPT: usize = 200;
const LOOKED_FOR: u64 = 300;

/// The rows behind turn `number`, to be called before the next one is made: so its ids are above all that are
/// on disk, whatever is not.
pub(crate) fn append(store: &Store, number: u64) {
    let table = store.table(TABLE);
    let payload = payload(number);
    for side in 0..2 {
        let name = partition(number, side);
        let row = NewRow {
            // Their ids come behind those of the turn, and before the next one's, which stay foreseeable.
            at_ms: 0,
            peer: "peer@example.org",
            marks: 0,
            payload: &payload,
            class: Class::Durable,
        };
        // Without a disk the turn that comes next is refused as well, and that is heard of.
        let Ok(taken) = store.append_unheard(table, &name, row, |_| true) else { return };
        taken.expect("there is room");
        if number.is_multiple_of(1000) {
            drop(store.archive(TABLE).purge(&name, Purge::KeepNewest(KEPT)));
        }
    }
}

/// What was appended before the durable turn `number` is there, as it was written.
pub(crate) async fn check(store: &Store, number: u64) {
    let archive = store.archive(TABLE);
    let mut found = std::collections::BTreeSet::new();
    for at in 0..PARTITIONS {
        let name = format!("unheard{at}@example.org");
        let query = ArchiveQuery { limit: usize::MAX, ..ArchiveQuery::default() };
        let page = archive.page(&name, query).await.unwrap();
        assert!(page.complete);
        assert_eq!(archive.count(&name).await.unwrap(), page.rows.len() as u64);
        for row in page.rows {
            let of = u64::from_le_bytes(row.payload[..8].try_into().unwrap());
            assert_eq!(row.payload, payload(of), "a row that was not written so");
            found.insert((of, name.clone()));
        }
    }
    for number in number.saturating_sub(LOOKED_FOR)..number {
        for side in 0..2 {
            assert!(found.contains(&(number, partition(number, side))), "a row of turn {number} is lost");
        }
    }
}

fn partition(number: u64, side: u64) -> String {
    format!("unheard{}@example.org", (number + side) % PARTITIONS)
}

fn payload(number: u64) -> Vec<u8> {
    let mut payload = number.to_le_bytes().to_vec();
    payload.extend(bytes(usize::try_from(number % 500).unwrap(), number));
    payload
}
