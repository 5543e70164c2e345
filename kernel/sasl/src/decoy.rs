use hmac::{Hmac, Mac};
use sha2::Sha512;

use crate::mechanism::Hash;
use crate::secrets::{DEFAULT_ITERATIONS, SALT_BYTES, Secrets, StoredKeys};

/// A secret of the server from which it makes up credentials for accounts that
/// do not exist.
///
/// A client that asks for an unknown account sees the same salt every time, as
/// it would for a real one, and no password fits. They have the rounds and salt
/// length of [`Secrets::derive`] by default; imported accounts that differ in
/// these can be told apart until their password changes. Keep the key: with a new one
/// the salts of unknown accounts change while those of real accounts do not. It also
/// stands behind what [`DecoyKey::derive`] makes, which then changes as well.
#[derive(Clone)]
pub struct DecoyKey {
    key: [u8; 32],
    iterations: u32,
}

impl DecoyKey {
    /// 32 bytes of good randomness, made once per server.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, iterations: DEFAULT_ITERATIONS }
    }

    /// With the rounds that new passwords get here, so that unknown accounts do
    /// not stand out by theirs.
    #[must_use]
    pub const fn with_iterations(self, iterations: u32) -> Self {
        Self { iterations, ..self }
    }

    /// The rounds that new passwords get here.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// What only this server can make out of the parts, each time the same. Different
    /// purposes have nothing in common with each other, nor with made-up credentials.
    pub fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut made = [0; 32];
        // A key of any length is accepted; the error branch cannot be reached.
        let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(&self.key) else { return made };
        // No text that `expand` takes begins so.
        mac.update(b"derive\0");
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let bytes = mac.finalize().into_bytes();
        for (to, from) in made.iter_mut().zip(bytes) {
            *to = from;
        }
        made
    }

    pub(crate) fn keys(&self, account: &str, hash: Hash) -> StoredKeys {
        let mut salt = self.expand("salt", account, hash);
        let mut stored_key = self.expand("stored", account, hash);
        let mut server_key = self.expand("server", account, hash);
        salt.truncate(SALT_BYTES);
        stored_key.truncate(hash.output_len());
        server_key.truncate(hash.output_len());
        StoredKeys { iterations: self.iterations, salt, stored_key, server_key }
    }

    fn expand(&self, what: &str, account: &str, hash: Hash) -> Vec<u8> {
        // A key of any length is accepted; the error branch cannot be reached.
        let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(&self.key) else {
            return vec![0; hash.output_len()];
        };
        for part in [what, "\0", crate::Mechanism::Scram { hash, plus: false }.name(), "\0", account] {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().to_vec()
    }
}

impl std::fmt::Debug for DecoyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecoyKey(..)")
    }
}

impl Secrets {
    /// Made-up secrets for an account that does not exist: the same for the
    /// same name, with the form and cost of real ones.
    pub fn decoy(account: &str, key: &DecoyKey) -> Self {
        Self::from_keys(Hash::ALL.map(|hash| (hash, key.keys(account, hash))))
    }
}
