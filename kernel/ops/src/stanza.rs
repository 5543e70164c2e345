//! `stanza.unlock`: seeing what is said, and not only that something is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// Leave to see the text of stanzas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unlocked {
    /// What to give as `unlock` to the topic `stanzas`; good for whoever asked for it alone.
    pub unlock: String,
    /// When it ends, in seconds since 1970 UTC.
    pub until: u64,
}

/// Who shows stanzas.
pub trait Inspector: Send + Sync {
    fn unlock(&self, who: String, minutes: u64) -> Answer<'_, Unlocked>;
}

operation! {
    Unlock { reason: String, minutes: Option<u64> } -> Unlocked,
    name: "stanza.unlock",
    help: "Lets the stanza inspector show text that it otherwise leaves out, for some minutes.",
    route: post "/stanzas/unlock",
    arguments: [
        Argument::required("reason", Kind::Text { max: 500 }, "why; it stands in the audit log"),
        Argument::optional("minutes", Kind::Number { min: 1, max: 60 }, "for how long; 10 unless given"),
    ],
    result: "what the topic `stanzas` takes as `unlock`",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("You will be able to read what people write to each other. That you did, and why, stands in the audit log."),
    audit: |it| format!("see the text of stanzas for {} minutes: {}", it.minutes.unwrap_or(10), it.reason),
    run: |it, backend, caller| backend.inspector.unlock(caller.who.clone(), it.minutes.unwrap_or(10)),
}
