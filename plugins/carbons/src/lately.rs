//! Which messages the account sent of late: an error is copied if what it answers was (§6.1).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::stores::SENT;

const ROW: &str = "ids";
/// How many are remembered.
const MOST: usize = 64;
const WIDTH: usize = 4;

pub(crate) fn note(message: &Stanza) -> Result<(), Fault> {
    let (Some(to), Some(id)) = (message.to(), message.id()) else { return Ok(()) };
    let mut known = SENT.get(ROW)?.unwrap_or_default();
    if known.len() >= MOST * WIDTH {
        known.drain(..WIDTH);
    }
    known.extend(mark(to, id));
    SENT.put(ROW, &known, &[])
}

/// An error comes from whom the message was sent to.
pub(crate) fn was_sent(error: &Stanza) -> Result<bool, Fault> {
    let (Some(from), Some(id)) = (error.from(), error.id()) else { return Ok(false) };
    let known = SENT.get(ROW)?.unwrap_or_default();
    Ok(known.chunks(WIDTH).any(|known| known == mark(from, id)))
}

/// FNV-1a; a wrong guess in 67 million costs a superfluous copy of an error.
fn mark(peer: &str, id: &str) -> [u8; WIDTH] {
    let bytes = Jid::new(peer).bare().bytes().chain([0]).chain(id.bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes()
}
