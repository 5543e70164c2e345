use std::net::SocketAddr;

use super::reader::Reader;

/// `[console]`: the web console and the REST interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    pub enabled: bool,
    pub listen: Vec<SocketAddr>,
}

impl Console {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("console");
        let right = "addresses with port, such as \"[::]:5443\"";
        Self {
            enabled: section.flag("enabled", true),
            listen: section.list("listen", &["[::]:5443"], right, |text| text.parse().ok()),
        }
    }
}
