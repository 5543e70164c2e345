//! The envelope around each value on disk: a tag that says format and kind,
//! and a CRC-32 over key, tag and payload, so that an entry that was damaged
//! or moved to another key is found when it is read.

/// Bytes that the envelope adds.
pub(super) const OVERHEAD: usize = 5;

/// Format 1 in the high nibble, the kind in the low one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The payload is the value.
    Inline = 0x11,
    /// The payload tells where the pieces of the value are.
    Chunked = 0x12,
    /// A piece of a value.
    Piece = 0x13,
}

pub(super) fn seal(key: &[u8], kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(OVERHEAD + payload.len());
    sealed.push(kind as u8);
    sealed.extend_from_slice(&checksum(key, kind as u8, payload).to_le_bytes());
    sealed.extend_from_slice(payload);
    sealed
}

/// Kind and payload; the error says what is wrong.
pub(super) fn unseal<'a>(key: &[u8], sealed: &'a [u8]) -> Result<(Kind, &'a [u8]), &'static str> {
    let (tag, rest) = sealed.split_first().ok_or("empty value")?;
    let (crc, payload) = rest.split_first_chunk::<4>().ok_or("value without checksum")?;
    let kind = match tag {
        0x11 => Kind::Inline,
        0x12 => Kind::Chunked,
        0x13 => Kind::Piece,
        _ => return Err("value of an unknown format"),
    };
    if u32::from_le_bytes(*crc) != checksum(key, *tag, payload) {
        return Err("checksum does not match");
    }
    Ok((kind, payload))
}

fn checksum(key: &[u8], tag: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&[tag]);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let sealed = seal(b"key", Kind::Inline, b"payload");
        assert_eq!(unseal(b"key", &sealed), Ok((Kind::Inline, &b"payload"[..])));
        assert!(unseal(b"kez", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(b"key", &damaged).is_err(), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(unseal(b"key", &sealed[..cut]).is_err(), "cut {cut}");
        }
    }
}
