use std::fmt;

/// Why an authentication attempt failed, as the client is told (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaslCondition {
    /// The client sent `<abort/>` (§6.5.1).
    Aborted,
    /// The account exists and the credentials were right, but it is switched off (§6.5.2).
    AccountDisabled,
    /// The credentials were right but must be renewed by other means (§6.5.3).
    CredentialsExpired,
    /// The mechanism may be used only on an encrypted stream (§6.5.4).
    EncryptionRequired,
    /// The payload was not base64 as RFC 6120 §6.5.5 demands.
    IncorrectEncoding,
    /// The client asked to act as an address that is not its own (§6.5.6).
    InvalidAuthzid,
    /// The mechanism is unknown or was not offered on this stream (§6.5.7).
    InvalidMechanism,
    /// The payload breaks the grammar of the mechanism (§6.5.8).
    MalformedRequest,
    /// The mechanism is known but the server's policy forbids it (§6.5.9).
    MechanismTooWeak,
    /// Wrong credentials, or no such account; the two are never told apart (§6.5.10).
    NotAuthorized,
    /// The server could not check the credentials just now (§6.5.11).
    TemporaryAuthFailure,
}

impl SaslCondition {
    /// Every condition, in the order of RFC 6120 §6.5.
    pub const ALL: [Self; 11] = [
        Self::Aborted,
        Self::AccountDisabled,
        Self::CredentialsExpired,
        Self::EncryptionRequired,
        Self::IncorrectEncoding,
        Self::InvalidAuthzid,
        Self::InvalidMechanism,
        Self::MalformedRequest,
        Self::MechanismTooWeak,
        Self::NotAuthorized,
        Self::TemporaryAuthFailure,
    ];

    /// The name of the condition's element.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::MechanismTooWeak => "mechanism-too-weak",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

impl fmt::Display for SaslCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
