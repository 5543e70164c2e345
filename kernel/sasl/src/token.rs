//! The HT family of mechanisms: one message proves the possession of a token
//! (draft-schmaus-kitten-sasl-ht §3), as FAST uses them (XEP-0484).

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::condition::SaslCondition;
use crate::exchange::Failure;
use crate::offer::ChannelBindings;

/// A mechanism of the family, with SHA-256. A token is made for one of them and is
/// worth nothing with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenMechanism {
    /// Bound to `tls-exporter` (RFC 9266).
    Exporter,
    /// Bound to `tls-server-end-point` (RFC 5929 §4).
    EndPoint,
    /// Bound to nothing, for clients that cannot see their TLS connection.
    Unbound,
}

impl TokenMechanism {
    /// All of them, strongest first.
    pub const ALL: [Self; 3] = [Self::Exporter, Self::EndPoint, Self::Unbound];

    /// The name, `HT-SHA-256-` and the kind of binding.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exporter => "HT-SHA-256-EXPR",
            Self::EndPoint => "HT-SHA-256-ENDP",
            Self::Unbound => "HT-SHA-256-NONE",
        }
    }

    /// The mechanism of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// What goes into the proof beside the token; `None` where the connection has no
    /// such binding.
    pub fn binding(self, bindings: &ChannelBindings) -> Option<&[u8]> {
        match self {
            Self::Exporter => bindings.get("tls-exporter"),
            Self::EndPoint => bindings.get("tls-server-end-point"),
            Self::Unbound => Some(&[]),
        }
    }
}

/// `initiator-msg`: who the client is, and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMessage {
    /// Not yet prepared.
    pub username: String,
    /// `HMAC(token, "Initiator" || cb-data)`.
    pub proof: [u8; 32],
}

impl TokenMessage {
    /// Reads the initial response: a name, a zero byte, 32 bytes.
    pub fn parse(message: &[u8]) -> Result<Self, Failure> {
        let malformed = || Failure { condition: SaslCondition::MalformedRequest, reason: "not a proof of a token" };
        let at = message.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
        let (username, proof) = message.split_at_checked(at).ok_or_else(malformed)?;
        let username = std::str::from_utf8(username).ok().filter(|name| (1..=1023).contains(&name.len()));
        let proof = proof.get(1..).and_then(|proof| proof.try_into().ok());
        Ok(Self { username: username.ok_or_else(malformed)?.to_owned(), proof: proof.ok_or_else(malformed)? })
    }

    /// Whether this token made the proof; takes the same time for all.
    pub fn proves(&self, token: &str, binding: &[u8]) -> bool {
        sign(token, b"Initiator", binding).ct_eq(&self.proof).into()
    }
}

/// `responder-msg`, by which the server proves that it knows the token as well.
pub fn token_answer(token: &str, binding: &[u8]) -> [u8; 32] {
    sign(token, b"Responder", binding)
}

fn sign(token: &str, who: &[u8], binding: &[u8]) -> [u8; 32] {
    // A key of any length is accepted; the error branch cannot be reached.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(token.as_bytes()) else { return [0; 32] };
    mac.chain_update(who).chain_update(binding).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The draft has no vectors. These were computed by another implementation of
    /// HMAC (OpenSSL) from the definition in its §3.
    #[test]
    fn known_proofs() {
        let token = "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm";
        let proof = "9097787461a184e0fa84ec00c1381190b6c4d16a8ec4453c7b2ac5e7fcf935ed";
        let bytes = (0..32).map(|n| u8::from_str_radix(proof.get(2 * n..2 * n + 2).unwrap(), 16).unwrap());
        let bytes = [b"user\0".to_vec(), bytes.collect()].concat();
        let message = TokenMessage::parse(&bytes).unwrap();
        assert_eq!(message.username, "user");
        assert!(message.proves(token, &[]));
        assert!(!message.proves(token, &[0]));
        assert!(!message.proves("another", &[]));
        assert_eq!(
            hex(&token_answer(token, &[0xe7; 32])),
            "349dd43d6716eb04f5242b2ef3b26c42ad506de8330d7abbe146684ff7a328ed"
        );
    }

    #[test]
    fn what_is_no_proof_is_malformed() {
        let long = [b"u\0".as_slice(), &[1; 33]].concat();
        let nameless = [b"\0".as_slice(), &[1; 32]].concat();
        let foreign = [b"\xff\0".as_slice(), &[1; 32]].concat();
        for bad in [&b""[..], b"user", b"user\0", b"user\0short", &long, &nameless, &foreign] {
            let failure = TokenMessage::parse(bad).unwrap_err();
            assert_eq!(failure.condition, SaslCondition::MalformedRequest, "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_bound_to_what_the_connection_has() {
        let bindings = ChannelBindings { tls_exporter: Some([3; 32]), tls_server_end_point: None };
        assert_eq!(TokenMechanism::Exporter.binding(&bindings), Some(&[3; 32][..]));
        assert_eq!(TokenMechanism::EndPoint.binding(&bindings), None);
        assert_eq!(TokenMechanism::Unbound.binding(&bindings), Some(&[][..]));
        for mechanism in TokenMechanism::ALL {
            assert_eq!(TokenMechanism::parse(mechanism.name()), Some(mechanism));
        }
    }
}
