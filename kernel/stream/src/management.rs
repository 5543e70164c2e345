//! Stream management (XEP-0198): what its elements say, and the answers to them.
//!
//! The stream counts what the client sent and answers `<r/>`; what the client has
//! received is counted by the driver, which keeps the stanzas.

use xylem_stanza::{Condition, StreamCondition, ns};
use xylem_xml::{El, Node};

use crate::action::Action;
use crate::config::HostConfig;
use crate::conversation::Conversation;
use crate::error::StreamError;

/// What a client asks for with `<enable/>` (XEP-0198 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Enable {
    /// It would like to resume the stream.
    pub resume: bool,
    /// For how many seconds at most.
    pub max: Option<u32>,
}

impl Enable {
    /// Reads the element; values that mean nothing count as not given.
    pub fn parse(element: Node<'_>) -> Self {
        let resume = element.attr("resume").is_some_and(|resume| matches!(resume.trim(), "true" | "1"));
        let max = element.attr("max").and_then(|max| max.trim().parse().ok()).filter(|max| *max > 0);
        Self { resume, max }
    }
}

/// What a client asks for with `<resume/>` (XEP-0198 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The id that `<enabled/>` named.
    pub previd: String,
    /// How many of our stanzas it has received.
    pub h: u32,
}

impl Resume {
    /// None if one of the two is missing or is no number.
    pub fn parse(element: Node<'_>) -> Option<Self> {
        let previd = element.attr("previd").filter(|id| (1..=LONGEST_ID).contains(&id.len()))?.into_owned();
        Some(Self { previd, h: handled(element)? })
    }
}

/// XEP-0198 §5: an id should not be longer than this.
const LONGEST_ID: usize = 4000;

/// What was granted with `<enabled/>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Names the stream when it is resumed; nobody can guess it.
    pub id: String,
    /// For how many seconds it can be resumed; none if it cannot be.
    pub resume: Option<u32>,
}

/// A stream that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The address of its session.
    pub jid: xylem_stanza::FullJid,
    /// How many stanzas of the client the former connections handled.
    pub handled: u32,
}

/// Why a stream is not resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeRefusal {
    /// No such stream, not any more, or another account's. The number of stanzas that
    /// it had handled where that is remembered.
    NotFound(Option<u32>),
    /// The client claims to have received more than it was sent.
    HandledTooMany { h: u32, sent: u32 },
}

/// Grants stream management: the answer, and the driver's word to begin. The count of
/// the client's stanzas begins at zero with it.
pub(crate) fn grant(request: Enable, conversation: &mut Conversation, out: &mut Vec<Action>) -> El {
    let host = conversation.host();
    let longest = host.management.resume_seconds;
    let resume = (request.resume && longest > 0).then(|| request.max.map_or(longest, |max| max.min(longest)));
    let terms = Terms { id: conversation.env.token(), resume };
    let answer = enabled(&terms, &host);
    conversation.handled = Some(0);
    out.push(Action::Manage(terms));
    answer
}

fn enabled(terms: &Terms, host: &HostConfig) -> El {
    let element = El::new("enabled", ns::STREAM_MANAGEMENT);
    let Some(seconds) = terms.resume else { return element };
    element
        .attr("resume", "true")
        .attr("id", &terms.id)
        .attr("max", &seconds.to_string())
        .attr_opt("location", host.management.location.as_deref())
}

/// `<resumed/>`.
pub(crate) fn resumed(previd: &str, handled: u32) -> El {
    El::new("resumed", ns::STREAM_MANAGEMENT).attr("h", &handled.to_string()).attr("previd", previd)
}

/// `<failed/>` (XEP-0198 §6).
pub(crate) fn failed(condition: Condition, handled: Option<u32>) -> El {
    let handled = handled.map(|h| h.to_string());
    El::new("failed", ns::STREAM_MANAGEMENT)
        .attr_opt("h", handled.as_deref())
        .child(El::new(condition.as_str(), ns::STANZAS))
}

/// The answer to whatever comes at the wrong time.
pub(crate) fn unexpected() -> El {
    failed(Condition::UnexpectedRequest, None)
}

/// `<a/>`.
pub(crate) fn acknowledgement(handled: u32) -> String {
    format!("<a xmlns='{}' h='{handled}'/>", ns::STREAM_MANAGEMENT)
}

/// The `h` of an element.
pub(crate) fn handled(element: Node<'_>) -> Option<u32> {
    element.attr("h")?.trim().parse().ok()
}

/// XEP-0198 §6: more was acknowledged than was sent.
pub(crate) const fn too_high(h: u32, sent: u32) -> StreamError {
    StreamError {
        condition: StreamCondition::UndefinedCondition,
        text: Some("more stanzas were acknowledged than were sent"),
        handled_too_many: Some((h, sent)),
    }
}
