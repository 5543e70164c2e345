//! The plugin host: loads components, calls them for the router, and makes every
//! call a transaction.
//!
//! Room by room: [`package`] (what is installed), `engine` (compiling), `instance`
//! and `capability` (one sandbox and what it may call), `shards` (which sandbox),
//! `turnstile` (order per key), `supervisor` (faults), `plugin` (a call from
//! beginning to end), `turn` and `lanes` (commit, then release), `asks` and `timers`
//! (what comes back later), `extension` (plugins that ask
//! each other), `operations` (what administrators ask), `volatile` (rows without a disk), [`Host`] (all plugins of the server).
//!
//! What holds everywhere:
//! - no lock is held across an await, and none while the router is called;
//! - a call that fails has changed nothing; its sandbox is thrown away;
//! - a plugin reaches only the rows of the key it is called for.

mod accounts;
mod asks;
mod buckets;
mod capability;
mod clock;
mod configured;
mod engine;
mod error;
mod extension;
mod groups;
mod guest;
mod host;
mod instance;
mod lanes;
mod limits;
mod marks;
mod operations;
pub mod package;
mod pages;
mod plugin;
mod record;
mod services;
mod shards;
mod status;
mod supervisor;
mod text;
mod timers;
mod turn;
mod turnstile;
mod volatile;
mod wait;
mod wires;

pub use accounts::{AccountDevice, AccountRefusal, AccountService, NoAccounts};
pub use clock::{Clock, SystemClock};
pub use error::HostError;
pub use guest::Level;
pub use host::{Host, HostConfig, ServerInfo, Settings, overlaid};
pub use operations::{
    ContributedOperation, OperationActor, OperationAnswer, OperationCaller, OperationRefusal, OperationTable,
};
pub use package::Package;
pub use status::{PluginInfo, State};
pub use wires::{ClaimedWires, WireBounds, WireEnd, WireListener, WireReason, WireRefusal, WireService};
