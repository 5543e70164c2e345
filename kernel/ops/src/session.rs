//! `session.*`: connected resources.

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::operation::operation;

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
    #[serde(default)]
    pub management: Management,
    /// Stanzas that were sent to it and that it has not acknowledged.
    #[serde(default)]
    pub unacknowledged: u64,
    /// Its client said that nobody looks at it (XEP-0352).
    #[serde(default)]
    pub inactive: bool,
}

/// What a session does about stream management (XEP-0198).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Management {
    /// Nothing.
    #[default]
    None,
    /// It acknowledges stanzas.
    Acknowledging,
    /// It does, and could be resumed if its connection broke.
    Resumable,
    /// Its connection broke; it waits for its client.
    Hibernated,
}

impl Management {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Acknowledging => "acknowledging",
            Self::Resumable => "resumable",
            Self::Hibernated => "hibernated",
        }
    }
}

/// How many sessions were told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub sessions: usize,
}

impl List {
    /// How many sessions are listed unless the caller says otherwise.
    pub const LIMIT: usize = 1000;
}

operation! {
    #[derive(Default)]
    List { account: Option<String>, domain: Option<String>, limit: Option<usize> } -> Vec<SessionRow>,
    name: "session.list",
    help: "Lists connected resources.",
    arguments: [
        Argument::optional("account", Kind::Account, "only those of this account"),
        Argument::optional("domain", Kind::Text { max: 1023 }, "only those of this domain"),
        Argument::optional("limit", Kind::Number { min: 1, max: 10_000 }, "at most so many; 1000 unless given"),
    ],
    result: "a list of sessions",
    permission: Operate,
    run: |it, backend| backend.sessions.list(it.account, it.domain, it.limit.unwrap_or(Self::LIMIT)),
}

operation! {
    End { account: String, resource: Option<String> } -> Ended,
    name: "session.end",
    help: "Closes one resource's stream, or all of an account.",
    arguments: [
        Argument::required("account", Kind::Account, "the account's address, name@domain"),
        Argument::optional("resource", Kind::Text { max: 1023 }, "only this resource"),
    ],
    result: "how many were told to end",
    permission: Operate,
    audit: |it| {
        match &it.resource {
            Some(resource) => format!("end the session {}/{resource}", it.account),
            None => format!("end all sessions of {}", it.account),
        }
    },
    run: |it, backend| backend.sessions.end(it.account, it.resource),
}
