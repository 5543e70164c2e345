//! Understanding the opening tag, and what must be inside an IQ.

use xylem_xml::{Node, XmlError};

use super::{Kind, Type};
use crate::{Condition, Jid, ns};

/// Why an element is not a stanza that can be routed. The sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StanzaError {
    /// Not a message, presence or IQ: the stream error
    /// `unsupported-stanza-type` follows (RFC 6120 §4.9.3.24).
    #[error("not a stanza")]
    NotAStanza,
    /// Answer with `bad-request` (RFC 6120 §8.3.3.1).
    #[error("bad request: {0}")]
    BadRequest(&'static str),
    /// The addressee is no address: answer with `jid-malformed`
    /// (RFC 6120 §8.1.1.1, §8.3.3.8).
    #[error("malformed address in 'to'")]
    MalformedTo,
    /// The sender is no address. On a client's stream that is the stream error
    /// `invalid-from` (RFC 6120 §8.1.2.1).
    #[error("malformed address in 'from'")]
    MalformedFrom,
    /// Text given by one of our own parts is not XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

impl StanzaError {
    /// The condition for the reply; nothing if the stream has to end instead.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        match self {
            Self::NotAStanza => None,
            Self::BadRequest(_) | Self::Xml(_) => Some(Condition::BadRequest),
            Self::MalformedTo | Self::MalformedFrom => Some(Condition::JidMalformed),
        }
    }
}

pub(super) fn kind_and_type(root: Node<'_>) -> Result<(Kind, Type), StanzaError> {
    if root.ns() != ns::CLIENT {
        return Err(StanzaError::NotAStanza);
    }
    let kind = Kind::parse(root.name()).ok_or(StanzaError::NotAStanza)?;
    let type_ = Type::parse(kind, root.attr("type").as_deref()).ok_or(StanzaError::BadRequest("unknown type"))?;
    Ok((kind, type_))
}

/// Sender and addressee. An empty attribute counts as none: old clients send
/// `to=''`.
pub(super) fn addresses(root: Node<'_>) -> Result<(Option<Jid>, Option<Jid>), StanzaError> {
    let jid = |name, error| match root.attr(name) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => Jid::parse(&text).map(Some).map_err(|_| error),
    };
    Ok((jid("from", StanzaError::MalformedFrom)?, jid("to", StanzaError::MalformedTo)?))
}

/// RFC 6120 §8.2.3: an id; one child in a request, at most one in a result.
pub(super) fn check_iq(root: Node<'_>, type_: Type) -> Result<(), StanzaError> {
    if root.attr("id").is_none_or(|id| id.is_empty()) {
        return Err(StanzaError::BadRequest("an IQ needs an id"));
    }
    let children = root.children().take(2).count();
    match type_ {
        Type::Get | Type::Set if children != 1 => Err(StanzaError::BadRequest("a request needs one child")),
        Type::Result if children > 1 => Err(StanzaError::BadRequest("a result has at most one child")),
        _ => Ok(()),
    }
}
