//! XEP-0065: the proxy for SOCKS5 bytestreams. The server does the SOCKS5 handshake and
//! moves the bytes; here it is decided who may have what relayed.
//!
//! Nothing is kept: two connections that came with the same hash wait in the server until
//! the requester asks to connect them, and whoever can name what the hash was made of is
//! the requester (§6.3.5).

mod access;
mod activation;
mod address;
mod discovery;

use activation::{activate, ended};
use address::address;
use discovery::{announce, info, items};

/// The protocol's namespace.
const NS: &str = "http://jabber.org/protocol/bytestreams";

xylem_sdk::plugin!();
