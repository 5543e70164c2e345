//! Values that are too big for one entry of the engine, in pieces. sled puts a
//! leaf above 128 KiB into a file that it never syncs, and it splits leaves by
//! count and not by size, so no entry may be above 4 KB
//! (`../../README.md`, "sled").

use super::layered::CHUNKS;
use super::value::OVERHEAD;

const PIECE_KEY: usize = 4 + 8 + 4;
const HEAD: usize = 8 + 4 + 4 + 4;

/// What the entry of a chunked value holds instead of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Number of the piece set; never used twice while it is referred to.
    pub(super) set: u64,
    pub(super) pieces: u32,
    pub(super) bytes: u32,
    pub(super) crc: u32,
}

impl Head {
    /// Describes `value` cut for entries of at most `max_entry` bytes.
    pub(super) fn new(set: u64, value: &[u8], max_entry: usize) -> Self {
        let pieces = value.len().div_ceil(piece_bytes(max_entry));
        Self {
            set,
            pieces: u32::try_from(pieces).unwrap_or(u32::MAX),
            bytes: u32::try_from(value.len()).unwrap_or(u32::MAX),
            crc: crc32fast::hash(value),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD);
        out.extend_from_slice(&self.set.to_le_bytes());
        for number in [self.pieces, self.bytes, self.crc] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let (set, rest) = payload.split_first_chunk::<8>()?;
        let (pieces, rest) = rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_first_chunk::<4>()?;
        let crc = <[u8; 4]>::try_from(rest).ok()?;
        Some(Self {
            set: u64::from_le_bytes(*set),
            pieces: u32::from_le_bytes(*pieces),
            bytes: u32::from_le_bytes(*bytes),
            crc: u32::from_le_bytes(crc),
        })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let set = self.set;
        (0..self.pieces).map(move |index| piece_key(set, index))
    }
}

/// Bytes of value in one piece.
pub(super) fn piece_bytes(max_entry: usize) -> usize {
    max_entry.saturating_sub(PIECE_KEY + OVERHEAD).max(1)
}

fn piece_key(set: u64, index: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(PIECE_KEY);
    key.extend_from_slice(&CHUNKS.to_be_bytes());
    key.extend_from_slice(&set.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The set number of a piece's key.
pub(super) fn set_of(key: &[u8]) -> Option<u64> {
    key.get(4..12).and_then(|set| set.try_into().ok()).map(u64::from_be_bytes)
}
