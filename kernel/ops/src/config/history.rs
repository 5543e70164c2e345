//! `config.history`, `config.version` and `config.rollback`: what was configured before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Preview, Saved};
use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;

/// A text that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// When it was replaced, in milliseconds since 1970 UTC; names it.
    pub id: u64,
    pub bytes: u64,
}

const ID: Argument =
    Argument::required("id", Kind::Number { min: 1, max: u64::MAX }, "the version's id, as config.history shows it");

operation! {
    #[derive(Default)]
    History {} -> Vec<Version>,
    name: "config.history",
    help: "Lists the last 20 configurations that were replaced, newest first.",
    route: get "/config/history",
    arguments: [],
    result: "a list of versions",
    roles: Roles::OWN,
    about: About::Server,
    run: |_it, backend| backend.settings.history(),
}

operation! {
    ShowVersion { id: u64 } -> Preview,
    name: "config.version",
    help: "Gives a former configuration, and what going back to it would change.",
    route: get "/config/history/{id}",
    arguments: [ID],
    result: "the text and the changes",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.settings.version(it.id),
}

operation! {
    Rollback { id: u64 } -> Saved,
    name: "config.rollback",
    help: "Puts a former configuration back and reloads it; the present one is kept as well.",
    route: post "/config/history/{id}/rollback",
    arguments: [ID],
    result: "what was applied, and what needs a restart",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("The former configuration file replaces the present one and comes into force, as far as it can without a restart."),
    audit: |it| format!("put the configuration {} back", it.id),
    run: |it, backend| Box::pin(async move {
        let text = backend.settings.version(it.id).await?.text;
        backend.settings.save(text, None).await
    }),
}
