use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub data: PathBuf,
    /// 0: one per core.
    pub threads: usize,
    /// How long sessions get to take what is queued for them when the server stops.
    pub drain: Duration,
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("server");
        Self {
            data: section.path("data", "data"),
            threads: section.count("threads", 0, 0..=256),
            drain: section.duration("drain", Duration::from_secs(5), Duration::ZERO..=Duration::from_secs(300)),
        }
    }
}
