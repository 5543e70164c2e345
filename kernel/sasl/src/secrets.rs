use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use stringprep::saslprep;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::encoding;
use crate::mechanism::Hash;

/// PBKDF2 rounds for new passwords. A login by SCRAM costs the client this
/// work; only PLAIN costs it to the server.
pub const DEFAULT_ITERATIONS: u32 = 10_000;
/// Rounds accepted from a caller or from the store. RFC 7677 §4 asks for 4096
/// at least; what lies above the upper bound would be a weapon.
pub const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=10_000_000;
/// Length of the salts made here.
pub const SALT_BYTES: usize = 16;

/// The password cannot be used; the person who chose it must choose another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Nothing is left of it after SASLprep.
    #[error("the password is empty")]
    Empty,
    /// RFC 4013 §2.3–§2.5: control characters, code points that Unicode 3.2
    /// did not know, or mixed directions.
    #[error("the password contains a character that SASLprep (RFC 4013) forbids")]
    Forbidden,
}

/// What the server keeps instead of a password for one hash (RFC 5802 §3).
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys {
    /// PBKDF2 rounds, within [`ITERATIONS`].
    pub iterations: u32,
    /// 1 to 255 bytes.
    pub salt: Vec<u8>,
    /// `H(HMAC(SaltedPassword, "Client Key"))`, as long as the hash.
    pub stored_key: Vec<u8>,
    /// `HMAC(SaltedPassword, "Server Key")`, as long as the hash.
    pub server_key: Vec<u8>,
}

/// The stored credentials of one account, a set of keys for each hash.
///
/// They let the server check a password but not recover it, and let nobody log
/// in who merely reads them. Accounts imported from elsewhere may lack hashes;
/// logging in by such a mechanism then fails as if the password were wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// Sorted by hash, each hash once, none of them malformed. As they are stored: a server has those of many
    /// accounts in memory and looks at them once in a login.
    pub(crate) keys: Box<[u8]>,
}

impl Secrets {
    /// Derives keys for every hash from a new password. `random` fills a salt
    /// and must be a cryptographic source. `iterations` is brought into
    /// [`ITERATIONS`].
    ///
    /// Costs three times `iterations` rounds of PBKDF2, tens of milliseconds:
    /// keep it off the threads that serve sockets.
    pub fn derive(password: &str, iterations: u32, mut random: impl FnMut(&mut [u8])) -> Result<Self, PasswordError> {
        let password = prepare(password)?;
        let iterations = iterations.clamp(*ITERATIONS.start(), *ITERATIONS.end());
        let keys = Hash::ALL.map(|hash| {
            let mut salt = vec![0; SALT_BYTES];
            random(&mut salt);
            (hash, derive_keys(hash, &password, iterations, salt))
        });
        Ok(Self::from_keys(keys))
    }

    /// Takes keys that were made elsewhere, such as by another server. Keys of
    /// a wrong length or with rounds out of bounds are left out.
    pub fn from_keys(keys: impl IntoIterator<Item = (Hash, StoredKeys)>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().filter(|(hash, keys)| keys.fit(*hash)).collect();
        keys.sort_by_key(|(hash, _)| *hash);
        keys.dedup_by_key(|(hash, _)| *hash);
        Self { keys: encoding::write(&keys) }
    }

    /// The keys for one hash, where the account has them.
    pub fn get(&self, hash: Hash) -> Option<StoredKeys> {
        self.iter().find(|(h, _)| *h == hash).map(|(_, keys)| keys)
    }

    /// With other keys for one hash.
    #[must_use]
    pub fn with(self, hash: Hash, keys: StoredKeys) -> Self {
        let others = self.iter().filter(|(other, _)| *other != hash);
        Self::from_keys(others.chain([(hash, keys)]).collect::<Vec<_>>())
    }

    /// Every hash with its keys, weakest hash first.
    pub fn iter(&self) -> impl Iterator<Item = (Hash, StoredKeys)> {
        let mut rest = &*self.keys;
        std::iter::from_fn(move || {
            let (one, after) = encoding::read_one(rest)?;
            rest = after;
            Some(one)
        })
    }

    /// Whether this is the password; the comparison takes constant time.
    ///
    /// Costs one PBKDF2 of the account's rounds, some milliseconds: keep it
    /// off the threads that serve sockets.
    pub fn verify_plain(&self, password: &str) -> bool {
        // One fixed preference, so that real and made-up secrets cost the same.
        let found = [Hash::Sha256, Hash::Sha512, Hash::Sha1].into_iter().find_map(|hash| Some((hash, self.get(hash)?)));
        let (Some((hash, keys)), Ok(password)) = (found, prepare(password)) else {
            return false;
        };
        let derived = derive_keys(hash, &password, keys.iterations, keys.salt.clone());
        derived.stored_key.ct_eq(&keys.stored_key).into()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|(hash, _)| hash)).finish()
    }
}

impl StoredKeys {
    /// From the `SaltedPassword` that a client computed (XEP-0480 §3), with the salt and rounds
    /// that it was given; none if its length is not that of the hash.
    pub fn from_salted(hash: Hash, salted: &[u8], iterations: u32, salt: Vec<u8>) -> Option<Self> {
        (salted.len() == hash.output_len()).then(|| keys_of(hash, salted, iterations, salt))
    }

