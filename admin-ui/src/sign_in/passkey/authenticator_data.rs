//! What an authenticator says (WebAuthn Level 2 §6.1).

use super::PasskeyError;
use super::cbor::Value;
use super::key::Key;

/// Longest id of a credential (§5.8.3, §7.1 step 25 of Level 3).
const ID_BYTES: usize = 1023;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// Taken apart, nothing of it checked yet but its form.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    /// SHA-256 of the site's id.
    pub(super) site: [u8; 32],
    flags: u8,
    /// Signatures made so far; 0 where none are counted.
    pub(super) counter: u32,
    /// With a registration.
    pub(super) credential: Option<Credential>,
}

/// A key pair that was just made.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) id: Vec<u8>,
    pub(super) key: Key,
}

impl AuthenticatorData {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PasskeyError> {
        let malformed = PasskeyError::Malformed("authenticator data");
        let (site, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (&flags, rest) = rest.split_first().ok_or(malformed)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(malformed)?;
        let credential = match flags & HAS_CREDENTIAL {
            0 => None,
            _ => Some(read_credential(&mut rest)?),
        };
        if flags & HAS_EXTENSIONS != 0 {
            // None were asked for; they are read to find the end.
            Value::read(&mut rest)?;
        }
        if !rest.is_empty() {
            return Err(malformed);
        }
        // §6.1: what is backed up must be what can be.
        if flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0 {
            return Err(malformed);
        }
        Ok(Self { site: *site, flags, counter: u32::from_be_bytes(*counter), credential })
    }

    pub(super) const fn is_user_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    pub(super) const fn is_user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    pub(super) const fn is_backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }
}

/// §6.5.2: AAGUID, length, id, key.
fn read_credential(rest: &mut &[u8]) -> Result<Credential, PasskeyError> {
    let malformed = PasskeyError::Malformed("credential data");
    let (_aaguid, after) = rest.split_first_chunk::<16>().ok_or(malformed)?;
    let (length, after) = after.split_first_chunk::<2>().ok_or(malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > ID_BYTES {
        return Err(malformed);
    }
    let (id, after) = after.split_at_checked(length).ok_or(malformed)?;
    *rest = after;
    let key = Key::from_cose(&Value::read(rest)?)?;
    Ok(Credential { id: id.to_vec(), key })
}
