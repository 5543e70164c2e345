//! `session.*`: connected resources.

pub mod message;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;
use crate::page::{Page, Paging};

/// A bound resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// What its client calls itself: in `session.show` what it said when it logged in (XEP-0388 §2.3), else the site
    /// that its capabilities name (XEP-0115 §4).
    #[serde(default)]
    pub client: Option<String>,
    /// `TLSv1.3`; none without TLS.
    #[serde(default)]
    pub tls: Option<String>,
    /// The cipher suite's IANA name.
    #[serde(default)]
    pub cipher: Option<String>,
    /// The SASL mechanism.
    #[serde(default)]
    pub mechanism: String,
    /// Its account ends with it (RFC 4505).
    #[serde(default)]
    pub anonymous: bool,
    /// When it was bound, in seconds since 1970 UTC.
    #[serde(default)]
    pub since: u64,
    /// Stanzas and bytes of XML, from the client and to it.
    #[serde(default)]
    pub stanzas_in: u64,
    #[serde(default)]
    pub stanzas_out: u64,
    #[serde(default)]
    pub bytes_in: u64,
    #[serde(default)]
    pub bytes_out: u64,
}

/// What a session does about stream management (XEP-0198).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    pub sessions: usize,
}

operation! {
    #[derive(Default)]
    List { account: Option<String>, domain: Option<String>, #[serde(flatten)] paging: Paging } -> Page<SessionRow>,
    name: "session.list",
    help: "Lists connected resources.",
    route: get "/sessions",
    arguments: [
        Argument::optional("account", Kind::Account, "only those of this account"),
        Argument::optional("domain", Kind::Domain, "only those of this domain"),
    ],
    pages: ["jid", "since", "queued", "priority", "traffic"],
    result: "a list of sessions",
    roles: Roles::SEE.and_own(),
    about: About::AccountOrDomain,
    run: |it, backend| backend.sessions.list(it.account, it.domain, it.paging),
}

operation! {
    End { account: String, resource: Option<String> } -> Ended,
    name: "session.end",
    help: "Closes one resource's stream, or all of an account.",
    route: delete "/sessions/{account}",
    arguments: [
        Argument::required("account", Kind::Account, "the account's address, name@domain"),
        Argument::optional("resource", Kind::Text { max: 1023 }, "only this resource"),
    ],
    result: "how many were told to end",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    danger: Danger::confirm("The client is disconnected; it may connect again."),
    audit: |it| {
        match &it.resource {
            Some(resource) => format!("end the session {}/{resource}", it.account),
            None => format!("end all sessions of {}", it.account),
        }
    },
    run: |it, backend| backend.sessions.end(it.account, it.resource),
}
