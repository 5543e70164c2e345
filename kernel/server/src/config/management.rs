use std::time::Duration;

use super::reader::Reader;

/// `[stream_management]`: acknowledgement and resumption (XEP-0198).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamManagement {
    /// How long a session waits for its client; zero: not at all.
    pub resume: Duration,
    /// Where clients should come back to first.
    pub location: Option<String>,
    pub hibernated_per_account: usize,
    pub unacknowledged_stanzas: usize,
    pub unacknowledged_bytes: usize,
    /// Stanzas after which the client is asked what it received.
    pub ask_after: usize,
    /// The same as a time, if there were fewer.
    pub ask_idle: Duration,
}

impl StreamManagement {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        let mut section = reader.section("stream_management");
        Self {
            resume: section.duration("resume", seconds(300), seconds(0)..=seconds(86_400)),
            location: section.optional_address("location"),
            hibernated_per_account: section.count("hibernated_per_account", 5, 0..=1_000),
            unacknowledged_stanzas: section.count("unacknowledged_stanzas", 1_000, 100..=100_000),
            unacknowledged_bytes: usize::try_from(section.size(
                "unacknowledged_bytes",
                4 << 20,
                (64 << 10)..=(1 << 30),
            ))
            .unwrap_or(usize::MAX),
            ask_after: section.count("ask_after", 20, 1..=1_000),
            ask_idle: section.duration("ask_idle", seconds(10), Duration::from_millis(100)..=seconds(600)),
        }
    }
}
