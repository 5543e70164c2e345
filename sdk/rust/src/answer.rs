use crate::wit::exports::xylem::plugin::iq as wit_iq;
use crate::wit::xylem::stanza::types as wit;
use crate::{Condition, Failure, Fault, Stanza, Xml};

/// What happens to a stanza after a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on, with the edits made.
    Pass,
    /// This plugin has dealt with it: nobody further sees it and nothing is sent back.
    Stop,
    /// Answer the sender with an error (the server never does so for errors and presence) and stop.
    Reject(Failure),
}

/// What a hook handler may return: [`Verdict`], or a `Result` of it whose error becomes a rejection.
#[diagnostic::on_unimplemented(
    message = "a hook handler returns `Verdict` or `Result<Verdict, Failure>`, not `{Self}`",
    note = "the signature is `fn(cx: &Cx, stanza: &Stanza) -> Verdict`"
)]
pub trait IntoVerdict {
    /// The verdict.
    fn into_verdict(self) -> Verdict;
}

impl IntoVerdict for Verdict {
    fn into_verdict(self) -> Verdict {
        self
    }
}

impl<E: Into<Failure>> IntoVerdict for Result<Verdict, E> {
    fn into_verdict(self) -> Verdict {
        self.unwrap_or_else(|error| Verdict::Reject(error.into()))
    }
}

impl Verdict {
    pub(crate) fn into_wit(self) -> wit::Verdict {
        match self {
            Self::Pass => wit::Verdict::Pass,
            Self::Stop => wit::Verdict::Stop,
            Self::Reject(failure) => wit::Verdict::Reject(failure.into_wit()),
        }
    }
}

/// The answer to an IQ request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A result with this payload, or none.
    Result(Option<Xml>),
    /// An error.
    Fail(Failure),
    /// The plugin answers later, through its outbox.
    Later,
    /// Not for this plugin after all: go on as if it had not claimed the request.
    Unhandled,
}

impl Reply {
    /// A result without payload.
    #[must_use]
    pub fn empty() -> Self {
        Self::Result(None)
    }

    /// A result with a payload.
    #[must_use]
    pub fn with(payload: Xml) -> Self {
        Self::Result(Some(payload))
    }

    /// An error.
    #[must_use]
    pub fn fail(failure: impl Into<Failure>) -> Self {
        Self::Fail(failure.into())
    }

    pub(crate) fn into_wit(self) -> wit_iq::Outcome {
        match self {
            Self::Result(payload) => wit_iq::Outcome::Reply(payload.map(Xml::build)),
            Self::Fail(failure) => wit_iq::Outcome::Fail(failure.into_wit()),
            Self::Later => wit_iq::Outcome::Later,
            Self::Unhandled => wit_iq::Outcome::Unhandled,
        }
    }
}

/// What an IQ handler may return: [`Reply`], [`Xml`] (a payload), or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "an IQ handler returns `Reply`, `Xml` or a `Result` of one with `Failure`, not `{Self}`",
    note = "the signature is `fn(cx: &Cx, iq: &Stanza) -> Reply`"
)]
pub trait IntoReply {
    /// The reply.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl IntoReply for Xml {
    fn into_reply(self) -> Reply {
        Reply::with(self)
    }
}

impl<T: IntoReply, E: Into<Failure>> IntoReply for Result<T, E> {
    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => Reply::Fail(error.into()),
        }
    }
}

/// What a handler of events, answers and wake-ups may return: nothing, or a
/// `Result` whose error is logged.
#[diagnostic::on_unimplemented(
    message = "a handler of events, answers or wake-ups returns nothing or `Result<(), Failure>`, not `{Self}`"
)]
pub trait IntoOutcome {
    /// Logs what went wrong.
    fn finish(self);
}

impl IntoOutcome for () {
    fn finish(self) {}
}

impl<E: Into<Failure>> IntoOutcome for Result<(), E> {
    fn finish(self) {
        if let Err(error) = self {
            let failure: Failure = error.into();
            if failure.condition() != Condition::InternalServerError {
                crate::runtime::warn(failure.condition().name());
            }
        }
    }
}

/// The answer to an IQ that the plugin asked with [`crate::outbox::ask`].
pub struct Answer<'a> {
    /// What the plugin gave along with its question.
    pub token: &'a str,
    /// The result or error stanza, or why none came.
    pub stanza: Result<Stanza<'a>, Fault>,
}

/// A time that the plugin asked for with [`crate::outbox::wake`] has come.
pub struct Wake<'a> {
    /// The name it was asked under.
    pub name: &'a str,
    /// What the plugin gave along.
    pub token: &'a str,
}
