//! A numbered sequence of turns, the same in every process: turn `n` depends
//! on nothing but `n`. The process that is killed carries them out; the one
//! that checks applies them to a model.

use std::collections::BTreeMap;

use xylem_store::{Purge, Store, Turn};

pub(crate) const KV: &str = "torture/kv";
pub(crate) const ARCHIVE: &str = "torture/archive";
/// Each turn writes its number into both: they must never differ.
pub(crate) const NUMBERS: [&str; 2] = ["torture/number-a", "torture/number-b"];
pub(crate) const NUMBER_KEY: &[u8] = b"n";
pub(crate) const INDEX: &str = "colour";
const PARTITIONS: u64 = 40;

/// What a turn does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put { partition: String, key: Vec<u8>, size: usize, salt: u64, colour: Option<u8> },
    Delete { partition: String, key: Vec<u8> },
    DeletePartition { partition: String },
    Append { partition: String, at_ms: u64, peer: String, size: usize, salt: u64 },
    KeepNewest { partition: String, rows: usize },
}

/// The steps of turn `number`.
pub(crate) fn steps(number: u64) -> Vec<Step> {
    let mut dice = Dice(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let count = 1 + dice.below(6);
    (0..count).map(|at| step(number, at, &mut dice)).collect()
}

fn step(number: u64, at: u64, dice: &mut Dice) -> Step {
    let partition = format!("user{}@example.org", dice.below(PARTITIONS));
    let key = format!("row-{}", dice.below(30)).into_bytes();
    let salt = number.wrapping_mul(64).wrapping_add(at);
    match dice.below(100) {
        0 => Step::DeletePartition { partition },
        1..=9 => Step::Delete { partition, key },
        10..=14 => Step::KeepNewest { partition, rows: dice.below(60) as usize },
        15..=59 => {
            // One millisecond for each append makes the ids foreseeable.
            let at_ms = number * 64 + at;
            let peer = format!("peer{}@example.org", dice.below(5));
            Step::Append { partition, at_ms, peer, size: 100 + dice.below(520) as usize, salt }
        }
        _ => {
            let colour = (dice.below(2) == 0).then(|| dice.below(4) as u8);
            Step::Put { partition, key, size: size(dice), salt, colour }
        }
    }
}

/// Mostly small; some of those sizes that broke sled; a few as big as an avatar.
fn size(dice: &mut Dice) -> usize {
    let span = match dice.below(1000) {
        0..=5 => 150_000..350_001,
        6..=45 => 4_000..17_000,
        46..=100 => 600..4_100,
        _ => 0..600,
    };
    (span.start + dice.below(span.end - span.start)) as usize
}

pub(crate) fn bytes(size: usize, salt: u64) -> Vec<u8> {
    let mut dice = Dice(salt);
    let mut out = Vec::with_capacity(size + 8);
    while out.len() < size {
        out.extend_from_slice(&dice.next().to_le_bytes());
    }
    out.truncate(size);
    out
}

/// The steps of turn `number` as a turn of the store.
pub(crate) fn turn(store: &Store, number: u64) -> Turn {
    let (kv, archive) = (store.table(KV), store.table(ARCHIVE));
    let mut turn = store.turn();
    for step in steps(number) {
        match step {
            Step::Put { partition, key, size, salt, colour } => {
                let colour = colour.map(|colour| [colour]);
                let indexed: Vec<(&str, &[u8])> = colour.iter().map(|colour| (INDEX, &colour[..])).collect();
                turn.put(kv, &partition, &key, bytes(size, salt), &indexed).unwrap();
            }
            Step::Delete { partition, key } => turn.delete(kv, &partition, &key),
            Step::DeletePartition { partition } => turn.delete_partition(kv, &partition),
            Step::Append { partition, at_ms, peer, size, salt } => {
                turn.append(archive, &partition, at_ms, &peer, bytes(size, salt)).unwrap();
            }
            Step::KeepNewest { partition, rows } => turn.purge(archive, &partition, Purge::KeepNewest(rows)),
        }
    }
    for table in NUMBERS {
        turn.raw(xylem_store::Op {
            table: table.into(),
            key: NUMBER_KEY.to_vec(),
            value: Some(number.to_be_bytes().to_vec()),
        })
        .unwrap();
    }
    turn
}

/// What must be in the store, by checksum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) number: u64,
    /// Partition and key; checksum and index value.
    pub(crate) rows: BTreeMap<(String, Vec<u8>), (u32, Option<u8>)>,
    /// Partition and id; peer and checksum.
    pub(crate) archive: BTreeMap<(String, u64), (String, u32)>,
}

impl Model {
    pub(crate) fn advance(&mut self, to: u64) {
        while self.number < to {
            self.number += 1;
            steps(self.number).into_iter().for_each(|step| self.apply(step));
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Put { partition, key, size, salt, colour } => {
                self.rows.insert((partition, key), (crc32fast::hash(&bytes(size, salt)), colour));
            }
            Step::Delete { partition, key } => {
                self.rows.remove(&(partition, key));
            }
            Step::DeletePartition { partition } => self.rows.retain(|(name, _), _| *name != partition),
            Step::Append { partition, at_ms, peer, size, salt } => {
                self.archive.insert((partition, at_ms << 20), (peer, crc32fast::hash(&bytes(size, salt))));
            }
            Step::KeepNewest { partition, rows } => {
                let ids: Vec<u64> =
                    self.archive.keys().filter(|(name, _)| *name == partition).map(|(_, id)| *id).collect();
                for id in ids.iter().take(ids.len().saturating_sub(rows)) {
                    self.archive.remove(&(partition.clone(), *id));
                }
            }
        }
    }

    /// One line per table, so that a difference shows where it is.
    pub(crate) fn digest(&self) -> String {
        let crc = |text: String| crc32fast::hash(text.as_bytes());
        format!(
            "number {} rows {} {:08x} archive {} {:08x}",
            self.number,
            self.rows.len(),
            crc(format!("{:?}", self.rows)),
            self.archive.len(),
            crc(format!("{:?}", self.archive))
        )
    }
}

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
