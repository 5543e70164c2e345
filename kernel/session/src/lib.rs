//! Who is connected, and what waits to be written to each of them.
//!
//! [`SessionTable`] maps accounts to their bound resources; a [`Session`] is one
//! bound resource with its presence, tags and counters; its [`Queue`] is the only
//! way to it. There are no sockets here: the connection's task takes from the
//! queue with [`Queue::poll_take`] and writes.
//!
//! What holds everywhere:
//! - no lock of this crate is held while foreign code runs, and none is held
//!   across an await;
//! - a queue is bounded in stanzas and bytes; who overflows it costs that session
//!   its life and nobody else anything;
//! - a session leaves the table before its end is told to anybody, and its end is
//!   told once ([`Session::retire`]).
//!
//! With stream management (XEP-0198) a session may outlive its connection: whoever has
//! it holds what its client did [not acknowledge](Unacknowledged), and gives that away
//! when another connection [claims](Claim) the session through its queue.
//!
//! Within [`bell::hold`] wake-ups are kept back until the closure returns: a task
//! that has several stanzas at hand wakes each recipient once.

mod barrier;
pub mod bell;
mod error;
mod held;
mod locks;
mod management;
mod queue;
mod session;
mod spare;
mod table;
mod tags;
mod unacknowledged;

pub use barrier::{Barrier, Delivery};
pub use error::{BindError, Refused};
#[doc(hidden)]
pub use locks::taken as locks_taken;
pub use management::{Claim, Management};
pub use queue::{End, Interrupt, Item, Queue, QueueLimits, Taken};
pub use session::{Counters, Endpoint, Presence, Security, Session};
pub use spare::give_back;
pub use table::{Binding, Bound, Conflict, Limits, Resource, SessionTable, Sessions};
pub use tags::{Tag, TagNames};
pub use unacknowledged::Unacknowledged;
