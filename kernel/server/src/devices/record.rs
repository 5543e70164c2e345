//! The devices of one account as they lie in the store: JSON, so that an export can be read.
//! No token is in it, nor the id by which a device calls itself.

use serde::{Deserialize, Serialize};

/// One installation of a client that may log in with a token (XEP-0484).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Device {
    /// What the server calls it: [`xylem_stream::UserAgent::name`].
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) software: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<String>,
    /// Seconds since 1970 UTC: when it got its first token.
    pub(super) since: u64,
    /// When it was last seen, give or take [`SEEN_STEP`].
    pub(super) seen: u64,
    /// The account's credentials at that time. With others its tokens are worth nothing.
    pub(super) credentials: String,
    /// The token it last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<Kept>,
    /// The token it last got and has not used (XEP-0484 §5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fresh: Option<Kept>,
}

/// What a token is made from, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The mechanism that it is good for.
    pub(super) mechanism: String,
    /// Random, in hexadecimal digits.
    pub(super) salt: String,
    pub(super) issued: u64,
    pub(super) expires: u64,
    /// The highest count with which it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
}

/// Seconds by which the time a device was last seen may be behind, so that a login costs no commit.
pub(super) const SEEN_STEP: u64 = 3600;

/// Devices of one account that are kept; the one not seen for the longest time gives way.
pub(super) const MOST: usize = 32;

pub(super) fn encode(devices: &[Device]) -> Option<Vec<u8>> {
    if devices.is_empty() { None } else { serde_json::to_vec(devices).ok() }
}

/// What cannot be read is no device.
pub(super) fn decode(bytes: &[u8]) -> Vec<Device> {
    serde_json::from_slice(bytes).unwrap_or_default()
}
