use tracing::Level;

use super::reader::Reader;

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub level: Level,
    pub format: Format,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("log");
        let levels = [
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("info", Level::INFO),
            ("debug", Level::DEBUG),
            ("trace", Level::TRACE),
        ];
        Self {
            level: section.choice("level", Level::INFO, &levels),
            format: section.choice("format", Format::Human, &[("human", Format::Human), ("json", Format::Json)]),
        }
    }
}
