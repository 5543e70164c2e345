//! What administrators ask, both ways.
//!
//! An `[[operation]]` of the manifest names a function that answers it:
//!
//! ```ignore
//! fn show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
//!     Ok(Json::object().with("messages", stores::MESSAGES.count()?))
//! }
//! ```
//!
//! The server has checked the arguments against the manifest and the caller against its
//! roles; the key of the call is the address that the manifest's `key` names.
//!
//! [`list`] and [`call`] are the other way: the server's whole table, for a plugin that is a
//! face of it. Needs the grant `operations`.

mod page;

use crate::wit::xylem::admin::table as wit_table;
use crate::wit::xylem::admin::types as wit;
use crate::{Condition, Failure, Fault, Json};

pub use page::Page;

/// A call of an operation.
pub struct Operation {
    arguments: Json,
    who: String,
    role: String,
}

impl Operation {
    #[doc(hidden)]
    #[must_use]
    pub fn new(arguments: &str, who: String, role: String) -> Self {
        Self { arguments: Json::parse(arguments).unwrap_or(Json::Null), who, role }
    }

    /// A text, address, choice or time, if it is given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name)?.as_text()
    }

    /// The same of an argument that is not optional.
    #[must_use]
    pub fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A number, if it is given.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.arguments.get(name)?.as_number()?.try_into().ok()
    }

    /// A flag, if it is given.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.arguments.get(name).map(Json::is_true)
    }

    /// A list, if it is given.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.arguments.get(name)?.items().iter().filter_map(Json::as_text).collect())
    }

    /// What is asked of a list (`list = true`).
    #[must_use]
    pub fn page(&self) -> Page<'_> {
        Page {
            search: self.text("search").unwrap_or_default().to_lowercase(),
            after: self.text("after"),
            limit: usize::try_from(self.number("limit").unwrap_or(50)).unwrap_or(50),
            sort: self.text("sort"),
            downwards: self.text("order") == Some("desc"),
        }
    }

    /// Who asks: an account's address, or how the server calls whoever has none.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// `user`, `auditor`, `operator`, `administrator` or `owner`.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }
}

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such operation.
    Unknown,
    /// Which argument is not what it should be, and what would be right.
    Invalid(String),
    /// The caller may not.
    Denied(String),
    /// What it is about does not exist.
    Missing(String),
    /// It clashes with what is there.
    Conflict(String),
    /// Later perhaps.
    Unavailable(String),
    /// It went wrong.
    Failed(String),
}

impl Refusal {
    /// What is to be read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "there is no such operation",
            Self::Invalid(text)
            | Self::Denied(text)
            | Self::Missing(text)
            | Self::Conflict(text)
            | Self::Unavailable(text)
            | Self::Failed(text) => text,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let text = fault.as_str().to_owned();
        match fault {
            Fault::Missing => Self::Missing(text),
            Fault::Conflict => Self::Conflict(text),
            Fault::Invalid(_) => Self::Invalid(text),
            Fault::Quota => Self::Unavailable(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let text = failure.given_text().unwrap_or(failure.condition().name()).to_owned();
        match failure.condition() {
            Condition::ItemNotFound | Condition::Gone => Self::Missing(text),
            Condition::Conflict => Self::Conflict(text),
            Condition::BadRequest | Condition::JidMalformed | Condition::NotAcceptable => Self::Invalid(text),
            Condition::Forbidden | Condition::NotAllowed | Condition::NotAuthorized => Self::Denied(text),
            Condition::ResourceConstraint | Condition::ServiceUnavailable => Self::Unavailable(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<Condition> for Refusal {
    fn from(condition: Condition) -> Self {
        Failure::new(condition).into()
    }
}

/// The answer to an operation that the plugin has called with [`call`].
pub struct Answer<'a> {
    /// What the plugin gave along.
    pub token: &'a str,
    /// What came of it.
    pub result: Result<Json, Refusal>,
}

/// What a handler of an `[[operation]]` may return.
#[diagnostic::on_unimplemented(
    message = "a handler of an operation returns `Json` or `Result<Json, Refusal>`, not `{Self}`",
    note = "the signature is `fn(cx: &Cx, call: &Operation) -> Result<Json, Refusal>`"
)]
pub trait IntoAnswer {
    /// The answer.
    fn into_answer(self) -> Result<Json, Refusal>;
}

impl IntoAnswer for Json {
    fn into_answer(self) -> Result<Json, Refusal> {
        Ok(self)
    }
}

impl<E: Into<Refusal>> IntoAnswer for Result<Json, E> {
    fn into_answer(self) -> Result<Json, Refusal> {
        self.map_err(Into::into)
    }
}

/// The operations that whoever is behind the current stanza may call: a list of objects with `name`,
/// `help`, `arguments`, `result`, `changes`, `danger` and `confirm`. Grant `operations`.
pub fn list() -> Result<Json, Fault> {
    Ok(Json::parse(&wit_table::list()?).unwrap_or(Json::Null))
}

/// Calls one in the name of whoever is behind the current stanza, when this call has ended well. The
/// answer comes to `replies.operation`. Grant `operations`.
pub fn call(operation: &str, arguments: &Json, token: &str) -> Result<(), Fault> {
    Ok(wit_table::call(operation, &arguments.build(), token)?)
}

impl From<wit::Refusal> for Refusal {
    fn from(refusal: wit::Refusal) -> Self {
        match refusal {
            wit::Refusal::Unknown => Self::Unknown,
            wit::Refusal::Invalid(text) => Self::Invalid(text),
            wit::Refusal::Denied(text) => Self::Denied(text),
            wit::Refusal::Missing(text) => Self::Missing(text),
            wit::Refusal::Conflict(text) => Self::Conflict(text),
            wit::Refusal::Unavailable(text) => Self::Unavailable(text),
            wit::Refusal::Failed(text) => Self::Failed(text),
        }
    }
}

impl From<Refusal> for wit::Refusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::Unknown,
            Refusal::Invalid(text) => Self::Invalid(text),
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Missing(text) => Self::Missing(text),
            Refusal::Conflict(text) => Self::Conflict(text),
            Refusal::Unavailable(text) => Self::Unavailable(text),
            Refusal::Failed(text) => Self::Failed(text),
        }
    }
}
