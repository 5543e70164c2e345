use std::time::Duration;

use super::reader::Reader;

/// `[timeouts]`: how long each phase of a connection may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the connection to the end of the TLS handshake.
    pub tls: Duration,
    /// From the connection to a successful login.
    pub login: Duration,
    /// From the login to a bound resource.
    pub bind: Duration,
    /// Silence after which the server pings.
    pub idle: Duration,
    /// How long the answer to that ping may take.
    pub ping: Duration,
    /// How long a peer that takes nothing is put up with.
    pub write: Duration,
    /// How long the peer's closing tag is waited for.
    pub close: Duration,
}

impl Timeouts {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        let mut section = reader.section("timeouts");
        Self {
            tls: section.duration("tls", seconds(10), seconds(1)..=seconds(300)),
            login: section.duration("login", seconds(60), seconds(1)..=seconds(600)),
            bind: section.duration("bind", seconds(60), seconds(1)..=seconds(600)),
            idle: section.duration("idle", seconds(300), seconds(10)..=seconds(86_400)),
            ping: section.duration("ping", seconds(60), seconds(1)..=seconds(3_600)),
            write: section.duration("write", seconds(60), seconds(1)..=seconds(600)),
            close: section.duration("close", seconds(5), seconds(1)..=seconds(60)),
        }
    }
}
