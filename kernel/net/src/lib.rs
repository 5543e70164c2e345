//! Sockets and TLS.

pub mod admission;
mod error;
mod listen;
mod proxy;
mod range;
pub mod tls;
mod transport;

pub use error::NetError;
pub use listen::{Listener, ListenerConfig, Security};
pub use range::Range;
