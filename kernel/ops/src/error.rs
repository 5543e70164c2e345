use serde::{Deserialize, Serialize};

/// Why an operation was not done. Faces turn the kind into an exit code or an HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", content = "message", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OpError {
    /// The caller's fault: no operation of this name.
    #[error("there is no operation {0}")]
    UnknownOperation(String),
    /// The caller's fault: an argument is missing, unknown or out of its bounds.
    #[error("{0}")]
    Invalid(String),
    /// The caller lacks the permission.
    #[error("not allowed: {0}")]
    Denied(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It exists already, or its state forbids the operation.
    #[error("{0}")]
    Conflict(String),
    /// Not now: the server is stopping, or its store is read-only.
    #[error("{0}")]
    Unavailable(String),
    /// The server's fault; its log says more.
    #[error("{0}")]
    Failed(String),
}
