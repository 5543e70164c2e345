use std::time::Duration;

use xylem_ops::Retention;

use super::reader::Reader;

const YEARS: Duration = Duration::from_secs(36_600 * 86_400);

/// `[audit]`.
pub(super) fn read(reader: &mut Reader) -> Retention {
    let mut section = reader.section("audit");
    let Retention { file_bytes, file_age, keep } = Retention::default();
    Retention {
        file_bytes: section.size("file_bytes", file_bytes, (64 << 10)..=(16 << 30)),
        file_age: section.duration("file_age", file_age, Duration::ZERO..=YEARS),
        keep: section.duration("keep", keep, Duration::ZERO..=YEARS),
    }
}
