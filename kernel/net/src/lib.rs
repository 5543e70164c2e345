//! Sockets and TLS: from the listening port to the stream, and from a session's queue
//! to the wire.
//!
//! [`Server`] listens; [`c2s`] serves one client per task; what a client says goes to
//! the [`c2s::Entry`] behind it. Nothing here knows what a stanza means. [`wires`] are
//! connections that are no streams, relayed in pairs for plugins.
//!
//! - A connection at rest holds no buffers but those inside rustls.
//! - A client is read no faster than what it says is worked off.
//! - Every wait has an end: handshake, login, closing, stalled writes.

pub mod admission;
pub mod c2s;
mod config;
mod error;
mod listen;
mod lobby;
mod proxy;
mod range;
mod server;
pub mod tls;
mod transport;
pub mod wires;

pub use config::{C2sConfig, ManagementConfig, Rate, Timeouts};
pub use error::NetError;
pub use listen::{Listener, ListenerConfig, Security};
pub use range::Range;
pub use server::Server;