    fn fit(&self, hash: Hash) -> bool {
        ITERATIONS.contains(&self.iterations)
            && (1..=255).contains(&self.salt.len())
            && self.stored_key.len() == hash.output_len()
            && self.server_key.len() == hash.output_len()
    }
}

impl std::fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKeys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

/// RFC 5802 §2.2 `Normalize`.
fn prepare(password: &str) -> Result<String, PasswordError> {
    let prepared = saslprep(password).map_err(|_| PasswordError::Forbidden)?;
    if prepared.is_empty() {
        return Err(PasswordError::Empty);
    }
    Ok(prepared.into_owned())
}

fn derive_keys(hash: Hash, prepared: &str, iterations: u32, salt: Vec<u8>) -> StoredKeys {
    let mut salted = vec![0; hash.output_len()];
    let password = prepared.as_bytes();
    match hash {
        Hash::Sha1 => pbkdf2_hmac::<Sha1>(password, &salt, iterations, &mut salted),
        Hash::Sha256 => pbkdf2_hmac::<Sha256>(password, &salt, iterations, &mut salted),
        Hash::Sha512 => pbkdf2_hmac::<Sha512>(password, &salt, iterations, &mut salted),
    }
    keys_of(hash, &salted, iterations, salt)
}

/// What is stored instead of a `SaltedPassword`.
fn keys_of(hash: Hash, salted: &[u8], iterations: u32, salt: Vec<u8>) -> StoredKeys {
    let stored_key = digest(hash, &hmac(hash, salted, b"Client Key"));
    let server_key = hmac(hash, salted, b"Server Key");
    StoredKeys { iterations, salt, stored_key, server_key }
}

pub(crate) fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(message).to_vec(),
        Hash::Sha256 => Sha256::digest(message).to_vec(),
        Hash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

pub(crate) fn hmac(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length; the `None` of these never comes.
    fn mac<M: Mac + hmac::digest::KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
        let mac = <M as Mac>::new_from_slice(key).ok();
        mac.map(|m| m.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
    }
    match hash {
        Hash::Sha1 => mac::<Hmac<Sha1>>(key, message),
        Hash::Sha256 => mac::<Hmac<Sha256>>(key, message),
        Hash::Sha512 => mac::<Hmac<Sha512>>(key, message),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn b64(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap()
    }

    fn counter() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |buffer| {
            for byte in buffer {
                next = next.wrapping_add(1);
                *byte = next;
            }
        }
    }

    /// RFC 5802 §5: the signatures of the exchange follow from these keys.
    #[test]
    fn keys_reproduce_the_exchange_of_rfc_5802() {
        let keys = derive_keys(Hash::Sha1, "pencil", 4096, b64("QSXCR+Q6sek8bf92"));
        let message = b"n=user,r=fyko+d2lbbFgONRv9qkxdawL,\
            r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,\
            c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
        assert_eq!(hmac(Hash::Sha1, &keys.server_key, message), b64("rmF9pqV8S7suAoZWja4dJRkFsKQ="));
        let signature = hmac(Hash::Sha1, &keys.stored_key, message);
        let proof = b64("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha1::digest(client_key).to_vec(), keys.stored_key);
    }

    /// RFC 7677 §3.
    #[test]
    fn keys_reproduce_the_exchange_of_rfc_7677() {
        let keys = derive_keys(Hash::Sha256, "pencil", 4096, b64("W22ZaJ0SNY7soEsUEjb6gQ=="));
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message =
            format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}");
        let verifier = b64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(hmac(Hash::Sha256, &keys.server_key, message.as_bytes()), verifier);
        let signature = hmac(Hash::Sha256, &keys.stored_key, message.as_bytes());
        let proof = b64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha256::digest(client_key).to_vec(), keys.stored_key);
    }

    #[test]
    fn every_hash_has_its_own_salt() {
        let secrets = Secrets::derive("pencil", 4096, counter()).unwrap();
        let salts: Vec<_> = secrets.iter().map(|(_, k)| k.salt.clone()).collect();
        assert_eq!(salts.len(), 3);
        assert!(salts.windows(2).all(|w| w.first() != w.last()));
    }

    #[test]
    fn plain_verification_prepares_the_password() {
        // U+00AD is mapped to nothing, U+2168 becomes "IX" (RFC 4013 §3).
        let secrets = Secrets::derive("I\u{ad}X", 4096, counter()).unwrap();
        assert!(secrets.verify_plain("\u{2168}"));
        assert!(secrets.verify_plain("IX"));
        assert!(!secrets.verify_plain("ix"));
        assert!(!secrets.verify_plain(""));
        assert!(!secrets.verify_plain("\u{7}"));
    }

    #[test]
    fn unusable_passwords_are_refused() {
        assert_eq!(Secrets::derive("", 4096, counter()).unwrap_err(), PasswordError::Empty);
        assert_eq!(Secrets::derive("\u{ad}", 4096, counter()).unwrap_err(), PasswordError::Empty);
        assert_eq!(Secrets::derive("a\u{7}b", 4096, counter()).unwrap_err(), PasswordError::Forbidden);
    }

    #[test]
    fn rounds_are_brought_into_bounds() {
        let secrets = Secrets::derive("pencil", 1, counter()).unwrap();
        assert!(secrets.iter().all(|(_, k)| k.iterations == 4096));
    }
}
