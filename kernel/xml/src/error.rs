//! Why a stream cannot go on.

/// A violation found while framing or indexing.
///
/// The peer is at fault in every case, and every one of them is fatal for a
/// stream (RFC 6120 §4.9.1.1): send [`XmlError::stream_condition`], close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Breaks the grammar of XML 1.0 (RFC 6120 §4.9.3.13).
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// Well-formed, but forbidden in XMPP: comment, processing instruction,
    /// document type or undefined entity (RFC 6120 §11.1, §4.9.3.18).
    #[error("restricted XML: {0}")]
    Restricted(&'static str),
    /// A prefix that nothing declares, or a forbidden use of one
    /// (RFC 6120 §4.9.3.2).
    #[error("bad namespace prefix: {0}")]
    BadPrefix(&'static str),
    /// Character data where only stanzas may stand (RFC 6120 §4.9.3.1).
    #[error("bad format: {0}")]
    BadFormat(&'static str),
    /// Not UTF-8, or declared to be something else (RFC 6120 §4.9.3.22).
    #[error("unsupported encoding: {0}")]
    InvalidEncoding(&'static str),
    /// An element or a stream header longer than [`crate::Limits::stanza_bytes`].
    #[error("element larger than the limit")]
    TooBig,
    /// Elements nested deeper than [`crate::Limits::depth`].
    #[error("elements nested deeper than the limit")]
    TooDeep,
    /// More attributes on one element, or more prefixes in scope, than
    /// [`crate::Limits::attributes`].
    #[error("more attributes than the limit")]
    TooManyAttributes,
    /// A qualified name longer than [`crate::Limits::name_bytes`].
    #[error("name longer than the limit")]
    NameTooLong,
}

impl XmlError {
    /// The name of the stream error that RFC 6120 §4.9.3 gives this violation.
    #[must_use]
    pub fn stream_condition(&self) -> &'static str {
        match self {
            Self::NotWellFormed(_) => "not-well-formed",
            Self::Restricted(_) => "restricted-xml",
            Self::BadPrefix(_) => "bad-namespace-prefix",
            Self::BadFormat(_) => "bad-format",
            Self::InvalidEncoding(_) => "unsupported-encoding",
            Self::TooBig | Self::TooDeep | Self::TooManyAttributes | Self::NameTooLong => "policy-violation",
        }
    }

    /// Whether a limit was exceeded rather than a rule of XML broken.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooBig | Self::TooDeep | Self::TooManyAttributes | Self::NameTooLong)
    }
}
