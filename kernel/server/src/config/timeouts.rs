use std::time::Duration;

use super::reader::Reader;

/// `[timeouts]`: how long each phase of a connection may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the PROXY header and the TLS handshake each.
    pub handshake: Duration,
    /// From the connection's beginning to a bound resource.
    pub login: Duration,
    /// Silence after which the server looks whether the client is still there.
    pub idle: Duration,
    /// How long written bytes may go unacknowledged.
    pub stalled: Duration,
    /// How long the peer's closing tag is waited for.
    pub close: Duration,
}

impl Timeouts {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        let mut section = reader.section("timeouts");
        Self {
            handshake: section.duration("handshake", seconds(15), seconds(1)..=seconds(300)),
            login: section.duration("login", seconds(60), seconds(1)..=seconds(600)),
            idle: section.duration("idle", seconds(240), seconds(10)..=seconds(86_400)),
            stalled: section.duration("stalled", seconds(60), seconds(1)..=seconds(600)),
            close: section.duration("close", seconds(5), seconds(1)..=seconds(60)),
        }
    }
}
