//! The two ways in which SASL is written down: that of RFC 6120 §6 and that of XEP-0388.

use xylem_sasl::{Failure, SaslCondition, decode_payload, encode_payload};
use xylem_stanza::ns;
use xylem_xml::{El, Node};

/// Which of them an exchange uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Rfc6120,
    Sasl2,
}

impl Profile {
    pub(crate) fn of(namespace: &str) -> Option<Self> {
        match namespace {
            ns::SASL => Some(Self::Rfc6120),
            ns::SASL2 => Some(Self::Sasl2),
            _ => None,
        }
    }

    pub(crate) const fn ns(self) -> &'static str {
        match self {
            Self::Rfc6120 => ns::SASL,
            Self::Sasl2 => ns::SASL2,
        }
    }

    /// The element that begins an exchange.
    pub(crate) const fn opening(self) -> &'static str {
        match self {
            Self::Rfc6120 => "auth",
            Self::Sasl2 => "authenticate",
        }
    }

    /// The data that comes with the opening element, if any does.
    pub(crate) fn initial(self, opening: Node<'_>) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Rfc6120 => self.data(opening),
            Self::Sasl2 => match opening.child(ns::SASL2, "initial-response") {
                Some(element) => self.data(element),
                None => Ok(None),
            },
        }
    }

    /// The data that is the text of an element. With XEP-0388 §2.2 no text is data of
    /// zero length; with RFC 6120 §6.4.2 it is none.
    pub(crate) fn data(self, element: Node<'_>) -> Result<Option<Vec<u8>>, Failure> {
        if element.children().next().is_some() {
            return Err(failure(SaslCondition::MalformedRequest, "an element where base64 is due"));
        }
        let text = element.text();
        let decoded = match (self, &*text) {
            (Self::Sasl2, "") => Ok(Some(Vec::new())),
            (Self::Sasl2, "=") => Err(SaslCondition::IncorrectEncoding),
            (_, text) => decode_payload(text),
        };
        decoded.map_err(|condition| failure(condition, "the payload is not base64"))
    }

    pub(crate) fn challenge(self, data: &[u8]) -> El {
        El::new("challenge", self.ns()).text(&text(data))
    }

    /// `<failure/>` with the condition, which is of the same namespace in both (XEP-0388 §2.6.2).
    pub(crate) fn failure(self, condition: SaslCondition) -> El {
        let condition = match self {
            Self::Rfc6120 => El::new(condition.as_str(), ""),
            Self::Sasl2 => El::new(condition.as_str(), ns::SASL),
        };
        El::new("failure", self.ns()).child(condition)
    }
}

/// Data of zero length is no text at all: clients read that either way.
pub(crate) fn text(data: &[u8]) -> String {
    if data.is_empty() { String::new() } else { encode_payload(data) }
}

pub(crate) const fn failure(condition: SaslCondition, reason: &'static str) -> Failure {
    Failure { condition, reason }
}
