//! Who changed what, when, from where: one JSON object a line, only ever appended, and bound to all lines before it,
//! over as many files as [`Retention`] makes of it.

mod chain;
pub mod list;
mod parts;
mod read;
mod sparing;
mod turning;
pub mod verify;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::argument;
use crate::caller::Caller;
use crate::error::OpError;
use crate::operation::{Operation, Spec};

pub use chain::{Break, VerifyReport};
pub use read::AuditQuery;
pub use sparing::Sparing;
pub use turning::Retention;

/// Longest line, in bytes, as far as it is long by what was given or is changed.
const LINE: usize = 16 << 10;
/// Longest text of it in words, in bytes.
const TEXT: usize = 2048;

/// The audit log of one server.
pub struct AuditLog {
    path: PathBuf,
    end: Mutex<End>,
}

/// Where the next line goes, and what it is bound to.
struct End {
    /// Of the file.
    number: u64,
    file: File,
    last: chain::Link,
    /// Bytes in the file.
    length: u64,
    /// Lines in it, as far as it matters whether there are several.
    lines: u64,
    /// When its first line was written, in milliseconds since 1970.
    begun: Option<u64>,
    retention: Retention,
}

/// A change, as it is about to be written down.
pub(crate) struct Change<'a> {
    pub(crate) caller: &'a Caller,
    operation: String,
    pub(crate) what: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

impl<'a> Change<'a> {
    pub(crate) fn of(spec: &Spec, caller: &'a Caller) -> Self {
        let operation = spec.name.clone().into_owned();
        let what = spec.help.trim_end_matches('.').to_owned();
        Self { caller, operation, what, arguments: Map::new(), before: Value::Null, after: Value::Null }
    }
}

/// One line of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRow {
    /// Milliseconds since 1970 UTC.
    pub at: u64,
    /// `root`, `uid 1000`, an account, an account with its token, or `server` for what it does by itself.
    pub who: String,
    /// `local socket`, a network address, or `server` for what it does by itself.
    pub from: String,
    /// `command-line`, `rest`, `console`, `ad-hoc`, or `schedule` for what the server does by itself because it is due.
    #[serde(default)]
    pub face: String,
    pub operation: String,
    /// In words.
    pub what: String,
    /// What was given, without secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// What it was about before, where that can be told.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// And afterwards.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// Why it was not done; none if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What binds it to all lines before it, SHA-256 in hexadecimal; `audit.verify` checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

impl AuditRow {
    /// Leaves out so much of what is long that the line is as long as one may be.
    fn fit(&mut self) {
        cut(&mut self.what);
        self.error.iter_mut().for_each(cut);
        for most in [4096, 512, 64, 0] {
            if serde_json::to_vec(self).is_ok_and(|line| line.len() <= LINE) {
                return;
            }
            let values = self.arguments.values_mut().chain([&mut self.before, &mut self.after]);
            values.for_each(|value| *value = argument::in_short(value, most));
        }
    }
}

fn cut(text: &mut String) {
    if text.len() > TEXT {
        text.truncate(text.floor_char_boundary(TEXT));
        text.push('…');
    }
}

impl AuditLog {
    /// Opens the file for appending; creates it readable for its owner alone.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        let mut end = [b'\n'];
        if length > 0 {
            file.read_exact_at(&mut end, length - 1)?;
        }
        if end != [b'\n'] {
            // The last line broke off; the next one is to be a line of its own.
            file.write_all(b"\n")?;
        }
        let shelved = parts::all_shelved(path)?;
        let last = match shelved.last() {
            Some(before) if length == 0 => chain::last(&File::open(&before.path)?)?,
            _ => chain::last(&file)?,
        };
        let mut found = turning::found(path, file, last, Retention::default())?;
        if length == 0 && !shelved.is_empty() {
            // The last server ended between closing one file and beginning the next.
            found.begin(found.number)?;
        }
        Ok(Self { path: path.to_path_buf(), end: Mutex::new(found) })
    }

    /// Writes down what happened outside the table: who signed in, and how.
    pub fn event(&self, caller: &Caller, operation: &str, what: String, error: Option<&OpError>) -> io::Result<()> {
        let operation = operation.to_owned();
        let change = Change { caller, operation, what, arguments: Map::new(), before: Value::Null, after: Value::Null };
        self.write(change, error)
    }

    /// Writes down what the server did by itself, as what somebody could have asked it for. Of what it is about,
    /// `states` are how it was before and how it is afterwards; null where nothing has changed.
    pub fn by_itself<O: Operation>(
        &self,
        operation: &O,
        states: (Value, Value),
        error: Option<&OpError>,
    ) -> io::Result<()> {
        let (spec, server) = (O::spec(), Caller::server());
        let given = serde_json::to_value(operation).ok().and_then(|given| given.as_object().cloned());
        let arguments = argument::without_secrets(&spec.arguments, &given.unwrap_or_default());
        let (before, after) = states;
        let change = Change { what: operation.audit(), arguments, before, after, ..Change::of(&spec, &server) };
        self.write(change, error)
    }

    /// Writes one line in one system call, so that lines never mix.
    pub(crate) fn write(&self, change: Change<'_>, error: Option<&OpError>) -> io::Result<()> {
        let Change { caller, operation, what, arguments, before, after } = change;
        let mut row = AuditRow {
            at: now(),
            who: caller.who.clone(),
            from: caller.from.clone(),
            face: caller.face.word().to_owned(),
            operation,
            what,
            arguments,
            before,
            after,
            error: error.map(ToString::to_string),
            chain: None,
        };
        {
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            if end.is_due(row.at)
                && let Err(error) = self.turn(&mut end)
            {
                tracing::error!(%error, "the audit log stays in its file, which is full or old");
            }
            row.fit();
            end.append(&row)?;
        }
        let AuditRow { who, from, operation, what, .. } = &row;
        match error {
            None => tracing::info!(who, from, operation, "done: {what}"),
            Some(error) => tracing::warn!(who, from, operation, %error, "refused: {what}"),
        }
        Ok(())
    }

    /// Reads all of it and says whether it still is what was written; `head` is a `chain` that was seen earlier.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn verify(&self, head: Option<&str>) -> io::Result<VerifyReport> {
        chain::verify(&self.parts()?, head)
    }

    /// All files, the oldest first; the last one is written to.
    fn parts(&self) -> io::Result<Vec<parts::Part>> {
        // While none is moved.
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = parts::all_shelved(&self.path)?;
        parts.push(parts::Part { number: end.number, path: self.path.clone() });
        Ok(parts)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file can still be written to.
    pub(crate) fn ready(&self) -> io::Result<()> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl End {
    fn append(&mut self, row: &AuditRow) -> io::Result<()> {
        let object = serde_json::to_vec(row).map_err(io::Error::other)?;
        let (text, link) = chain::bind(&self.last, &object);
        self.file.write_all(&text)?;
        self.last = link;
        self.length += text.len() as u64;
        self.lines += 1;
        self.begun.get_or_insert(row.at);
        Ok(())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
