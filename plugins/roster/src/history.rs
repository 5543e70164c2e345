//! Versions of the list, and the changes that led to the last of them (RFC 6121 §2.6).
//!
//! A version is `epoch.number`: the epoch is drawn at the list's first change, so that a list
//! made anew is never taken for an old one; the number counts changes. A row is text: the
//! version, the number before which nothing is remembered, then one line for each contact
//! that changed since, the last change last.

use std::fmt::Write as _;

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::stores::STATE;

const ROW: &str = "version";

/// How many changed contacts are remembered, and how many bytes of their addresses: what a
/// client misses in a few days away, and little to write with every change.
const MOST: usize = 32;
const MOST_BYTES: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    epoch: String,
    number: u64,
    /// Changes up to this one are forgotten.
    forgotten: u64,
    /// Each contact once, at its last change, in order.
    changes: Vec<(u64, String)>,
}

impl History {
    /// What is stored; a list that never changed has version 0.
    pub(crate) fn load() -> Result<Self, Fault> {
        Ok(STATE.text(ROW)?.and_then(|row| Self::parse(&row)).unwrap_or_else(Self::new))
    }

    fn new() -> Self {
        Self { epoch: String::new(), number: 0, forgotten: 0, changes: Vec::new() }
    }

    /// The last version.
    pub(crate) fn version(&self) -> String {
        self.version_of(self.number)
    }

    pub(crate) fn version_of(&self, number: u64) -> String {
        if self.epoch.is_empty() { number.to_string() } else { format!("{}.{number}", self.epoch) }
    }

    /// Notes that a contact changes, and stores that.
    pub(crate) fn note(&mut self, jid: &str) -> Result<(), Fault> {
        if self.epoch.is_empty() {
            self.epoch = runtime::random_id().chars().take(8).collect();
        }
        self.add(jid);
        STATE.put(ROW, self.to_row().as_bytes(), &[])
    }

    fn add(&mut self, jid: &str) {
        self.number = self.number.saturating_add(1);
        self.changes.retain(|(_, changed)| changed != jid);
        self.changes.push((self.number, jid.to_owned()));
        let mut bytes: usize = self.changes.iter().map(|(_, jid)| jid.len()).sum();
        let mut drop = 0;
        for (number, jid) in &self.changes {
            if self.changes.len() - drop <= MOST && bytes <= MOST_BYTES {
                break;
            }
            self.forgotten = *number;
            bytes -= jid.len();
            drop += 1;
        }
        self.changes.drain(..drop);
    }

    /// What changed since a version that a client has, the last change last; nothing if the
    /// version is another list's, or longer ago than is remembered.
    pub(crate) fn since(&self, version: &str) -> Option<impl Iterator<Item = (String, &str)>> {
        let number = match version.rsplit_once('.') {
            Some((epoch, number)) if epoch == self.epoch => number.parse().ok()?,
            // Before the first change every list is alike: empty.
            None if version == "0" => 0,
            _ => return None,
        };
        if number < self.forgotten || number > self.number {
            return None;
        }
        let missed = self.changes.iter().filter(move |(changed, _)| *changed > number);
        Some(missed.map(|(number, jid)| (self.version_of(*number), jid.as_str())))
    }

    fn parse(row: &str) -> Option<Self> {
        let mut lines = row.lines();
        let (epoch, number) = lines.next()?.rsplit_once('.')?;
        let forgotten = lines.next()?.parse().ok()?;
        let changes =
            lines.map(|line| line.split_once(' ').and_then(|(n, jid)| Some((n.parse().ok()?, jid.to_owned()))));
        let changes = changes.collect::<Option<_>>()?;
        Some(Self { epoch: epoch.to_owned(), number: number.parse().ok()?, forgotten, changes })
    }

    fn to_row(&self) -> String {
        let mut row = format!("{}\n{}\n", self.version(), self.forgotten);
        for (number, jid) in &self.changes {
            // Writing to a string cannot fail.
            let _ = writeln!(row, "{number} {jid}");
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(changes: &[&str]) -> History {
        let mut history = History { epoch: "e".into(), ..History::new() };
        for jid in changes {
            history.add(jid);
        }
        history
    }

    fn missed(history: &History, version: &str) -> Option<Vec<String>> {
        let since = history.since(version)?;
        Some(since.map(|(version, jid)| format!("{jid} {version}")).collect())
    }

    #[test]
    fn each_contact_once_at_its_last_change() {
        let history = after(&["a@x", "b@x", "a@x", "c@x"]);
        assert_eq!(missed(&history, "e.1").unwrap_or_default(), ["b@x e.2", "a@x e.3", "c@x e.4"]);
        assert_eq!(missed(&history, "e.3").unwrap_or_default(), ["c@x e.4"]);
        assert_eq!(missed(&history, "e.4"), Some(Vec::new()));
        assert_eq!(missed(&history, "0").map(|missed| missed.len()), Some(3));
        assert_eq!(History::parse(&history.to_row()), Some(history));
    }

    #[test]
    fn what_is_no_version_of_this_list_or_too_old() {
        let names: Vec<String> = (0..MOST + 2).map(|n| format!("{n}@x")).collect();
        let mut history = after(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(missed(&history, "e.2").map(|missed| missed.len()), Some(MOST));
        for version in ["", "0", "1", "e.1", "e.99", "f.3", "e.", "e.-1", "e.x", "."] {
            assert_eq!(missed(&history, version), None, "{version}");
        }
        history.add(&"y".repeat(MOST_BYTES));
        assert_eq!(history.changes.len(), 1, "bytes are bounded as well");
        assert_eq!(History::parse("7"), None);
    }
}
