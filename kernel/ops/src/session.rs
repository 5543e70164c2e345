//! `session.*`: connected resources.

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::backend::{Answer, Backend};
use crate::caller::Permission;
use crate::operation::{Operation, Spec};

/// A bound resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Full JID.
    pub jid: String,
    /// Whether it sent available presence.
    pub available: bool,
    pub priority: i8,
    /// Its network address, where one is known.
    pub peer: Option<String>,
    /// Seconds since it was bound.
    pub seconds: Option<u64>,
    /// Bytes that wait to be written to it.
    pub queued: u64,
}

/// How many sessions were told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub sessions: usize,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct List {
    pub account: Option<String>,
    pub domain: Option<String>,
    pub limit: Option<usize>,
}

impl List {
    /// How many sessions are listed unless the caller says otherwise.
    pub const LIMIT: usize = 1000;
}

impl Operation for List {
    const SPEC: Spec = Spec {
        name: "session.list",
        help: "Lists connected resources.",
        arguments: &[
            Argument::optional("account", Kind::Account, "only those of this account"),
            Argument::optional("domain", Kind::Text { max: 1023 }, "only those of this domain"),
            Argument::optional("limit", Kind::Number { min: 1, max: 10_000 }, "at most so many; 1000 unless given"),
        ],
        result: "a list of sessions",
        permission: Permission::Operate,
        changes: false,
    };
    type Output = Vec<SessionRow>;

    fn run(self, backend: &Backend) -> Answer<'_, Vec<SessionRow>> {
        backend.sessions.list(self.account, self.domain, self.limit.unwrap_or(Self::LIMIT))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    pub account: String,
    pub resource: Option<String>,
}

impl Operation for End {
    const SPEC: Spec = Spec {
        name: "session.end",
        help: "Closes one resource's stream, or all of an account.",
        arguments: &[
            Argument::required("account", Kind::Account, "the account's address, name@domain"),
            Argument::optional("resource", Kind::Text { max: 1023 }, "only this resource"),
        ],
        result: "how many were told to end",
        permission: Permission::Operate,
        changes: true,
    };
    type Output = Ended;

    fn audit(&self) -> String {
        match &self.resource {
            Some(resource) => format!("end the session {}/{resource}", self.account),
            None => format!("end all sessions of {}", self.account),
        }
    }

    fn run(self, backend: &Backend) -> Answer<'_, Ended> {
        backend.sessions.end(self.account, self.resource)
    }
}
