//! Secrets as the store keeps them.
//!
//! ```text
//! version (1)  count  { hash  iterations:u32be  salt-length  salt  stored-key  server-key }*
//! ```
//! Every number is one byte unless marked; the two keys are as long as the hash.

use thiserror::Error;

use crate::mechanism::Hash;
use crate::secrets::{Secrets, StoredKeys};

const VERSION: u8 = 1;

/// The bytes are no secrets written by [`Secrets::to_bytes`]: the store is
/// damaged, or a newer release wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    #[error("stored secrets are of version {0}, which this release does not know")]
    Version(u8),
    #[error("stored secrets are damaged")]
    Damaged,
}

impl Secrets {
    /// The form for the store, some 250 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, u8::try_from(self.iter().count()).unwrap_or(0)];
        out.extend_from_slice(&self.keys);
        out
    }

    /// Reads what [`Secrets::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (version, rest) = bytes.split_first().ok_or(DecodeError::Damaged)?;
        if *version != VERSION {
            return Err(DecodeError::Version(*version));
        }
        let (count, rest) = rest.split_first().ok_or(DecodeError::Damaged)?;
        read_all(usize::from(*count), rest).ok_or(DecodeError::Damaged)
    }
}

/// Keys one after the other, as they are stored.
pub(crate) fn write(all: &[(Hash, StoredKeys)]) -> Box<[u8]> {
    let mut out = Vec::new();
    for (hash, keys) in all {
        out.push(code(*hash));
        out.extend_from_slice(&keys.iterations.to_be_bytes());
        out.push(u8::try_from(keys.salt.len()).unwrap_or(0));
        out.extend_from_slice(&keys.salt);
        out.extend_from_slice(&keys.stored_key);
        out.extend_from_slice(&keys.server_key);
    }
    out.into()
}

fn read_all(count: usize, mut rest: &[u8]) -> Option<Secrets> {
    let mut keys = Vec::new();
    for _ in 0..count.min(Hash::ALL.len()) {
        let (one, after) = read_one(rest)?;
        keys.push(one);
        rest = after;
    }
    let secrets = Secrets::from_keys(keys);
    // Fewer than promised: some were malformed or stood there twice.
    (rest.is_empty() && secrets.iter().count() == count).then_some(secrets)
}

pub(crate) fn read_one(bytes: &[u8]) -> Option<((Hash, StoredKeys), &[u8])> {
    let (&hash, rest) = bytes.split_first()?;
    let hash = Hash::ALL.into_iter().find(|h| code(*h) == hash)?;
    let (iterations, rest) = rest.split_first_chunk::<4>()?;
    let (&salt_length, rest) = rest.split_first()?;
    let (salt, rest) = rest.split_at_checked(usize::from(salt_length))?;
    let (stored_key, rest) = rest.split_at_checked(hash.output_len())?;
    let (server_key, rest) = rest.split_at_checked(hash.output_len())?;
    let keys = StoredKeys {
        iterations: u32::from_be_bytes(*iterations),
        salt: salt.to_vec(),
        stored_key: stored_key.to_vec(),
        server_key: server_key.to_vec(),
    };
    Some(((hash, keys), rest))
}

const fn code(hash: Hash) -> u8 {
    match hash {
        Hash::Sha1 => 1,
        Hash::Sha256 => 2,
        Hash::Sha512 => 3,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::DecoyKey;

    #[test]
    fn what_was_written_is_read() {
        let secrets = Secrets::decoy("romeo@montague.example", &DecoyKey::new([7; 32]));
        assert_eq!(Secrets::from_bytes(&secrets.to_bytes()).unwrap(), secrets);
    }

    #[test]
    fn every_cut_and_every_surplus_is_damage() {
        let mut bytes = Secrets::decoy("romeo", &DecoyKey::new([7; 32])).to_bytes();
        for cut in 0..bytes.len() {
            assert_eq!(Secrets::from_bytes(&bytes[..cut]), Err(DecodeError::Damaged), "{cut}");
        }
        bytes.push(0);
        assert_eq!(Secrets::from_bytes(&bytes), Err(DecodeError::Damaged));
    }

    #[test]
    fn a_newer_version_is_named() {
        assert_eq!(Secrets::from_bytes(&[2, 0]), Err(DecodeError::Version(2)));
    }
}
