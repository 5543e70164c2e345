use std::net::SocketAddr;
use std::time::Duration;

use super::reader::Reader;

/// `[console]`: the web console and the REST interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    pub enabled: bool,
    pub listen: Vec<SocketAddr>,
    /// How long a session lives without use.
    pub idle: Duration,
    /// How long altogether.
    pub lifetime: Duration,
    /// Whether passkeys must ask who uses them.
    pub verify_passkeys: bool,
}

impl Console {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("console");
        let right = "addresses with port, such as \"[::]:5443\"";
        let (minute, day) = (Duration::from_secs(60), Duration::from_secs(86_400));
        Self {
            enabled: section.flag("enabled", true),
            listen: section.list("listen", &["[::]:5443"], right, |text| text.parse().ok()),
            idle: section.duration("idle", minute * 60, minute..=day * 30),
            lifetime: section.duration("lifetime", minute * 720, minute..=day * 90),
            verify_passkeys: section.flag("verify_passkeys", false),
        }
    }
}
