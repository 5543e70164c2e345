//! `server.stop`, `server.restart` and `server.stay`: whether the server goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The process ends; whoever started it may start it again.
    Stop,
    /// The process becomes a new one of the same program, with the same arguments.
    Restart,
}

/// An end that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndingReport {
    pub ending: Ending,
    /// When it begins, in seconds since 1970 UTC.
    pub at: u64,
    /// What those who are connected are told, if they are.
    pub reason: Option<String>,
    /// Sessions at the moment.
    pub sessions: u64,
}

/// What was called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StayReport {
    /// None if no end was to come.
    pub called_off: Option<EndingReport>,
}

/// Who can end it.
pub trait Endings: Send + Sync {
    /// Ends the server after some seconds; takes the place of what was planned before. A throw-away server
    /// cannot restart: [`crate::OpError::Conflict`].
    fn plan(&self, ending: Ending, delay: u64, reason: Option<String>) -> Answer<'_, EndingReport>;
    fn call_off(&self) -> Answer<'_, StayReport>;
    fn planned(&self) -> Answer<'_, Option<EndingReport>>;
}

const DELAY: Argument =
    Argument::optional("delay", Kind::Number { min: 0, max: 86_400 }, "in how many seconds; at once unless given");
const REASON: Argument = Argument::optional(
    "reason",
    Kind::Text { max: 1024 },
    "why, for the log; clients are told when their connections are closed",
);

operation! {
    #[derive(Default)]
    Stop { delay: Option<u64>, reason: Option<String> } -> EndingReport,
    name: "server.stop",
    help: "Stops the server: sessions are closed, what is queued is stored or sent, and the process ends.",
    route: post "/server/stop",
    arguments: [DELAY, REASON],
    result: "when it begins, and how many sessions it ends",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("All clients are disconnected and the server ends, this console with it. It has to be started again on its machine, unless something there does so by itself."),
    audit: |it| format!("stop the server{}", because(it.reason.as_deref())),
    state: |_it, backend| backend.endings.planned(),
    run: |it, backend| backend.endings.plan(Ending::Stop, it.delay.unwrap_or(0), it.reason),
}

operation! {
    #[derive(Default)]
    Restart { delay: Option<u64>, reason: Option<String> } -> EndingReport,
    name: "server.restart",
    help: "Stops the server as server.stop does and starts it again in the same process, from the program that is installed then.",
    route: post "/server/restart",
    arguments: [DELAY, REASON],
    result: "when it begins, and how many sessions it ends",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("All clients are disconnected; the server is away for some seconds and comes back with the configuration that is written now. Most clients connect again by themselves."),
    audit: |it| format!("restart the server{}", because(it.reason.as_deref())),
    state: |_it, backend| backend.endings.planned(),
    run: |it, backend| backend.endings.plan(Ending::Restart, it.delay.unwrap_or(0), it.reason),
}

operation! {
    #[derive(Default)]
    Stay {} -> StayReport,
    name: "server.stay",
    help: "Calls off a stop or restart whose delay is not over.",
    route: post "/server/stay",
    arguments: [],
    result: "what was called off",
    roles: Roles::OWN,
    about: About::Server,
    audit: |_it| "call off the end of the server".to_owned(),
    state: |_it, backend| backend.endings.planned(),
    run: |_it, backend| backend.endings.call_off(),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
