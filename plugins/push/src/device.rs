//! One row of the store `devices`.
//!
//! The key is the service's address and the node, with a line feed between them, which no address contains.
//! The value is UTF-8: six lines, and behind them the publish-options as they were given, or nothing.

use xylem_sdk::kv::{Row, Rows};
use xylem_sdk::prelude::*;

use crate::stores::DEVICES;

/// How long a node may count as gone before it is forgotten: 30 days in milliseconds.
const FORGOTTEN: u64 = 30 * 86_400_000;

/// A node that a session of the account has enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) key: String,
    /// Of the session that enabled it last.
    pub(crate) resource: String,
    /// Failures in a row, and the refusals among them.
    pub(crate) failures: u32,
    pub(crate) refusals: u32,
    /// Since when it counts as gone, and when it was last tried since; 0 for a node that works. Milliseconds.
    pub(crate) gone: u64,
    pub(crate) tried: u64,
    /// The last failure's condition.
    pub(crate) why: String,
    /// The form to publish with.
    pub(crate) options: Option<String>,
}

/// The key of a service's node; of all its nodes with an empty one.
pub(crate) fn key(jid: &str, node: &str) -> String {
    [jid, "\n", node].concat()
}

impl Device {
    pub(crate) fn new(jid: &str, node: &str, resource: &str, options: Option<String>) -> Self {
        let (key, resource) = (key(jid, node), resource.to_owned());
        Self { key, resource, failures: 0, refusals: 0, gone: 0, tried: 0, why: String::new(), options }
    }

    pub(crate) fn all() -> Result<Vec<Self>, Fault> {
        Ok(DEVICES.all()?.iter().filter_map(Self::parse).collect())
    }

    pub(crate) fn find(name: &str) -> Result<Option<Self>, Fault> {
        Ok(Self::all()?.into_iter().find(|device| device.name() == name))
    }

    pub(crate) fn save(&self) -> Result<(), Fault> {
        DEVICES.put(&self.key, self.to_row().as_bytes(), &[])
    }

    /// The service's address and the node.
    pub(crate) fn place(&self) -> (&str, &str) {
        self.key.split_once('\n').unwrap_or((&self.key, ""))
    }

    /// A short name for tokens, whatever the key's length.
    pub(crate) fn name(&self) -> String {
        let hash = crate::waiting::hash(&[&self.key]);
        (0..16).map(|at| char::from_digit((hash >> (60 - 4 * at) & 15) as u32, 16).unwrap_or('0')).collect()
    }

    /// Whether it may be published to now.
    pub(crate) fn is_due(&self, now: u64, retry: u64) -> bool {
        self.gone == 0 || now.saturating_sub(self.tried) >= retry
    }

    /// Whether it has been gone for so long that nobody will miss it.
    pub(crate) fn is_forgotten(&self, now: u64) -> bool {
        self.gone != 0 && now.saturating_sub(self.gone) > FORGOTTEN
    }

    fn parse(row: &Row) -> Option<Self> {
        let mut lines = std::str::from_utf8(&row.value).ok()?.splitn(7, '\n');
        let resource = lines.next()?.to_owned();
        let [failures, refusals] = [number(lines.next()?)?, number(lines.next()?)?];
        let [gone, tried] = [number(lines.next()?)?, number(lines.next()?)?];
        let why = lines.next()?.to_owned();
        let options = lines.next().filter(|options| !options.is_empty()).map(str::to_owned);
        let [failures, refusals] = [failures, refusals].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Some(Self { key: row.key.clone(), resource, failures, refusals, gone, tried, why, options })
    }

    fn to_row(&self) -> String {
        let numbers = [u64::from(self.failures), u64::from(self.refusals), self.gone, self.tried];
        let [failures, refusals, gone, tried] = numbers.map(|number| number.to_string());
        let options = self.options.as_deref().unwrap_or_default();
        [self.resource.as_str(), &failures, &refusals, &gone, &tried, &self.why, options].join("\n")
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let mut device = Device::new("push.example.org", "a\nb", "phone", None);
        for options in [None, Some("<x xmlns='jabber:x:data'>\n</x>".to_owned())] {
            (device.failures, device.gone, device.why, device.options) = (3, 1 << 40, "gone".into(), options);
            let row = Row { key: device.key.clone(), value: device.to_row().into_bytes() };
            assert_eq!(Device::parse(&row).unwrap(), device);
        }
        assert_eq!(device.place(), ("push.example.org", "a\nb"));
        assert_eq!(device.name().len(), 16);
    }

    #[test]
    fn what_is_gone_is_tried_again_and_in_the_end_forgotten() {
        let mut device = Device::new("push.example.org", "n", "phone", None);
        assert!(device.is_due(0, 100) && !device.is_forgotten(u64::MAX));
        (device.gone, device.tried) = (1000, 1000);
        assert!(!device.is_due(1099, 100) && device.is_due(1100, 100));
        assert!(!device.is_forgotten(1000 + FORGOTTEN) && device.is_forgotten(1001 + FORGOTTEN));
    }
}
