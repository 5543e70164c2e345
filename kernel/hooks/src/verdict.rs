//! What a plugin says about a stanza.

/// A stanza error that a plugin asks for; the router turns it into an error stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A defined condition of RFC 6120 §8.3.3, checked by the host.
    pub condition: xylem_stanza::Condition,
    /// The error type, where it differs from the condition's usual one.
    pub kind: Option<xylem_stanza::ErrorType>,
    /// Human-readable text.
    pub text: Option<String>,
    /// One application-specific element, well-formed, namespaces explicit.
    pub app: Option<String>,
}

/// What happens to a stanza after a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Pass,
    /// Dealt with; nobody further sees it.
    Stop,
    /// Answer with an error and stop.
    Reject(Failure),
}
