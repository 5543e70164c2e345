use xylem_session::Conflict;

use super::reader::Reader;
use super::section::Section;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// `[limits]`: how much one peer may make the server hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub stanza: StanzaLimits,
    pub before_login: StanzaLimits,
    pub resources_per_account: usize,
    pub queue_bytes: usize,
    pub queue_stanzas: usize,
    pub resource_conflict: Conflict,
    /// 0: as fast as it is worked off.
    pub bytes_per_second: u64,
}

/// Bounds on one stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StanzaLimits {
    pub stanza_bytes: usize,
    pub depth: usize,
    pub attributes: usize,
    pub name_bytes: usize,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("limits");
        let after = StanzaLimits { stanza_bytes: 256 << 10, depth: 64, attributes: 64, name_bytes: 512 };
        let before = StanzaLimits { stanza_bytes: 10_000, depth: 16, attributes: 32, name_bytes: 256 };
        Self {
            stanza: stanza(&mut section, after, 10_000..=16 * MIB),
            resources_per_account: section.count("resources_per_account", 32, 1..=10_000),
            queue_bytes: size(&mut section, "queue_bytes", 4 * MIB, 64 * KIB..=1024 * MIB),
            queue_stanzas: section.count("queue_stanzas", 16_384, 16..=1_000_000),
            resource_conflict: section.choice(
                "resource_conflict",
                Conflict::Replace,
                &[("replace", Conflict::Replace), ("refuse", Conflict::Refuse), ("rename", Conflict::Rename)],
            ),
            bytes_per_second: section.size("bytes_per_second", 0, 0..=1024 * MIB),
            before_login: stanza(&mut section.inner("before_login"), before, 10_000..=MIB),
        }
    }
}

fn stanza(section: &mut Section<'_>, default: StanzaLimits, bytes: std::ops::RangeInclusive<u64>) -> StanzaLimits {
    StanzaLimits {
        stanza_bytes: size(section, "stanza_bytes", default.stanza_bytes as u64, bytes),
        depth: section.count("depth", default.depth, 8..=256),
        attributes: section.count("attributes", default.attributes, 16..=1_024),
        name_bytes: size(section, "name_bytes", default.name_bytes as u64, 64..=4 * KIB),
    }
}

fn size(section: &mut Section<'_>, key: &'static str, default: u64, bounds: std::ops::RangeInclusive<u64>) -> usize {
    usize::try_from(section.size(key, default, bounds)).unwrap_or(usize::MAX)
}
