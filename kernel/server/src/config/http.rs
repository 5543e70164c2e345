use std::net::SocketAddr;

use super::reader::Reader;

/// `[http]`: health and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// None: no HTTP at all.
    pub listen: Vec<SocketAddr>,
}

impl Http {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("http");
        let right = "addresses with port, such as \"127.0.0.1:9090\"";
        Self { listen: section.list("listen", &["127.0.0.1:9090"], right, |text| text.parse().ok()) }
    }
}
