//! An account as it lies in the store: JSON, so that an export can be read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use xylem_ops::Role;
use xylem_sasl::{Hash, Secrets, StoredKeys};

/// What is kept of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Seconds since 1970 UTC.
    pub created: u64,
    /// Whether it may not log in.
    pub disabled: bool,
    /// What the account is to the server.
    pub role: Role,
    pub secrets: Secrets,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    created: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    keys: Vec<Keys>,
}

#[derive(Serialize, Deserialize)]
struct Keys {
    /// `SHA-256` and so on; unknown ones are passed over.
    hash: String,
    iterations: u32,
    salt: String,
    stored: String,
    server: String,
}

impl Record {
    pub(super) fn encode(&self) -> Vec<u8> {
        let keys = self.secrets.iter().map(|(hash, keys)| Keys {
            hash: name(hash).to_owned(),
            iterations: keys.iterations,
            salt: BASE64.encode(&keys.salt),
            stored: BASE64.encode(&keys.stored_key),
            server: BASE64.encode(&keys.server_key),
        });
        let role = Some(self.role.clone()).filter(|role| *role != Role::default());
        let stored = Stored { created: self.created, disabled: self.disabled, role, keys: keys.collect() };
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// None: not a record.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        let keys = stored.keys.iter().filter_map(|keys| {
            let hash = Hash::ALL.into_iter().find(|hash| name(*hash) == keys.hash)?;
            let keys = StoredKeys {
                iterations: keys.iterations,
                salt: BASE64.decode(&keys.salt).ok()?,
                stored_key: BASE64.decode(&keys.stored).ok()?,
                server_key: BASE64.decode(&keys.server).ok()?,
            };
            Some((hash, keys))
        });
        let secrets = Secrets::from_keys(keys.collect::<Vec<_>>());
        let role = stored.role.unwrap_or_default();
        Some(Self { created: stored.created, disabled: stored.disabled, role, secrets })
    }
}

fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "SHA-1",
        Hash::Sha256 => "SHA-256",
        Hash::Sha512 => "SHA-512",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_ops::Rank;

    use super::*;

    #[test]
    fn a_record_comes_back() {
        let secrets = Secrets::derive("pencil", 4096, |salt| salt.fill(7)).unwrap();
        let role = Role::limited(Rank::Administrator, vec!["a.example".into()]);
        let record = Record { created: 1_700_000_000, disabled: true, role, secrets };
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        assert!(!String::from_utf8(bytes).unwrap().contains("pencil"));
        assert_eq!(Record::decode(b"{}"), None);
    }
}
