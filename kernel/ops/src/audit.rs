//! Who changed what, when, from where: one JSON object a line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::caller::Caller;
use crate::error::OpError;

/// The audit log of one server.
pub struct AuditLog {
    file: Mutex<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since 1970 UTC.
    at: u64,
    who: &'a str,
    from: &'a str,
    operation: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl AuditLog {
    /// Opens the file for appending; creates it readable for its owner alone.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Writes one line in one system call, so that lines never mix.
    pub fn write(&self, caller: &Caller, operation: &str, what: &str, error: Option<&OpError>) -> io::Result<()> {
        let line = Line {
            at: now(),
            who: &caller.who,
            from: &caller.from,
            operation,
            what,
            error: error.map(ToString::to_string),
        };
        let mut text = serde_json::to_vec(&line).map_err(io::Error::other)?;
        text.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)?;
        match error {
            None => tracing::info!(who = caller.who, from = caller.from, operation, "done: {what}"),
            Some(error) => tracing::warn!(who = caller.who, from = caller.from, operation, %error, "refused: {what}"),
        }
        Ok(())
    }

    /// Whether the file can still be written to.
    pub(crate) fn ready(&self) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
