//! Codes of an authenticator app (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, which is
//! what every app understands.

use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// Seconds of one step (RFC 6238 §4, `X`).
const STEP: u64 = 30;
/// Steps that a clock may be off to either side (RFC 6238 §5.2, §6).
const OFF: u64 = 1;
/// Digits of a code.
const DIGITS: usize = 6;
/// Bytes of a secret, the length of the hash (RFC 4226 §4, R6).
pub(super) const SECRET_BYTES: usize = 20;

/// A secret that an app shares with the server.
pub(super) type Secret = [u8; SECRET_BYTES];

/// The step whose code this is, if it is one of those around `now` (seconds since 1970 UTC) and
/// later than `last`: a code is good once (RFC 6238 §5.2).
pub(super) fn accept(secret: &Secret, code: &str, now: u64, last: u64) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(DIGITS + 1).collect();
    let present = now / STEP;
    let mut accepted = None;
    // All are computed, so that the time taken tells nothing.
    for step in present.saturating_sub(OFF)..=present.saturating_add(OFF) {
        let fits: bool = self::code(secret, step).as_bytes().ct_eq(code.as_bytes()).into();
        if fits && step > last && accepted.is_none() {
            accepted = Some(step);
        }
    }
    accepted
}

/// RFC 4226 §5.3, with the step as the counter.
fn code(secret: &Secret, step: u64) -> String {
    // HMAC takes keys of every length; the error never comes, and an empty code fits nothing.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 0x0f);
    let Some(word) = digest.get(offset..).and_then(|rest| rest.first_chunk::<4>()) else { return String::new() };
    let number = u32::from_be_bytes(*word) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The address that an app takes as a picture; `secret` as [`base32`] wrote it.
pub(super) fn uri(account: &str, host: &str, secret: &str) -> String {
    let label = format!("{}:{}", escape(host), escape(account));
    format!("otpauth://totp/{label}?secret={secret}&issuer={}&algorithm=SHA1&digits=6&period=30", escape(host))
}

/// RFC 4648 §6, without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const LETTERS: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
    ];
    let bits = bytes.len() * 8;
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let quintet = |start: usize| (start..start + 5).fold(0, |value, at| value << 1 | usize::from(bit(at)));
    (0..bits).step_by(5).filter_map(|start| LETTERS.get(quintet(start))).collect()
}

/// RFC 3986 §2.1, all but unreserved characters.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &Secret = b"12345678901234567890";

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, time / STEP), expected, "{time}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_around_and_once() {
        let now = 1_111_111_109;
        let step = accept(SECRET, "081804", now, 0);
        assert_eq!(step, Some(now / STEP));
        assert_eq!(accept(SECRET, "081 804", now + STEP, 0), step, "a step late, and with a space");
        assert_eq!(accept(SECRET, "081804", now - STEP, 0), step, "a step early");
        assert_eq!(accept(SECRET, "081804", now + 2 * STEP, 0), None);
        assert_eq!(accept(SECRET, "081804", now, now / STEP), None, "a second time");
        for wrong in ["", "0818040", "08180", "081805", "８１８０４"] {
            assert_eq!(accept(SECRET, wrong, now, 0), None, "{wrong}");
        }
    }

    /// RFC 4648 §10.
    #[test]
    fn secrets_are_written_in_base32() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let uri = uri("juliet@a.example", "a.example", "MZXW6");
        assert!(uri.starts_with("otpauth://totp/a.example:juliet%40a.example?secret=MZXW6&issuer=a.example"), "{uri}");
    }
}
