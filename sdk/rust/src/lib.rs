//! The SDK for plugins of the Xylem XMPP server.
//!
//! A plugin is a crate with a `plugin.toml` and some handlers. [`plugin!`] reads
//! the manifest when the crate is compiled and connects each entry to the
//! function it names:
//!
//! ```ignore
//! use xylem_sdk::prelude::*;
//!
//! xylem_sdk::plugin!();
//!
//! /// XEP-0199: answers `<ping/>`.
//! fn pong(_cx: &Cx, _iq: &Stanza) -> Reply {
//!     Reply::empty()
//! }
//! ```
//!
//! Each call is a turn: what the handler writes, schedules and sends happens
//! together after it returned, or not at all. `sdk/README.md` is the guide.
#![deny(missing_docs)]

extern crate self as xylem_sdk;

pub mod accounts;
mod answer;
pub mod archive;
pub mod config;
pub mod contributions;
mod cx;
#[doc(hidden)]
pub mod dispatch;
mod failure;
mod fault;
pub mod groups;
mod jid;
mod json;
pub mod kv;
pub mod limits;
pub mod muc_ext;
pub mod operations;
pub mod outbox;
pub mod runtime;
pub mod sessions;
mod stanza;
pub mod time;
pub mod wires;
mod xml;

pub use answer::{Answer, IntoOutcome, IntoReply, IntoVerdict, Reply, Verdict, Wake};
pub use cx::{Cx, Event, Match};
pub use failure::{Condition, Failure};
pub use fault::Fault;
pub use jid::Jid;
pub use json::Json;
pub use stanza::{Children, Element, Kind, Stanza};
pub use xml::Xml;
pub use xylem_macros::plugin;

/// What nearly every plugin names.
pub mod prelude {
    pub use crate::operations::{Operation, Refusal};
    pub use crate::{Condition, Cx, Event, Failure, Fault, Jid, Json, Kind, Reply, Stanza, Verdict, Xml};
}

/// Generated from `sdk/wit`; for [`plugin!`] alone.
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod wit {
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin",
        pub_export_macro: true,
        default_bindings_module: "xylem_sdk::wit",
        generate_all,
    });
}
