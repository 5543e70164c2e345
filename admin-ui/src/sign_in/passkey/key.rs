//! Public keys of authenticators (RFC 9052 §7, RFC 9053).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::PasskeyError;
use super::cbor::Value;

/// ES256, EdDSA and RS256 as COSE numbers them, most wanted first. The last is all that some
/// Windows machines can do.
pub(super) const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// A key that can check signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Key {
    /// ECDSA on P-256 with SHA-256; the uncompressed point.
    Es256 { point: String },
    /// Ed25519.
    Ed25519 { key: String },
    /// RSASSA-PKCS1-v1_5 with SHA-256; 2048 bits or more.
    Rs256 { modulus: String, exponent: String },
}

impl Key {
    /// Reads a `COSE_Key`.
    pub(super) fn from_cose(value: &Value<'_>) -> Result<Self, PasskeyError> {
        const KIND: i64 = 1;
        const ALGORITHM: i64 = 3;
        let unknown = PasskeyError::Refused("its kind of key is not supported");
        let entry = |label| value.entry(&Value::Number(label));
        let number = |label| entry(label).and_then(Value::number);
        let bytes = |label| entry(label).and_then(Value::bytes);
        let of_length = |label, length| bytes(label).filter(|bytes| bytes.len() == length).ok_or(unknown);
        match (number(KIND), number(ALGORITHM), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let (x, y) = (of_length(-2, 32)?, of_length(-3, 32)?);
                Ok(Self::Es256 { point: BASE64.encode([&[4], x, y].concat()) })
            }
            (Some(1), Some(-8), Some(6)) => Ok(Self::Ed25519 { key: BASE64.encode(of_length(-2, 32)?) }),
            (Some(3), Some(-257), None) => {
                let modulus = bytes(-1).filter(|n| (256..=1024).contains(&n.len())).ok_or(unknown)?;
                let exponent = bytes(-2).filter(|e| (1..=4).contains(&e.len())).ok_or(unknown)?;
                Ok(Self::Rs256 { modulus: BASE64.encode(modulus), exponent: BASE64.encode(exponent) })
            }
            _ => Err(unknown),
        }
    }

    /// Whether the signature over the message is of this key.
    pub(super) fn verify(&self, message: &[u8], signed: &[u8]) -> bool {
        let decode = |text: &String| BASE64.decode(text).unwrap_or_default();
        let outcome = match self {
            Self::Es256 { point } => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, decode(point)).verify(message, signed)
            }
            Self::Ed25519 { key } => UnparsedPublicKey::new(&signature::ED25519, decode(key)).verify(message, signed),
            Self::Rs256 { modulus, exponent } => {
                let (n, e) = (decode(modulus), decode(exponent));
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed)
            }
        };
        outcome.is_ok()
    }
}
