//! Kinds and types.

/// The three stanzas (RFC 6120 §8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Push (RFC 6120 §8.2.1).
    Message,
    /// Broadcast (RFC 6120 §8.2.2).
    Presence,
    /// Request and response (RFC 6120 §8.2.3).
    Iq,
}

impl Kind {
    /// Name of the element.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
        }
    }

    /// The kind of this element name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "message" => Some(Self::Message),
            "presence" => Some(Self::Presence),
            "iq" => Some(Self::Iq),
            _ => None,
        }
    }
}

/// The type of a stanza, over all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Any stanza that reports a failure (RFC 6120 §8.3).
    Error,
    /// Message without a type, or of one that is not known (RFC 6121 §5.2.2).
    Normal,
    /// Message of a one-to-one conversation.
    Chat,
    /// Message of a room.
    Groupchat,
    /// Message that expects no reply.
    Headline,
    /// Presence without a type (RFC 6121 §4.7.1).
    Available,
    /// Presence: not available any more.
    Unavailable,
    /// Presence: asks for a subscription.
    Subscribe,
    /// Presence: grants one.
    Subscribed,
    /// Presence: ends one's own.
    Unsubscribe,
    /// Presence: refuses or revokes one.
    Unsubscribed,
    /// Presence: a server asks for the current one.
    Probe,
    /// IQ that asks.
    Get,
    /// IQ that sets.
    Set,
    /// IQ that answers.
    Result,
}

impl Type {
    /// The value of the `type` attribute; nothing for the types that are
    /// expressed by its absence.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::Normal | Self::Available => return None,
            Self::Error => "error",
            Self::Chat => "chat",
            Self::Groupchat => "groupchat",
            Self::Headline => "headline",
            Self::Unavailable => "unavailable",
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
            Self::Probe => "probe",
            Self::Get => "get",
            Self::Set => "set",
            Self::Result => "result",
        })
    }

    /// The type that a kind of stanza means by this attribute; nothing if the
    /// kind knows no such type.
    #[must_use]
    pub fn parse(kind: Kind, attribute: Option<&str>) -> Option<Self> {
        match kind {
            Kind::Message => Some(message(attribute)),
            Kind::Presence => presence(attribute),
            Kind::Iq => iq(attribute),
        }
    }

    /// Whether this presence manages a subscription (RFC 6121 §3).
    #[must_use]
    pub const fn is_subscription(self) -> bool {
        matches!(self, Self::Subscribe | Self::Subscribed | Self::Unsubscribe | Self::Unsubscribed)
    }

    /// Whether this IQ wants an answer.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

fn message(attribute: Option<&str>) -> Type {
    match attribute {
        Some("chat") => Type::Chat,
        Some("groupchat") => Type::Groupchat,
        Some("headline") => Type::Headline,
        Some("error") => Type::Error,
        _ => Type::Normal,
    }
}

fn presence(attribute: Option<&str>) -> Option<Type> {
    Some(match attribute {
        None => Type::Available,
        Some("unavailable") => Type::Unavailable,
        Some("subscribe") => Type::Subscribe,
        Some("subscribed") => Type::Subscribed,
        Some("unsubscribe") => Type::Unsubscribe,
        Some("unsubscribed") => Type::Unsubscribed,
        Some("probe") => Type::Probe,
        Some("error") => Type::Error,
        Some(_) => return None,
    })
}

fn iq(attribute: Option<&str>) -> Option<Type> {
    match attribute {
        Some("get") => Some(Type::Get),
        Some("set") => Some(Type::Set),
        Some("result") => Some(Type::Result),
        Some("error") => Some(Type::Error),
        _ => None,
    }
}
