use crate::Fault;
use crate::wit::xylem::stanza::types as wit;
use crate::xml::Xml;

/// The defined conditions of stanza errors (RFC 6120 §8.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the conditions of RFC 6120 §8.3.3")]
pub enum Condition {
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    Forbidden,
    Gone,
    InternalServerError,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    RecipientUnavailable,
    Redirect,
    RegistrationRequired,
    RemoteServerNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    SubscriptionRequired,
    UndefinedCondition,
    UnexpectedRequest,
}

const NAMES: [&str; 22] = [
    "bad-request",
    "conflict",
    "feature-not-implemented",
    "forbidden",
    "gone",
    "internal-server-error",
    "item-not-found",
    "jid-malformed",
    "not-acceptable",
    "not-allowed",
    "not-authorized",
    "policy-violation",
    "recipient-unavailable",
    "redirect",
    "registration-required",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
    "service-unavailable",
    "subscription-required",
    "undefined-condition",
    "unexpected-request",
];

const KINDS: [&str; 5] = ["auth", "cancel", "continue", "modify", "wait"];

const ALL: [Condition; 22] = [
    Condition::BadRequest,
    Condition::Conflict,
    Condition::FeatureNotImplemented,
    Condition::Forbidden,
    Condition::Gone,
    Condition::InternalServerError,
    Condition::ItemNotFound,
    Condition::JidMalformed,
    Condition::NotAcceptable,
    Condition::NotAllowed,
    Condition::NotAuthorized,
    Condition::PolicyViolation,
    Condition::RecipientUnavailable,
    Condition::Redirect,
    Condition::RegistrationRequired,
    Condition::RemoteServerNotFound,
    Condition::RemoteServerTimeout,
    Condition::ResourceConstraint,
    Condition::ServiceUnavailable,
    Condition::SubscriptionRequired,
    Condition::UndefinedCondition,
    Condition::UnexpectedRequest,
];

impl Condition {
    /// The condition of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        ALL.into_iter().find(|condition| condition.name() == name)
    }

    /// The element's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or("undefined-condition")
    }
}

/// A stanza error to answer with. A [`Condition`] alone becomes one with `into()` or `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    condition: Condition,
    kind: Option<&'static str>,
    text: Option<String>,
    app: Option<String>,
}

impl Failure {
    /// An error with the condition's usual type.
    #[must_use]
    pub fn new(condition: Condition) -> Self {
        Self { condition, kind: None, text: None, app: None }
    }

    /// Another error type than the condition's usual one: `auth`, `cancel`, `continue`, `modify` or `wait`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Text for people, in English.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// An application-specific condition element (RFC 6120 §8.3.4).
    #[must_use]
    pub fn app(mut self, element: Xml) -> Self {
        self.app = Some(element.build());
        self
    }

    /// The condition.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// The error type, where it is not left to the condition.
    #[must_use]
    pub fn given_kind(&self) -> Option<&'static str> {
        self.kind
    }

    /// The text for people, if there is one.
    #[must_use]
    pub fn given_text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// An error that another plugin made.
    pub(crate) fn from_wit(condition: Condition, failure: wit::Failure) -> Self {
        let kind = failure.kind.and_then(|kind| KINDS.into_iter().find(|known| *known == kind));
        Self { condition, kind, text: failure.text, app: failure.app }
    }

    pub(crate) fn into_wit(self) -> wit::Failure {
        wit::Failure {
            condition: self.condition.name().into(),
            kind: self.kind.map(Into::into),
            text: self.text,
            app: self.app,
        }
    }
}

impl From<Condition> for Failure {
    fn from(condition: Condition) -> Self {
        Self::new(condition)
    }
}

/// `quota` is the user's to know; everything else is between plugin and server.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Quota => Self::new(Condition::ResourceConstraint),
            Fault::TimedOut => Self::new(Condition::RemoteServerTimeout),
            other => {
                crate::runtime::error(other.as_str());
                Self::new(Condition::InternalServerError)
            }
        }
    }
}
