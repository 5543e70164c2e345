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
//! The mechanisms themselves are rsasl's. Around it stand the grammar check of
//! SCRAM messages, because rsasl panics on some malformed ones, and the looking
//! up of secrets, because rsasl's callbacks cannot wait. With stored keys a
//! SCRAM login costs the server a few HMACs; only PLAIN costs it PBKDF2.

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
