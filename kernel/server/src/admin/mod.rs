//! The admin socket: one JSON object a line each way, for root and the server's
//! own user.

mod socket;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xylem_ops::OpError;

pub use socket::AdminSocket;

/// What the command line asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub operation: String,
    #[serde(default)]
    pub arguments: Value,
    /// Further arguments as texts, which become values as the operation's specification says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// Not an operation: answered with what operations there are.
    pub const OPERATIONS: &'static str = "operations";
}

/// What the server answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    Ok(Value),
    Error(OpError),
}
