//! `session.show` and `session.message`: one connected client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SessionRow;
use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// All that is known of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    #[serde(flatten)]
    pub row: SessionRow,
    /// Its device, where it said which it is (XEP-0388 §2.3).
    pub device: Option<String>,
    /// Stanzas that wait to be written to it.
    pub queued_stanzas: u64,
    /// How long it can be away and come back, in seconds (XEP-0198 §5).
    pub resumable_seconds: Option<u64>,
    /// Its last presence, as XML.
    pub presence: Option<String>,
}

/// How many sessions got a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Messaged {
    pub sessions: usize,
}

/// Who knows single sessions.
pub trait Callers: Send + Sync {
    fn show(&self, account: String, resource: String) -> Answer<'_, SessionDetail>;
    /// From the server, to one resource or to all of the account; [`crate::OpError::NotFound`] if there is none.
    fn message(
        &self,
        account: String,
        resource: Option<String>,
        subject: Option<String>,
        body: String,
    ) -> Answer<'_, Messaged>;
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");

operation! {
    Show { account: String, resource: String } -> SessionDetail,
    name: "session.show",
    help: "Shows one connected resource.",
    route: get "/sessions/{account}/{resource}",
    arguments: [ACCOUNT, Argument::required("resource", Kind::Text { max: 1023 }, "which of its resources")],
    result: "the session",
    roles: Roles::SEE.and_own(),
    about: About::account(),
    run: |it, backend| backend.callers.show(it.account, it.resource),
}

operation! {
    Message { account: String, resource: Option<String>, subject: Option<String>, body: String } -> Messaged,
    name: "session.message",
    help: "Sends a message from the server to a connected resource, or to all of an account.",
    route: post "/users/{account}/message",
    arguments: [
        ACCOUNT,
        Argument::required("body", Kind::Text { max: 65_536 }, "what it says"),
        Argument::optional("subject", Kind::Text { max: 1024 }, "what it is about"),
        Argument::optional("resource", Kind::Text { max: 1023 }, "only this resource"),
    ],
    result: "how many sessions got it",
    roles: Roles::ADMINISTER,
    about: About::account(),
    audit: |it| match &it.resource {
        Some(resource) => format!("send a message to {}/{resource}", it.account),
        None => format!("send a message to all sessions of {}", it.account),
    },
    run: |it, backend| backend.callers.message(it.account, it.resource, it.subject, it.body),
}
