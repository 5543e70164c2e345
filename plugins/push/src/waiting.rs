//! One row of the store `waiting`: what came for a device since it was last here.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::device::Device;
use crate::stores::WAITING;

/// Messages remembered for each device.
const MOST: usize = 32;
/// How long a message may go unconfirmed before a connection counts as lost: 10 minutes in milliseconds.
const UNCONFIRMED: u64 = 600_000;
/// The index by the resource of the session that enabled the device.
const RESOURCE: &str = "resource";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Messages it was woken for.
    pub(crate) count: u32,
    /// A notification is owed: there were too many at once.
    pub(crate) owed: bool,
    /// The last messages.
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    message: u64,
    /// When it came, in milliseconds.
    at: u64,
    /// Whether the device was woken for it.
    woken: bool,
}

impl Waiting {
    pub(crate) fn of(device: &Device) -> Result<Self, Fault> {
        Ok(WAITING.get(&device.key)?.map(|row| Self::parse(&row)).unwrap_or_default())
    }

    pub(crate) fn save(&self, device: &Device) -> Result<(), Fault> {
        WAITING.put(&device.key, &self.to_row(), &[(RESOURCE, &device.resource)])
    }

    pub(crate) fn forget(key: &str) -> Result<(), Fault> {
        WAITING.delete(key).map(drop)
    }

    /// Whether anything is known of the devices of this resource.
    pub(crate) fn has_any(resource: &str) -> Result<bool, Fault> {
        Ok(!WAITING.by_index(RESOURCE, resource)?.is_empty())
    }

    /// The session of this resource is here again.
    pub(crate) fn forget_all(resource: &str) -> Result<(), Fault> {
        WAITING.by_index(RESOURCE, resource)?.iter().try_for_each(|row| Self::forget(&row.key))
    }

    /// Counts a message that the device has to be woken for; false when it was already.
    pub(crate) fn wake_for(&mut self, message: u64, at: u64) -> bool {
        match self.seen.iter_mut().find(|seen| seen.message == message) {
            Some(seen) if seen.woken => return false,
            Some(seen) => seen.woken = true,
            None => self.push(Seen { message, at, woken: true }),
        }
        self.count = self.count.saturating_add(1);
        true
    }

    /// Notes a message that went to the device's session.
    pub(crate) fn note(&mut self, message: u64, at: u64) {
        if !self.seen.iter().any(|seen| seen.message == message) {
            self.push(Seen { message, at, woken: false });
        }
    }

    /// The session lost its connection with so many messages unconfirmed; counts those among them that
    /// matter, as far as that is known. False when there are none.
    pub(crate) fn wake_for_last(&mut self, unconfirmed: usize, now: u64) -> bool {
        let before = self.count;
        let last = self.seen.iter_mut().rev().filter(|seen| !seen.woken && now.saturating_sub(seen.at) <= UNCONFIRMED);
        for seen in last.take(unconfirmed) {
            seen.woken = true;
            self.count = self.count.saturating_add(1);
        }
        self.count != before
    }

    fn push(&mut self, seen: Seen) {
        if self.seen.len() >= MOST {
            self.seen.remove(0);
        }
        self.seen.push(seen);
    }

    fn parse(row: &[u8]) -> Self {
        let Some((&[a, b, c, d, owed], seen)) = row.split_first_chunk() else { return Self::default() };
        let (seen, _) = seen.as_chunks::<17>();
        let one = |&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, woken]: &[u8; 17]| Seen {
            message: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            at: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            woken: woken != 0,
        };
        Self { count: u32::from_le_bytes([a, b, c, d]), owed: owed != 0, seen: seen.iter().map(one).collect() }
    }

    fn to_row(&self) -> Vec<u8> {
        let mut row = self.count.to_le_bytes().to_vec();
        row.push(u8::from(self.owed));
        for seen in &self.seen {
            row.extend_from_slice(&seen.message.to_le_bytes());
            row.extend_from_slice(&seen.at.to_le_bytes());
            row.push(u8::from(seen.woken));
        }
        row
    }
}

/// FNV-1a over the parts, each ended by a byte that UTF-8 does not contain. A collision costs one notification.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_wakes_once() {
        let mut waiting = Waiting::default();
        assert!(waiting.wake_for(1, 0) && waiting.wake_for(2, u64::MAX) && !waiting.wake_for(1, 9));
        assert_eq!(waiting.count, 2);
        waiting.owed = true;
        assert_eq!(Waiting::parse(&waiting.to_row()), waiting);
        assert_eq!(Waiting::parse(b"no"), Waiting::default());
    }

    #[test]
    fn what_was_not_confirmed_wakes_later_and_only_once() {
        let mut waiting = Waiting::default();
        (1..=3).for_each(|message| waiting.note(message, 1000 * message));
        assert!(waiting.wake_for_last(2, 4000));
        assert_eq!(waiting.count, 2);
        assert!(!waiting.wake_for(3, 5000) && waiting.wake_for(1, 5000));
        assert!(!waiting.wake_for_last(9, 5000));
        waiting.note(4, 6000);
        assert!(!waiting.wake_for_last(9, 6001 + UNCONFIRMED), "long ago, so it was confirmed");
        assert!(waiting.wake_for_last(9, 6000 + UNCONFIRMED));
    }

    #[test]
    fn memory_is_bounded() {
        let mut waiting = Waiting::default();
        assert!((0..1000).all(|message| waiting.wake_for(message, 0)));
        assert_eq!((waiting.seen.len(), waiting.count), (MOST, 1000));
    }
}
