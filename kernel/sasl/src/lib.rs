//! SASL for the server (RFC 6120 §6), without I/O: mechanisms, the secrets an
//! account is checked against, and the brake on guessing.
//!
//! A stream keeps one [`Offer`] and makes an [`Exchange`] for each `<auth/>`.
//! The exchange answers every input with a [`Step`]:
//!
//! ```text
//! Exchange::new → initial ─┬→ Challenge → respond ─┐
//!                          ├→ NeedSecrets → provide┤ ... → Success | Failure
//! ```
//!
//! The simple mechanisms are rsasl's, with the looking up of secrets around it, because
//! rsasl's callbacks cannot wait. SCRAM is written here: rsasl panics on some malformed
//! messages, and signs no optional attributes, which XEP-0474 is made of. With stored keys
//! a SCRAM login costs the server a few HMACs; only PLAIN costs it PBKDF2.

mod condition;
mod decoy;
mod encoding;
mod engine;
mod exchange;
pub mod hostile;
mod mechanism;
mod offer;
mod payload;
mod scram;
mod secrets;
mod throttle;
mod token;
mod verifier;

pub use condition::SaslCondition;
pub use decoy::DecoyKey;
pub use encoding::DecodeError;
pub use exchange::{Exchange, Failure, Identity, Lookup, Standing, Step};
pub use mechanism::{Hash, Mechanism};
pub use offer::{Addressing, ChannelBindings, Offer};
pub use payload::{decode_payload, encode_payload};
pub use secrets::{DEFAULT_ITERATIONS, ITERATIONS, PasswordError, SALT_BYTES, Secrets, StoredKeys};
pub use throttle::{Blocked, Rate, Throttle, ThrottleConfig};
pub use token::{TokenMechanism, TokenMessage, token_answer};
