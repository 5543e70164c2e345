use serde::{Deserialize, Serialize};

/// What somebody may do, from least to most. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// See how the server does, but nobody's address.
    Observe,
    /// See and manage accounts and sessions.
    Operate,
    /// Everything: plugins, configuration, the data itself.
    Own,
}

/// Who asks for an operation, as established by the face it came through.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the audit log: `root`, `uid 1000`, an account.
    pub who: String,
    /// For the audit log: `local socket`, an address.
    pub from: String,
    pub permission: Permission,
}
