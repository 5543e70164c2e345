//! The text inside `<auth/>`, `<challenge/>`, `<response/>` and `<success/>`
//! (RFC 6120 §6.4.2–§6.4.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::condition::SaslCondition;

/// Decodes the text of `<auth/>` or `<response/>`.
///
/// No text at all means that no data was sent (`None`); a single `=` means
/// data of zero length (RFC 6120 §6.4.2). White space, missing padding or any
/// other departure from RFC 4648 §4 is `incorrect-encoding`.
pub fn decode_payload(text: &str) -> Result<Option<Vec<u8>>, SaslCondition> {
    match text {
        "" => Ok(None),
        "=" => Ok(Some(Vec::new())),
        data => STANDARD.decode(data).map(Some).map_err(|_| SaslCondition::IncorrectEncoding),
    }
}

/// Encodes data for `<challenge/>` or `<success/>`; data of zero length is `=`.
pub fn encode_payload(data: &[u8]) -> String {
    if data.is_empty() { "=".to_owned() } else { STANDARD.encode(data) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn nothing_and_zero_length_are_different() {
        assert_eq!(decode_payload("").unwrap(), None);
        assert_eq!(decode_payload("=").unwrap(), Some(vec![]));
        assert_eq!(encode_payload(b""), "=");
    }

    #[test]
    fn anything_but_strict_base64_is_refused() {
        for bad in ["====", "A", "AA", "AA=", "A A=", "AAAA\n", "AB==", "é", "-_==", "==", "AAA=A"] {
            assert_eq!(decode_payload(bad), Err(SaslCondition::IncorrectEncoding), "{bad:?}");
        }
        assert_eq!(decode_payload("AAAA").unwrap(), Some(vec![0, 0, 0]));
        assert_eq!(decode_payload(&encode_payload(b"any")).unwrap(), Some(b"any".to_vec()));
    }
}
