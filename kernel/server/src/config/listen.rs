use std::net::SocketAddr;

use xylem_net::Range;

use super::reader::Reader;

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// STARTTLS (RFC 6120 §5).
    pub starttls: Vec<SocketAddr>,
    /// TLS from the first byte (XEP-0368).
    pub direct_tls: Vec<SocketAddr>,
    /// Networks whose connections begin with a PROXY header.
    pub proxy_from: Vec<Range>,
    /// Connections at once, over all listeners.
    pub connections: usize,
    /// Connections at once from one address (IPv6: from one /64).
    pub connections_per_address: usize,
    /// New connections a second from one address, over time.
    pub new_per_second: u64,
    /// How many it may make at once before that counts.
    pub new_at_once: u64,
}

impl Listen {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let address = |text: &str| text.parse().ok();
        let addresses = "addresses with port, such as \"0.0.0.0:5222\" or \"[::]:5222\"";
        let mut section = reader.section("listen");
        Self {
            starttls: section.list("starttls", &["[::]:5222"], addresses, address),
            direct_tls: section.list("direct_tls", &["[::]:5223"], addresses, address),
            proxy_from: section.list("proxy_from", &[], "networks, such as \"10.0.0.0/8\"", |text| text.parse().ok()),
            connections: section.count("connections", 100_000, 1..=10_000_000),
            connections_per_address: section.count("connections_per_address", 1_000, 1..=1_000_000),
            new_per_second: section.number("new_per_second", 20, 1..=1_000_000),
            new_at_once: section.number("new_at_once", 200, 1..=1_000_000),
        }
    }
}
