//! Where a stanza goes.
//!
//! A stanza of a session passes the sender's out chain, is routed by its `to`
//! ([`Destination`]), passes the in chain of whoever is addressed, and is
//! pushed to the queues of the resources that RFC 6121 §8 names ([`delivery`]).
//! The chains are walked here; the calls are made by the plugin host, which
//! hands back what plugins send through [`xylem_hooks::Release`].
//!
//! Most stanzas interest no plugin and find all they need in memory: for them
//! everything happens in one go without an allocation for waiting
//! ([`Router::from_session`] returns `None`). The others become one future.

mod bare;
mod bounce;
mod chain;
mod copies;
pub mod counters;
pub mod delivery;
mod destination;
mod fan_out;
mod inbound;
mod inline;
mod iq;
mod lifecycle;
mod message;
mod notes;
mod pages;
mod ports;
mod presence;
mod release;
mod router;
mod server;
mod single;
mod stamp;
mod stranger;
mod tap;

pub use counters::Counters;
pub use destination::Destination;
pub use ports::{Accounts, Directory};
pub use router::{Router, Work};
pub use stamp::stamp;
pub use tap::{Watcher, Way};
