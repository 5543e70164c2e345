//! Conditions of stanza errors and stream errors.

/// What the sender of a stanza that failed may do about it (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// Retry after providing credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Proceed, this was only a warning.
    Continue,
    /// Retry after changing the data sent.
    Modify,
    /// Retry after waiting.
    Wait,
}

impl ErrorType {
    /// The value of the `type` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Auth, Self::Cancel, Self::Continue, Self::Modify, Self::Wait].into_iter().find(|t| t.as_str() == name)
    }
}

macro_rules! conditions {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of the RFC.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of the condition's element.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The condition of this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

conditions! {
    /// A stanza error (RFC 6120 §8.3.3).
    Condition {
        /// §8.3.3.1: malformed, or not understood.
        BadRequest = "bad-request",
        /// §8.3.3.2: something of that name or address exists.
        Conflict = "conflict",
        /// §8.3.3.3: not implemented.
        FeatureNotImplemented = "feature-not-implemented",
        /// §8.3.3.4: lacks the permission.
        Forbidden = "forbidden",
        /// §8.3.3.5: can no longer be reached at this address.
        Gone = "gone",
        /// §8.3.3.6: the server failed.
        InternalServerError = "internal-server-error",
        /// §8.3.3.7: no such address or item.
        ItemNotFound = "item-not-found",
        /// §8.3.3.8: an address is not one (RFC 7622).
        JidMalformed = "jid-malformed",
        /// §8.3.3.9: does not meet criteria of the recipient.
        NotAcceptable = "not-acceptable",
        /// §8.3.3.10: nobody may do this.
        NotAllowed = "not-allowed",
        /// §8.3.3.11: credentials are needed first.
        NotAuthorized = "not-authorized",
        /// §8.3.3.12: breaks a local policy.
        PolicyViolation = "policy-violation",
        /// §8.3.3.13: temporarily not there.
        RecipientUnavailable = "recipient-unavailable",
        /// §8.3.3.14: ask somebody else.
        Redirect = "redirect",
        /// §8.3.3.15: register first.
        RegistrationRequired = "registration-required",
        /// §8.3.3.16: no such server.
        RemoteServerNotFound = "remote-server-not-found",
        /// §8.3.3.17: the other server did not answer in time.
        RemoteServerTimeout = "remote-server-timeout",
        /// §8.3.3.18: too busy or out of room.
        ResourceConstraint = "resource-constraint",
        /// §8.3.3.19: does not provide this service.
        ServiceUnavailable = "service-unavailable",
        /// §8.3.3.20: subscribe first.
        SubscriptionRequired = "subscription-required",
        /// §8.3.3.21: none of the others.
        UndefinedCondition = "undefined-condition",
        /// §8.3.3.22: understood, but out of order.
        UnexpectedRequest = "unexpected-request",
    }
}

impl Condition {
    /// The type that RFC 6120 §8.3.3 associates with the condition. Where it
    /// leaves a choice, the one a client can act on.
    #[must_use]
    pub const fn default_type(self) -> ErrorType {
        match self {
            Self::BadRequest | Self::JidMalformed | Self::NotAcceptable | Self::PolicyViolation | Self::Redirect => {
                ErrorType::Modify
            }
            Self::Forbidden | Self::NotAuthorized | Self::RegistrationRequired | Self::SubscriptionRequired => {
                ErrorType::Auth
            }
            Self::RecipientUnavailable
            | Self::RemoteServerTimeout
            | Self::ResourceConstraint
            | Self::UnexpectedRequest => ErrorType::Wait,
            _ => ErrorType::Cancel,
        }
    }
}

conditions! {
    /// A stream error (RFC 6120 §4.9.3); the stream ends with it.
    StreamCondition {
        /// §4.9.3.1
        BadFormat = "bad-format",
        /// §4.9.3.2
        BadNamespacePrefix = "bad-namespace-prefix",
        /// §4.9.3.3
        Conflict = "conflict",
        /// §4.9.3.4
        ConnectionTimeout = "connection-timeout",
        /// §4.9.3.5
        HostGone = "host-gone",
        /// §4.9.3.6
        HostUnknown = "host-unknown",
        /// §4.9.3.7
        ImproperAddressing = "improper-addressing",
        /// §4.9.3.8
        InternalServerError = "internal-server-error",
        /// §4.9.3.9
        InvalidFrom = "invalid-from",
        /// §4.9.3.10
        InvalidNamespace = "invalid-namespace",
        /// §4.9.3.11
        InvalidXml = "invalid-xml",
        /// §4.9.3.12
        NotAuthorized = "not-authorized",
        /// §4.9.3.13
        NotWellFormed = "not-well-formed",
        /// §4.9.3.14
        PolicyViolation = "policy-violation",
        /// §4.9.3.15
        RemoteConnectionFailed = "remote-connection-failed",
        /// §4.9.3.16
        Reset = "reset",
        /// §4.9.3.17
        ResourceConstraint = "resource-constraint",
        /// §4.9.3.18
        RestrictedXml = "restricted-xml",
        /// §4.9.3.19
        SeeOtherHost = "see-other-host",
        /// §4.9.3.20
        SystemShutdown = "system-shutdown",
        /// §4.9.3.21
        UndefinedCondition = "undefined-condition",
        /// §4.9.3.22
        UnsupportedEncoding = "unsupported-encoding",
        /// §4.9.3.23
        UnsupportedFeature = "unsupported-feature",
        /// §4.9.3.24
        UnsupportedStanzaType = "unsupported-stanza-type",
        /// §4.9.3.25
        UnsupportedVersion = "unsupported-version",
    }
}

impl From<xylem_xml::XmlError> for StreamCondition {
    fn from(error: xylem_xml::XmlError) -> Self {
        Self::parse(error.stream_condition()).unwrap_or(Self::NotWellFormed)
    }
}
