//! Occupant identifiers (XEP-0421): the same for a user's every visit, telling nobody who it is.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::room::Room;

/// The identifier of an account in this room.
pub(crate) fn of(room: &Room, account: &str) -> String {
    keyed(&room.secret, account)
}

/// §4: a keyed hash, so that nobody can try addresses out.
fn keyed(secret: &str, account: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(account.as_bytes());
    hex(mac.finalize().into_bytes().as_slice().get(..20).unwrap_or_default())
}

/// Two lowercase digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::keyed;

    /// RFC 4231 §4.3, cut to 20 bytes.
    #[test]
    fn is_hmac_sha_256() {
        assert_eq!(keyed("Jefe", "what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f08");
    }
}
