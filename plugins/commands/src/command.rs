//! The elements of XEP-0050, and its errors.

use xylem_sdk::prelude::*;

use crate::ns::COMMANDS;

/// `<command/>` as the server sends it.
pub(crate) fn command(node: &str, session: &str, status: &str) -> Xml {
    Xml::with_ns("command", COMMANDS)
        .attr("xml:lang", "en")
        .attr("node", node)
        .attr("sessionid", session)
        .attr("status", status)
}

/// `info`, `warn` or `error` for people to read.
pub(crate) fn note(kind: &str, text: &str) -> Xml {
    Xml::new("note").attr("type", kind).text(text)
}

/// The only stage of a form: to complete it.
pub(crate) fn actions() -> Xml {
    Xml::new("actions").attr("execute", "complete").child(Xml::new("complete"))
}

/// What may be wrong with a request (§4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    MalformedAction,
    BadAction,
    BadPayload,
    BadSession,
    Expired,
    Forbidden,
    Unknown,
}

impl Wrong {
    /// As a stanza error.
    pub(crate) fn failure(self) -> Failure {
        let (condition, specific) = match self {
            Self::MalformedAction => (Condition::BadRequest, Some("malformed-action")),
            Self::BadAction => (Condition::BadRequest, Some("bad-action")),
            Self::BadPayload => (Condition::BadRequest, Some("bad-payload")),
            Self::BadSession => (Condition::BadRequest, Some("bad-sessionid")),
            Self::Expired => (Condition::NotAllowed, Some("session-expired")),
            Self::Forbidden => (Condition::Forbidden, None),
            Self::Unknown => (Condition::ItemNotFound, None),
        };
        let failure = Failure::new(condition);
        specific.map_or(failure.clone(), |name| failure.app(Xml::with_ns(name, COMMANDS)))
    }

    /// The same with words.
    pub(crate) fn because(self, text: &str) -> Failure {
        self.failure().text(text)
    }
}
